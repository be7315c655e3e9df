// tests/study/support.h - folders, files and messages for the tests of studies.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "glidepath/study.h"
#include "support/files.h"
#include "support/temporary_folder.h"

namespace glidepath {

/// A folder of its own for each test, removed at the end.
class FolderTest : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  const TemporaryFolder temporary_{"study"};
  const std::filesystem::path& folder_ = temporary_.path();
};

/// The message of the Expected error that `call` throws.
template <typename Expected, typename Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Expected& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another type of exception: ") + error.what();
  }
  return "nothing was thrown";
}

}  // namespace glidepath
