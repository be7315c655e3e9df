// src/ranks/meeting/job_secret.cpp - what the processes of a job know and nobody else, and how they come by
// it.
#include "ranks/meeting/job_secret.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sstream>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kBytes = 32;
constexpr std::size_t kLongestFile = 4096;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return number_; }

 private:
  int number_;
};

bool is_ours_alone(const struct stat& found) {
  return found.st_uid == ::geteuid() && (found.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/// What a file holds that nobody else can read or write; nothing where there is none. Throws RunError.
std::optional<std::string> read_own(const fs::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (descriptor < 0 && errno == ENOENT) return std::nullopt;
  struct stat found {};
  if (descriptor < 0 || ::fstat(descriptor, &found) != 0)
    throw RunError(fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno)));
  if (!S_ISREG(found.st_mode) || !is_ours_alone(found)) {
    throw RunError(
        fmt::format("{}: is not a file that this user alone may read and write; remove it", file.string()));
  }
  std::array<char, kLongestFile> text{};
  const ssize_t count = ::read(descriptor, text.data(), text.size());
  if (count < 0) throw RunError(fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno)));
  return std::string(text.data(), static_cast<std::size_t>(count));
}

/// A new file of a name that nobody knows before; "" and errno where it cannot be made.
fs::path write_beside(const fs::path& file, const std::string& text) {
  const fs::path part = file.string() + "." + random_secret().substr(0, 16);
  const Descriptor descriptor(
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (descriptor < 0) return {};
  if (::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(descriptor) == 0)
    return part;
  const int reason = errno;
  ::unlink(part.c_str());
  errno = reason;
  return {};
}

[[noreturn]] void no_secret(const std::string& why) {
  throw InputError(fmt::format(
      "{}; the processes of a job on several machines need a secret that they share: set {} to the same "
      "random "
      "text for all of them, for example by: export {}=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \\n')",
      why, kJobSecret, kJobSecret));
}

void make_own_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) return;
  const int reason = errno;
  struct stat found {};
  if (reason != EEXIST || ::lstat(folder.c_str(), &found) != 0)
    throw RunError(
        fmt::format("{}: cannot be made: {}; give another $TMPDIR", folder.string(), std::strerror(reason)));
  if (!S_ISDIR(found.st_mode) || !is_ours_alone(found)) {
    throw RunError(
        fmt::format("{}: is not a folder that this user alone may use; remove it, or give another $TMPDIR",
                    folder.string()));
  }
}

}  // namespace

std::string random_secret() {
  std::array<unsigned char, kBytes> bytes{};
  if (::getentropy(bytes.data(), bytes.size()) != 0)
    throw RunError(fmt::format("no random numbers: {}", std::strerror(errno)));
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string secret_of_user() {
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') no_secret("environment HOME: is not set");
  const fs::path file = fs::path(home) / ".config/glidepath/job-secret";
  // Two ranks may both find none: the first to name its file has made the secret of all.
  for (int tries = 0; tries < 2; ++tries) {
    if (const auto text = read_own(file)) {
      const std::string secret = text->substr(0, text->find('\n'));
      if (secret.size() < kBytes) no_secret(fmt::format("{}: holds no secret; remove it", file.string()));
      return secret;
    }
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    const fs::path part = write_beside(file, random_secret() + "\n");
    if (part.empty())
      no_secret(fmt::format("{}: cannot be written: {}", file.string(), std::strerror(errno)));
    [[maybe_unused]] const int linked = ::link(part.c_str(), file.c_str());
    ::unlink(part.c_str());
  }
  no_secret(fmt::format("{}: cannot be made", file.string()));
}

fs::path own_temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return fs::path(folder == nullptr || *folder == '\0' ? "/tmp" : folder) /
         fmt::format("glidepath-{}", ::geteuid());
}

void MeetingFile::write(const Told& told) const {
  make_own_folder(file_.parent_path());
  const fs::path part = write_beside(file_, fmt::format("{} {}\n", told.port, told.secret));
  if (part.empty() || ::rename(part.c_str(), file_.c_str()) != 0) {
    const int reason = errno;
    if (!part.empty()) ::unlink(part.c_str());
    throw RunError(fmt::format("{}: cannot be written: {}", file_.string(), std::strerror(reason)));
  }
}

std::optional<MeetingFile::Told> MeetingFile::read() const {
  const auto text = read_own(file_);
  if (!text) return std::nullopt;
  std::istringstream words(*text);
  Told told;
  if (!(words >> told.port >> told.secret) || told.port < 1 || told.port > 65535)
    throw RunError(fmt::format("{}: holds no port and secret; remove it", file_.string()));
  return told;
}

void MeetingFile::remove() const { ::unlink(file_.c_str()); }

}  // namespace glidepath
