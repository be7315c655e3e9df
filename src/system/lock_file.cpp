// src/system/lock_file.cpp - one process at a time, on any machine that sees a folder.
#include "system/lock_file.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "files/json_text.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr auto kLookEvery = std::chrono::milliseconds(200);

[[noreturn]] void refuse(const fs::path& file, int reason) {
  throw RunError(fmt::format("{}: cannot lock: {}", file.string(), std::strerror(reason)));
}

/// A lock as it is now. It is opened anew each time: an NFS client then asks the server.
struct Seen {
  std::string text;
  timespec renewed{};
  bool operator==(const Seen& other) const {
    return text == other.text && renewed.tv_sec == other.renewed.tv_sec &&
           renewed.tv_nsec == other.renewed.tv_nsec;
  }
};

std::optional<Seen> look(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0 && errno != ENOENT && errno != ESTALE) refuse(file, errno);
  if (descriptor < 0) return std::nullopt;
  Seen seen;
  char buffer[4096];
  struct stat status {};
  const ssize_t count = ::read(descriptor, buffer, sizeof buffer);
  const bool is_known = ::fstat(descriptor, &status) == 0;
  ::close(descriptor);
  if (is_known && !S_ISREG(status.st_mode)) refuse(file, EISDIR);
  if (count < 0 || !is_known) return std::nullopt;  // removed meanwhile (ESTALE on NFS)
  seen.text.assign(buffer, static_cast<std::size_t>(count));
  seen.renewed = status.st_mtim;
  return seen;
}

std::string unique_name() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

std::string text_of(const LockFile::Holder& holder, const std::string& name) {
  return json_text(json{{"name", name},
                        {"machine", holder.owner.host},
                        {"pid", holder.owner.pid},
                        {"start", holder.owner.start},
                        {"host", holder.host},
                        {"slurm_job", holder.slurm_job},
                        {"since", holder.since}}) +
         "\n";
}

/// Nothing for what is no text of ours, or not yet a whole one.
std::optional<LockFile::Holder> holder_in(const std::string& text) {
  const json holder = try_parse_json(text);
  try {
    return LockFile::Holder{{holder.at("machine"), holder.at("pid"), holder.at("start")},
                            holder.at("host"),
                            holder.at("slurm_job"),
                            holder.value("since", "")};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

/// True if the holder that wrote `text` is surely gone.
bool is_holder_gone(const std::string& text, const LockFile::Holder& self) {
  const auto holder = holder_in(text);
  if (!holder) return false;
  // Slurm starts a job again only when its earlier start has ended; on this machine that is seen.
  const bool is_same_job = !holder->slurm_job.empty() && holder->slurm_job == self.slurm_job;
  return is_gone(holder->owner, self.owner) || (is_same_job && holder->owner.host != self.owner.host);
}

bool has_no_links(int error) { return error == EPERM || error == ENOSYS || error == EOPNOTSUPP; }

/// A reader may meet it before its text is whole, and takes it for somebody's. False if somebody has it.
bool make_without_link(const fs::path& file, const std::string& text) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor < 0 && errno == EEXIST) return false;
  if (descriptor < 0) refuse(file, errno);
  const bool is_written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int reason = errno;
  ::close(descriptor);
  if (is_written) return true;
  ::unlink(file.c_str());
  refuse(file, reason);
}

/// False if somebody has it.
bool make(const fs::path& file, const std::string& text, const std::string& name) {
  const std::string temporary = file.string() + "." + name;
  const int descriptor =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor < 0) refuse(file, errno);
  const bool is_written =
      ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(descriptor) == 0;
  const int write_error = errno;
  ::close(descriptor);
  const bool is_linked = is_written && ::link(temporary.c_str(), file.c_str()) == 0;
  const int link_error = errno;
  if (is_written && !is_linked && has_no_links(link_error)) {
    ::unlink(temporary.c_str());
    return make_without_link(file, text);
  }
  // The answer to a link may get lost on NFS; the count of names does not lie.
  struct stat status {};
  const bool is_ours =
      is_linked || (is_written && ::stat(temporary.c_str(), &status) == 0 && status.st_nlink == 2);
  ::unlink(temporary.c_str());
  if (!is_written) refuse(file, write_error);
  if (!is_ours && link_error != EEXIST) refuse(file, link_error);
  return is_ours;
}

/// Takes a lock out of the way if it still is the one that was seen. Two may try: each looks at what it got,
/// and puts a lock back that another has just made.
void remove(const fs::path& file, const std::string& seen_text) {
  const std::string aside = file.string() + "." + unique_name();
  if (::rename(file.c_str(), aside.c_str()) != 0) return;
  const auto got = look(aside);
  if (got && got->text != seen_text) [[maybe_unused]]
    const int back = ::link(aside.c_str(), file.c_str());
  ::unlink(aside.c_str());
}

}  // namespace

LockFile::Holder LockFile::this_holder() {
  const char* job = std::getenv("SLURM_JOB_ID");
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  std::array<char, 32> since{};
  if (::localtime_r(&now, &local) != nullptr)
    std::strftime(since.data(), since.size(), "%Y-%m-%d %H:%M:%S", &local);
  return {this_process(), host_name(), job == nullptr ? "" : job, since.data()};
}

std::optional<LockFile::Holder> LockFile::holder_of(const fs::path& file) {
  const auto seen = look(file);
  return seen ? holder_in(seen->text) : std::nullopt;
}

bool LockFile::is_seen_alive(const Holder& holder) {
  const Owner self = this_process();
  return holder.owner.host == self.host && !is_gone(holder.owner, self);
}

std::optional<LockFile> LockFile::take(const fs::path& file, const Holder& self,
                                       const std::function<bool()>& give_up, double stale_seconds) {
  std::optional<Seen> before;
  Clock::time_point since{};
  while (true) {
    const auto seen = look(file);
    if (!seen) {
      const std::string name = unique_name(), text = text_of(self, name);
      if (make(file, text, name)) return LockFile(file, text);
      std::this_thread::sleep_for(kLookEvery);
      continue;
    }
    if (before && before->text == seen->text && !(*before == *seen)) return std::nullopt;  // renewed: alive
    if (!before || !(*before == *seen)) since = Clock::now();
    before = seen;
    const std::chrono::duration<double> unchanged = Clock::now() - since;
    if (is_holder_gone(seen->text, self) || unchanged.count() > stale_seconds) {
      remove(file, seen->text);
      continue;
    }
    if (give_up && give_up()) return std::nullopt;
    std::this_thread::sleep_for(kLookEvery);
  }
}

bool LockFile::renew() {
  const auto seen = look(file_);
  if (!seen || seen->text != text_) return false;
  // Null times are set by the server's clock on NFS: machines need not agree on the time.
  if (::utimensat(AT_FDCWD, file_.c_str(), nullptr, 0) != 0 && errno != ENOENT) refuse(file_, errno);
  return true;
}

bool LockFile::keep() {
  if (look(file_)) return renew();
  std::error_code error;
  if (!fs::is_directory(file_.parent_path(), error)) return true;  // who makes it anew is us
  return make(file_, text_, unique_name());
}

LockFile::~LockFile() {
  if (file_.empty()) return;
  try {
    if (const auto seen = look(file_); seen && seen->text == text_) ::unlink(file_.c_str());
  } catch (const RunError&) {  // no file of ours
  }
}

}  // namespace glidepath
