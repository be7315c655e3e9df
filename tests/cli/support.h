// tests/cli/support.h - a folder of its own for each test, in which the program is run.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "support/process.h"

namespace glidepath {

class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "glidepath-cli-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::filesystem::path& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::string read(const std::filesystem::path& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ / name, std::ios::binary).rdbuf();
    return text.str();
  }
  ProcessOptions in_folder() const {
    ProcessOptions options;
    options.folder = folder_.string();
    return options;
  }
  /// One line of sh in the test's folder.
  ProcessResult shell(const std::string& line) const { return run_shell(line, in_folder()); }

  std::filesystem::path folder_;
};

}  // namespace glidepath
