// src/report/figures/gnuplot.cpp - the one place that runs gnuplot.
#include "report/figures/gnuplot.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "glidepath/error.h"
#include "programs/command.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

std::string terminal_for(const Folder& folder, const std::string& name, int width, int height) {
  const std::string kind = fs::path(name).extension().string();
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
  if (kind == ".pdf") {
    constexpr double kUnitsPerInch = 96;
    return fmt::format(
        "set terminal pdfcairo size {}in,{}in noenhanced font 'Sans,13' fontscale 0.75 linewidth 0.75 "
        "pointscale 0.75\n",
        width / kUnitsPerInch, height / kUnitsPerInch);
  }
  throw InputError(fmt::format("{}: must end in .svg, .png or .pdf", (folder.path() / name).string()));
}

/// A folder of its own next to the picture, removed at the end.
class WorkFolder {
 public:
  explicit WorkFolder(const Folder& near) : near_(near), folder_(near.make_unique(".figure-")) {}
  ~WorkFolder() { near_.remove_all(folder_.path().filename().string()); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const Folder& folder() const { return folder_; }

 private:
  Folder near_, folder_;
};

void write_script(const Folder& folder, const std::string& text) {
  const int descriptor = folder.create("script.gp", 0600);
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(descriptor, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    done += static_cast<std::size_t>(count);
  }
  const int reason = errno;
  ::close(descriptor);
  if (done < text.size())
    throw RunError(fmt::format("{}: cannot write: {}", folder.path().string(), std::strerror(reason)));
}

bool holds_picture(const Folder& folder, const std::string& name) {
  std::error_code error;
  const auto bytes = fs::file_size(folder.way_to(name), error);
  return !error && bytes > 0;
}

}  // namespace

std::string GnuplotTexts::add(const std::string& text) {
  // Each line begins with a letter of ours, so that none can be the mark at the block's end.
  lines_.push_back(">" + plain_line(text));
  return fmt::format("$TEXTS[{}][2:*]", lines_.size());
}

std::string GnuplotTexts::block() const {
  return fmt::format("$TEXTS << EOD\n{}\nEOD\n", fmt::join(lines_, "\n"));
}

void run_gnuplot(const std::string& script, const Folder& folder, const std::string& name, int width,
                 int height) {
  const std::string terminal = terminal_for(folder, name, width, height),
                    file = (folder.path() / name).string();
  const WorkFolder work(folder);
  const std::string picture = "picture" + fs::path(name).extension().string();
  write_script(work.folder(), fmt::format("{}set output '{}'\n{}", terminal, picture, script));
  CommandOptions options;
  options.kind = ProgramKind::kGnuplot;
  options.folder = work.folder().descriptor();
  // Without -d the user's ~/.gnuplot and the system's gnuplotrc would be read first.
  const CommandResult result = run_command({"gnuplot", "-d", "script.gp"}, options);
  if (!result.is_found) {
    throw RunError(
        "gnuplot is not installed, and figures need it; install it with: apt-get install gnuplot-nox");
  }
  if (!result.is_good() || !holds_picture(work.folder(), picture))
    throw RunError(fmt::format("{}: gnuplot failed: {}", file, result.err));
  work.folder().rename(picture, folder, name);
}

}  // namespace glidepath
