// src/report/gnuplot.cpp - the one place that runs gnuplot.
#include "report/gnuplot.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "glidepath/error.h"

extern char** environ;
namespace fs = std::filesystem;

namespace glidepath {
namespace {

std::string terminal_for(const fs::path& file, int width, int height) {
  const std::string kind = file.extension().string();
  if (kind == ".svg") {
    return fmt::format(
        "set terminal svg size {},{} dynamic noenhanced font 'Helvetica,13' background rgb 'white'\n", width,
        height);
  }
  if (kind == ".png") {
    // Twice the points, so that it is sharp on dense screens and in print. Its fonts are in points of 1/72 in
    // where svg's are in pixels of 1/96.
    return fmt::format(
        "set terminal pngcairo size {},{} noenhanced font 'Sans,13' fontscale 1.5 linewidth 2 pointscale 2\n",
        2 * width, 2 * height);
  }
  throw InputError(fmt::format("{}: must end in .svg or .png", file.string()));
}

/// A folder of its own next to the picture, removed at the end.
class WorkFolder {
 public:
  explicit WorkFolder(const fs::path& near) {
    std::string name = (near / ".figure-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      if (errno == ENOENT || errno == ENOTDIR) {
        throw InputError(
            fmt::format("{}: no such folder; make it first, or give another --out", near.string()));
      }
      throw RunError(fmt::format("{}: cannot be written: {}", near.string(), std::strerror(errno)));
    }
    path_ = name;
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Exit status of `gnuplot script`, its complaints going to a file.
int run(const fs::path& script, const fs::path& complaints) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, complaints.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  std::string program = "gnuplot", argument = script.string();
  char* arguments[] = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  const int failed = posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    throw RunError(
        "gnuplot is not installed, and figures need it; install it with: apt-get install gnuplot-nox");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

std::string gnuplot_text(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

void run_gnuplot(const std::string& script, const fs::path& file, int width, int height) {
  const std::string terminal = terminal_for(file, width, height);
  const WorkFolder work(file.has_parent_path() ? file.parent_path() : fs::path("."));
  const fs::path picture = work.path() / ("picture" + file.extension().string());
  const fs::path source = work.path() / "script.gp", complaints = work.path() / "complaints";
  std::ofstream(source) << terminal << "set output " << gnuplot_text(picture.string()) << "\n" << script;
  const int status = run(source, complaints);
  std::error_code error;
  if (status != 0 || !fs::exists(picture, error) || fs::file_size(picture, error) == 0) {
    std::ostringstream said;
    said << std::ifstream(complaints).rdbuf();
    throw RunError(fmt::format("{}: gnuplot failed: {}", file.string(), said.str()));
  }
  fs::rename(picture, file, error);
  if (error) throw RunError(fmt::format("{}: cannot be written: {}", file.string(), error.message()));
}

}  // namespace glidepath
