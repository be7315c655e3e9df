// tests/support/failing_disk.cpp - to be preloaded: while the file $FAILING_WHEN is there, the disk below
// $FAILING_BELOW gives the error $FAILING_WITH (5: EIO) to everyone who opens, lists or reads a file on it.
// From the process with RANK=1, files called $HIDDEN_FROM_RANK_1 are hidden.
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool fails(const char* path) {
  const char *below = std::getenv("FAILING_BELOW"), *when = std::getenv("FAILING_WHEN");
  if (path == nullptr || below == nullptr || when == nullptr) return false;
  if (std::strncmp(path, below, std::strlen(below)) != 0 || access(when, F_OK) != 0) return false;
  const char* with = std::getenv("FAILING_WITH");
  errno = with == nullptr ? EIO : std::atoi(with);
  return true;
}

bool fails(int descriptor) {
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return fails(path);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  if (fails(path)) return -1;
  static const auto call = real<int (*)(const char*, int, ...)>("open");
  return call(path, flags, mode);
}
int open64(const char* path, int flags, ...) __attribute__((alias("open")));
// As libraries call it that were built with checks of the C library.
int __open_2(const char* path, int flags) { return open(path, flags, 0); }
int __open64_2(const char* path, int flags) { return open(path, flags, 0); }

ssize_t read(int descriptor, void* to, size_t bytes) {
  if (fails(descriptor)) return -1;
  static const auto call = real<ssize_t (*)(int, void*, size_t)>("read");
  return call(descriptor, to, bytes);
}

ssize_t pread(int descriptor, void* to, size_t bytes, off_t offset) {
  if (fails(descriptor)) return -1;
  static const auto call = real<ssize_t (*)(int, void*, size_t, off_t)>("pread");
  return call(descriptor, to, bytes, offset);
}
ssize_t pread64(int descriptor, void* to, size_t bytes, off_t offset) __attribute__((alias("pread")));

// A mapped file's pages are on the disk, too: the system says that it cannot bring them.
int madvise(void* address, size_t bytes, int advice) noexcept {
  constexpr int kPopulateRead = 22;
  const char* when = std::getenv("FAILING_WHEN");
  if (advice == kPopulateRead && when != nullptr && access(when, F_OK) == 0) {
    errno = EFAULT;
    return -1;
  }
  static const auto call = real<int (*)(void*, size_t, int)>("madvise");
  return call(address, bytes, advice);
}

dirent* readdir(DIR* folder) {
  static const auto call = real<dirent* (*)(DIR*)>("readdir");
  const char *rank = std::getenv("RANK"), *hidden = std::getenv("HIDDEN_FROM_RANK_1");
  while (dirent* entry = call(folder)) {
    const bool is_hidden = rank != nullptr && hidden != nullptr && std::strcmp(rank, "1") == 0 &&
                           std::strcmp(entry->d_name, hidden) == 0;
    if (!is_hidden) return entry;
  }
  return nullptr;
}
dirent64* readdir64(DIR* folder) { return reinterpret_cast<dirent64*>(readdir(folder)); }

DIR* opendir(const char* path) {
  if (fails(path)) return nullptr;
  static const auto call = real<DIR* (*)(const char*)>("opendir");
  return call(path);
}
}
