// fuzz/harness.h - what the harnesses share: files in memory, and what a parser may do with any input.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include "glidepath/error.h"

/// The entry point of libFuzzer, and of replay.cpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace glidepath::fuzz {

/// Ends the program when an oracle does not hold; the fuzzer keeps the input.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

/// True if `parse` took the input, false if it refused it as wrong. Whatever else it throws ends the program.
template <typename Parse>
bool accepts(const Parse& parse) {
  try {
    parse();
    return true;
  } catch (const InputError& error) {
    require(error.what()[0] != '\0', "an error says what is wrong");
    return false;
  }
}

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A file that lies in memory alone and has a path all the same.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    require(descriptor_ >= 0, "memfd_create works");
  }
  explicit MemoryFile(const std::string& content) : MemoryFile() { assign(content); }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void assign(const std::string& content) {
    const bool is_whole =
        ::ftruncate(descriptor_, 0) == 0 &&
        ::pwrite(descriptor_, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size());
    require(is_whole, "a file in memory can be written");
  }
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

/// A folder of this process in memory where the system has such a file system, removed at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code error;
    const bool in_memory = std::filesystem::is_directory("/dev/shm", error);
    std::string name =
        (in_memory ? "/dev/shm" : std::filesystem::temp_directory_path().string()) + "/glidepath-fuzz-XXXXXX";
    require(::mkdtemp(name.data()) != nullptr, "a scratch folder can be made");
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace glidepath::fuzz
