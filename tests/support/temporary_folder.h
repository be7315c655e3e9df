// tests/support/temporary_folder.h - a folder that goes with the test that made it.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace glidepath {

class TemporaryFolder {
 public:
  /// `name` is a part of the folder's, for who finds one that was left.
  explicit TemporaryFolder(const std::string& name) {
    std::string text = (std::filesystem::temp_directory_path() / ("glidepath-" + name + "-XXXXXX")).string();
    if (::mkdtemp(text.data()) == nullptr) throw std::runtime_error(text + ": cannot be made");
    path_ = text;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace glidepath
