// src/data/archives/npm.cpp - running `npm pack`, and checking what it brought.
#include "data/archives/npm.h"

#include <cstring>
#include <fstream>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>

#include "files/checksum.h"
#include "files/read_file.h"
#include "programs/command.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// The line of npm's output that says most: the last that tells an error, without its prefix.
std::string reason_in(const fs::path& log) {
  LineFile lines(log);
  std::string line, reason;
  while (lines.next(line)) {
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

/// The name of the package in the folder.
std::string pack(const NpmPackage& npm, const Folder& folder, const FetchContext& context) {
  constexpr const char* kLog = "npm.log";
  const int log = folder.create(kLog, 0644);
  CommandOptions options;
  options.kind = ProgramKind::kNpm;
  options.folder = folder.descriptor();  // no .npmrc of the folder that the user is in
  options.output = options.complaints = log;
  options.own_group = true;  // Ctrl-C reaches us alone, and all that npm started ends with it
  std::optional<int> status;
  {
    // What the user's own settings may say otherwise.
    StartedProgram process({"npm", "pack", npm.package, "--pack-destination", ".", "--loglevel", "error",
                            "--ignore-scripts", "--dry-run=false", "--json=false"},
                           options);
    ::close(log);
    if (!process.is_found()) throw SourceFailed{"npm is not installed"};
    constexpr double kPoll = 0.1;
    while (!(status = process.poll())) context.wait(kPoll);  // throws Interrupted when stopped
  }
  if (*status != 0) {
    const std::string reason = reason_in(folder.way_to(kLog));
    throw SourceFailed{
        fmt::format("npm ended with exit status {}{}{}", *status, reason.empty() ? "" : ": ", reason)};
  }
  for (const std::string& name : folder.names()) {
    if (fs::path(name).extension() == ".tgz") return name;
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

void fetch_by_npm(const NpmPackage& npm, const std::vector<DataFile>& wanted, const Folder& folder,
                  FetchContext& context) {
  constexpr const char* kWork = "npm";
  folder.remove_all(kWork);  // what a killed run left
  const Folder work = folder.make_inside(kWork);
  context.begin("downloading", "npm " + npm.package, 0);
  const fs::path package = work.way_to(pack(npm, work, context));
  check(package, npm.checksum, context);
  convert_npm_package(package, wanted, folder, context);
  folder.remove_all(kWork);
}

}  // namespace glidepath
