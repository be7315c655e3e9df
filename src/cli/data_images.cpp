// src/cli/data_images.cpp - `glidepath data pack`, and `data verify` for images.
#include "cli/data_images.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/terminal/message.h"
#include "cli/terminal/progress_line.h"
#include "cli/terminal/stop_signal.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "glidepath/image_pack.h"

namespace fs = std::filesystem;

namespace glidepath::cli {
namespace {

constexpr std::int64_t kMostSide = 65500;  // of a JPEG

struct PackArguments {
  std::string name, out, format = "jpeg";
  ImageChoiceArguments choice;
  PackOptions options;
  bool quiet = false, json = false;
};

std::string need_images(const std::string& name) {
  const std::string path = images_path(name);
  if (path.empty()) {
    throw InputError(fmt::format("data \"{}\": only images are packed; give imagefolder:PATH", name));
  }
  return path;
}

void run_pack(PackArguments& arguments) {
  const std::string path = need_images(arguments.name);
  ProgressLine line(!arguments.quiet && !arguments.json);
  show_progress(arguments.options, line, "packed");
  set_choice(arguments.options, arguments.choice);
  arguments.options.rgb = arguments.format == "rgb";
  PackResult result;
  try {
    result = pack_images(path, arguments.out, arguments.options);
  } catch (const InputError& error) {
    throw InputError(with_flag(error.what()));
  }
  line.clear();
  if (arguments.json) {
    std::cout << json_text(nlohmann::ordered_json{{"file", arguments.out},
                                                  {"train", result.train},
                                                  {"val", result.val},
                                                  {"corrupt", result.corrupt},
                                                  {"classes", result.classes},
                                                  {"bytes", result.bytes},
                                                  {"seconds", result.seconds},
                                                  {"notes", result.notes}})
              << "\n";
    return;
  }
  if (arguments.quiet) return;
  for (const std::string& note : result.notes) std::cout << terminal_text(note) << "\n";
  const std::string left_out = result.corrupt > 0 ? fmt::format(", {} corrupt left out", result.corrupt) : "";
  std::cout << fmt::format("{}: {} training and {} validation images{}, {} classes, {:.1f} MB, in {}\n",
                           arguments.out, result.train, result.val, left_out, result.classes,
                           static_cast<double>(result.bytes) / 1e6, spoken_duration(result.seconds));
}

}  // namespace

std::string images_path(const std::string& name) {
  const std::string prefix = "imagefolder:", ending = ".gpk";
  if (name.rfind(prefix, 0) == 0) return name.substr(prefix.size());
  const bool is_pack_name =
      name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
  return is_pack_name ? name : "";
}

void add_choice_flags(CLI::App& command, ImageChoiceArguments& choice) {
  command
      .add_option(
          "--split", choice.split,
          "of a folder of classes without splits: shares of every class to train and test on, 80/20 or "
          "80/10/10")
      ->check(not_empty("shares, for example 80/20"));
  command
      .add_option("--test-on", choice.test_on,
                  "the split that is tested on, such as test (default: val, valid, ..., test)")
      ->check(not_empty("the name of a split, for example test"));
}

void set_choice(PackOptions& options, const ImageChoiceArguments& choice) {
  options.split = choice.split;
  options.test_on = choice.test_on;
}

void show_progress(PackOptions& options, ProgressLine& line, const std::string& doing) {
  catch_stop_signals("stopping; Ctrl-C again ends at once\n");
  options.stop_signal = stop_signal;
  options.on_progress = [&line, doing](const ImageProgress& at) {
    const double share =
        static_cast<double>(at.done) / static_cast<double>(std::max<std::int64_t>(1, at.total));
    line.show(share, {fmt::format("{} {} of {} images", doing, at.done, at.total)});
  };
  options.on_note = [&line](const std::string& text) { line.print_above(text); };
}

std::string with_flag(std::string message) {
  for (std::string key : {"resize", "max_side", "quality", "max_corrupt", "jobs", "split", "test_on"}) {
    if (message.rfind(key + " \"", 0) != 0) continue;
    message.erase(0, key.size());
    std::replace(key.begin(), key.end(), '_', '-');
    return "--" + key + message;
  }
  return message;
}

void verify_images(const VerifyArguments& arguments) {
  ProgressLine line(!arguments.quiet && !arguments.json);
  PackOptions options;
  set_choice(options, arguments.choice);
  show_progress(options, line, "checked");
  ImageCheck check;
  try {
    check = check_images(fs::path(arguments.data_dir) / images_path(arguments.name), options);
  } catch (const InputError& error) {
    throw InputError(with_flag(error.what()));
  }
  line.clear();
  if (arguments.json) {
    std::cout << json_text(nlohmann::ordered_json{{"name", arguments.name},
                                                  {"train", check.train},
                                                  {"val", check.val},
                                                  {"tested_on", check.tested_on},
                                                  {"problems", check.problems},
                                                  {"notes", check.notes}})
              << "\n";
  } else {
    for (const std::string& problem : check.problems) std::cout << terminal_text(problem) << "\n";
    if (!arguments.quiet) {
      for (const std::string& note : check.notes) std::cout << terminal_text(note) << "\n";
    }
  }
  if (!check.problems.empty()) {
    throw InputError(fmt::format("{}: {} of {} images are damaged, the first is {}", arguments.name,
                                 check.problems.size(), check.train + check.val, check.problems.front()));
  }
  if (!arguments.quiet && !arguments.json) {
    std::cout << fmt::format("{}: {} training and {} validation images, each whole\n", arguments.name,
                             check.train, check.val);
  }
}

void add_pack(CLI::App& command) {
  auto* pack = command.add_subcommand(
      "pack",
      "Write a data set of images into one file, made smaller if asked to, with an index and checksums");
  auto arguments = std::make_shared<PackArguments>();
  PackOptions& options = arguments->options;
  takes_data(pack->add_option("name", arguments->name, "imagefolder:PATH"))->required();
  takes_new_path(pack->add_option("--out", arguments->out, "the file to write, FILE.gpk"),
                 "a file, for example photos.gpk")
      ->required();
  auto* resize =
      pack->add_option("--resize", options.resize, "reduce the shorter side of larger images to N pixels")
          ->check(whole_number(0, kMostSide));
  pack->add_option("--max-side", options.max_side, "reduce the longer side of larger images to N pixels")
      ->check(whole_number(0, kMostSide))
      ->excludes(resize);
  pack->add_option("--format", arguments->format, "jpeg, or rgb: pixels, faster to read and larger")
      ->check(one_of({"jpeg", "rgb"}))
      ->capture_default_str();
  pack->add_option("--quality", options.quality,
                   "of the JPEG files made, 1 to 100; images that are small enough stay as they are")
      ->check(whole_number(1, 100))
      ->capture_default_str();
  pack->add_flag("--exif-orientation", options.exif_orientation,
                 "turn photographs as their EXIF orientation says");
  pack->add_option(
          "--max-corrupt", options.max_corrupt,
          "images of a split that may be left out because they cannot be decoded, or a share of them")
      ->capture_default_str();
  add_choice_flags(*pack, arguments->choice);
  pack->add_option("--jobs", options.jobs, "threads (default: every core)")->check(whole_number(0, 1024));
  pack->add_flag("--quiet", arguments->quiet, "print errors only");
  pack->add_flag("--json", arguments->json, "print the result as one JSON object");
  pack->callback([arguments] { run_pack(*arguments); });
}

}  // namespace glidepath::cli
