// tests/cli/support.h - a folder of its own for each test, in which the program is run.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "support/files.h"
#include "support/process.h"
#include "support/temporary_folder.h"

namespace glidepath {

class CliTest : public testing::Test {
 protected:
  void write(const std::filesystem::path& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::string read(const std::filesystem::path& name) const { return text_of(folder_ / name); }
  ProcessOptions in_folder() const {
    ProcessOptions options;
    options.folder = folder_.string();
    return options;
  }
  /// One line of sh in the test's folder.
  ProcessResult shell(const std::string& line) const { return run_shell(line, in_folder()); }

  const TemporaryFolder temporary_{"cli"};
  const std::filesystem::path& folder_ = temporary_.path();
};

}  // namespace glidepath
