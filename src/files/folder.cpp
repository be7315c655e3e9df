// src/files/folder.cpp - a folder that is held open.
#include "files/folder.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "files/output_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr int kTries = 100;

void check_name(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
    throw InternalError(fmt::format("\"{}\" is no name in a folder", name));
}

[[noreturn]] void refuse(const fs::path& path, const char* what, int reason) {
  throw RunError(fmt::format("{}: cannot {}: {}", path.string(), what, std::strerror(reason)));
}

constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

/// A regular file of one name (one that has others too may lie anywhere) and of this user.
bool is_plain(int descriptor) {
  struct stat found {};
  const uid_t user = ::geteuid();
  return ::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink == 1 &&
         (user == 0 || user == found.st_uid);
}

void remove_below(int parent, const char* name) {
  const int descriptor = ::openat(parent, name, kOpenFolder | O_NOFOLLOW);
  if (descriptor >= 0) {
    if (DIR* open = ::fdopendir(descriptor)) {
      while (const dirent* entry = ::readdir(open)) {
        const std::string below = entry->d_name;
        if (below != "." && below != "..") remove_below(descriptor, below.c_str());
      }
      ::closedir(open);
    } else {
      ::close(descriptor);
    }
  }
  ::unlinkat(parent, name, descriptor >= 0 ? AT_REMOVEDIR : 0);
}

}  // namespace

struct Folder::Handle {
  explicit Handle(int opened) : descriptor(opened) {}
  ~Handle() { ::close(descriptor); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  const int descriptor;
};

Folder::Folder(fs::path path, int descriptor)
    : path_(std::move(path)), handle_(std::make_shared<const Handle>(descriptor)) {}

std::optional<Folder> Folder::try_open(const fs::path& path) {
  const int descriptor = ::open(path.empty() ? "." : path.c_str(), kOpenFolder);
  if (descriptor < 0) return std::nullopt;
  return Folder(path, descriptor);
}

Folder Folder::open(const fs::path& path) {
  if (auto folder = try_open(path)) return *std::move(folder);
  refuse(path, "open this folder", errno);
}

Folder Folder::make(const fs::path& path) {
  make_output_folder(path);
  return open(path);
}

int Folder::descriptor() const { return handle_->descriptor; }

fs::path Folder::way_to(const std::string& name) const {
  check_name(name);
  return fmt::format("/proc/self/fd/{}/{}", descriptor(), name);
}

std::optional<Folder> Folder::enter(const std::string& name) const {
  check_name(name);
  const int inside = ::openat(descriptor(), name.c_str(), kOpenFolder | O_NOFOLLOW);
  if (inside >= 0) return Folder(path_ / name, inside);
  const int reason = errno;
  if (reason == ENOENT) return std::nullopt;
  if (reason == ELOOP || reason == ENOTDIR) {
    throw LinkInTheWay(fmt::format(
        "{}: is no folder but a link or a file, where Glidepath keeps a folder of its own; take it "
        "away (the folder that you name may be a link, those inside may not)",
        (path_ / name).string()));
  }
  refuse(path_ / name, "open this folder", reason);
}

std::optional<Folder> Folder::find_inside(const std::string& name) const { return enter(name); }

Folder Folder::make_inside(const std::string& name) const {
  check_name(name);
  if (auto there = enter(name)) return *std::move(there);
  if (::mkdirat(descriptor(), name.c_str(), 0777) != 0 && errno != EEXIST)
    refuse(path_ / name, "make this folder", errno);
  if (auto made = enter(name)) return *std::move(made);
  refuse(path_ / name, "make this folder", ENOENT);
}

Folder Folder::make_unique(const std::string& prefix) const {
  for (int i = 0; i < kTries; ++i) {
    const std::string name = prefix + random_letters();
    if (::mkdirat(descriptor(), name.c_str(), 0700) == 0) return *enter(name);
    if (errno != EEXIST) break;
  }
  refuse(path_, "write in this folder", errno);
}

bool Folder::has(const std::string& name) const {
  check_name(name);
  struct stat found {};
  return ::fstatat(descriptor(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
}

std::vector<std::string> Folder::names() const {
  std::vector<std::string> names;
  const int again = ::openat(descriptor(), ".", kOpenFolder);  // its own place in the list
  DIR* open = again < 0 ? nullptr : ::fdopendir(again);
  if (open == nullptr) {
    if (again >= 0) ::close(again);
    return names;
  }
  while (const dirent* entry = ::readdir(open)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(open);
  return names;
}

int Folder::create_new(const std::string& name, unsigned mode) const {
  check_name(name);
  return ::openat(descriptor(), name.c_str(), kNew, mode);
}

int Folder::create(const std::string& name, unsigned mode) const {
  for (int i = 0; i < kTries; ++i) {
    const int made = create_new(name, mode);
    if (made >= 0) return made;
    if (errno != EEXIST) break;
    if (::unlinkat(descriptor(), name.c_str(), 0) != 0 && errno != ENOENT) break;
  }
  refuse(path_ / name, "write", errno);
}

int Folder::create_unique(const std::string& before, const std::string& after, std::string& name) const {
  for (int i = 0; i < kTries; ++i) {
    name = before + random_letters() + after;
    const int made = ::openat(descriptor(), name.c_str(), kNew, 0666);  // less the umask, as ever
    if (made >= 0) return made;
    if (errno != EEXIST) break;
  }
  return -1;
}

int Folder::open_plain(const std::string& name, int flags) const {
  check_name(name);
  // Not to wait for a pipe's other end; for regular files it means nothing.
  const int there =
      ::openat(descriptor(), name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (there < 0) return -1;
  if (is_plain(there)) return there;
  ::close(there);
  errno = EMLINK;
  return -1;
}

int Folder::open_or_create(const std::string& name, int flags, unsigned mode) const {
  const int there = open_plain(name, flags);
  if (there >= 0) return there;
  const bool is_ours_to_replace = errno == ENOENT || errno == ELOOP || errno == EMLINK || errno == ENXIO;
  if (!is_ours_to_replace) refuse(path_ / name, "write", errno);
  const int made = create(name, mode);
  if ((flags & (O_RDWR | O_APPEND)) == 0) return made;
  ::close(made);
  const int again = open_plain(name, flags);
  if (again < 0) refuse(path_ / name, "write", errno);
  return again;
}

void Folder::remove(const std::string& name) const noexcept { ::unlinkat(descriptor(), name.c_str(), 0); }

void Folder::remove_all(const std::string& name) const noexcept { remove_below(descriptor(), name.c_str()); }

void Folder::remove_folder(const std::string& name) const noexcept {
  ::unlinkat(descriptor(), name.c_str(), AT_REMOVEDIR);
}

void Folder::rename(const std::string& name, const Folder& to, const std::string& new_name) const {
  check_name(name);
  check_name(new_name);
  if (::renameat(descriptor(), name.c_str(), to.descriptor(), new_name.c_str()) != 0)
    refuse(to.path() / new_name, "replace", errno);
}

void Folder::flush() const noexcept { ::fsync(descriptor()); }

std::string random_letters() {
  std::random_device device;  // the kernel's generator
  return fmt::format("{:08x}", device() & 0xffffffffU);
}

}  // namespace glidepath
