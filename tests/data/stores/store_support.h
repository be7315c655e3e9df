// tests/data/stores/store_support.h - what the tests of stores share.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "support/files.h"
#include "support/python.h"
#include "support/temporary_folder.h"

namespace glidepath {

/// A folder of its own for each test.
class StoreTest : public testing::Test {
 protected:
  /// Runs Python's own tar writer, which is not ours, in the folder.
  std::string python(const std::string& body) {
    const PythonResult result =
        run_python(folder_, "import io, os, sys, tarfile, struct, json\nos.chdir(sys.argv[1])\n" + body,
                   folder_.string());
    EXPECT_EQ(result.status, 0) << result.output;
    return result.output;
  }
  static void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
  }
  /// What an action that must be refused says.
  template <typename Action>
  static std::string refusal(const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "was not refused";
  }

  const TemporaryFolder temporary_{"store"};
  const std::filesystem::path& folder_ = temporary_.path();
};

}  // namespace glidepath
