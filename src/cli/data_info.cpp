// src/cli/data_info.cpp - `glidepath data info`: what a data set holds.
#include "cli/data_info.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/config_options.h"
#include "cli/data_images.h"
#include "cli/terminal/message.h"
#include "cli/terminal/progress_line.h"
#include "cli/terminal/stop_signal.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/data_choice.h"
#include "glidepath/error.h"
#include "glidepath/image_pack.h"
#include "glidepath/train_config.h"

namespace fs = std::filesystem;

namespace glidepath::cli {
namespace {

constexpr std::size_t kMostClassesTold = 30;

struct InfoArguments {
  std::string name, data_dir;
  ImageChoiceArguments choice;
  GivenValues own;  // of tokens and masks, as `glidepath train` takes them
  bool statistics = false, json = false, quiet = false;
};

/// Whose mean and standard deviation they are.
struct Statistics {
  std::vector<double> mean, stddev;
  const char* of;
  const char* told;
};

Statistics statistics_of(const DataInfo& info, const InfoArguments& arguments) {
  Statistics known{info.mean, info.stddev, "training images", "of the training images"};
  if (arguments.statistics && info.in_memory) known.told = "of the training images, measured";
  if (info.in_memory && !arguments.statistics && info.name == "digits") {
    known.of = "all images";
    known.told = "of all images, test images included; --statistics measures those of the training images";
  }
  if (!info.in_memory) {
    known.of = "ImageNet";
    known.told =
        "ImageNet's, by which the images of folders are normalised; --statistics measures those of these "
        "images";
  }
  if (!arguments.statistics || info.in_memory) return known;
  ProgressLine line(!arguments.json && !arguments.quiet);
  PackOptions options;
  set_choice(options, arguments.choice);
  show_progress(options, line, "measured");
  options.on_note = {};  // told already
  const ImageStatistics found =
      measure_images(fs::path(arguments.data_dir) / images_path(arguments.name), options);
  line.clear();
  return {found.mean, found.stddev, "training images",
          "of the training images as tests would show them, measured; images of folders are normalised by "
          "ImageNet's"};
}

std::string counts_line(const char* of, std::vector<std::int64_t> counts) {
  std::sort(counts.begin(), counts.end());
  return fmt::format("{} to {} {} a class, median {}", counts.front(), counts.back(), of,
                     counts[(counts.size() - 1) / 2]);
}

void print_text(const DataInfo& info, const Statistics& statistics, const InfoArguments& arguments) {
  const std::string path = images_path(arguments.name);
  const std::string shape =
      info.in_memory ? fmt::format(" of {}", fmt::join(info.shape, "x")) : std::string();
  const std::string tested = info.tested_on.empty() ? "" : fmt::format(" ({})", info.tested_on);
  const auto &train = info.train_per_class, &test = info.test_per_class;
  std::cout << terminal_text(fmt::format("{}: {} training and {} test images{}{}, {} classes", info.name,
                                         info.train, info.test, tested, shape, info.classes))
            << "\n"
            << fmt::format(
                   "mean {:.4f}, standard deviation {:.4f} by channel, on the [0, 1] scale: {}\n{}; {}\n",
                   fmt::join(statistics.mean, " "), fmt::join(statistics.stddev, " "), statistics.told,
                   counts_line("training images", train), counts_line("test images", test));
  const std::string pack = path.empty() ? "" : describe_pack(fs::path(arguments.data_dir) / path);
  if (!pack.empty()) std::cout << terminal_text(pack) << "\n";
  for (const std::string& note : info.notes) std::cout << terminal_text(note) << "\n";
  if (info.class_names.empty()) return;
  if (info.class_names.size() > kMostClassesTold) {
    std::cout << terminal_text(fmt::format("{}", fmt::join(info.class_names, ", "))) << "\n";
    return;
  }
  std::cout << "training and test images by class:\n";
  for (std::size_t i = 0; i < info.class_names.size(); ++i)
    std::cout << fmt::format("{:7} {:7}  {}\n", train[i], test[i], terminal_text(info.class_names[i]));
}

void print_json(const DataInfo& info, const Statistics& statistics) {
  nlohmann::ordered_json json = {{"name", info.name},
                                 {"train", info.train},
                                 {"test", info.test},
                                 {"tested_on", info.tested_on},
                                 {"classes", info.classes},
                                 {"class_names", info.class_names},
                                 {"train_images_per_class", info.train_per_class},
                                 {"test_images_per_class", info.test_per_class},
                                 {"mean", statistics.mean},
                                 {"stddev", statistics.stddev},
                                 {"statistics_of", statistics.of},
                                 {"notes", info.notes}};
  if (info.in_memory) json["shape"] = info.shape;
  std::cout << json_text(json) << "\n";
}

/// Examples that are no images with a label each.
void print_own(const DataInfo& info, const InfoArguments& arguments) {
  if (arguments.json) {
    std::cout << json_text(nlohmann::ordered_json{{"name", info.name},
                                                  {"task", info.task},
                                                  {"train", info.train},
                                                  {"test", info.test},
                                                  {"classes", info.classes},
                                                  {"class_names", info.class_names},
                                                  {"notes", info.notes}})
              << "\n";
    return;
  }
  std::cout << terminal_text(
      fmt::format("{}: {} training and {} test examples", info.name, info.train, info.test));
  if (info.classes > 0) std::cout << fmt::format(", {} classes", info.classes);
  std::cout << "\n";
  for (const std::string& note : info.notes) std::cout << terminal_text(note) << "\n";
}

/// Options of `glidepath train` that say what an example is.
void set_own_choice(DataChoice& choice, const GivenValues& own) {
  TrainConfig config;
  try {
    for (const auto& [key, text] : own) set_config_value(config, key, text);
  } catch (const InputError& error) {
    throw InputError(with_flag(error.what(), own));
  }
  choice.context = config.context;
  choice.ignored_label = config.ignored_label;
}

void run_info(const InfoArguments& arguments) {
  const std::string path = images_path(arguments.name);
  DataChoice choice;
  choice.split = arguments.choice.split;
  choice.test_on = arguments.choice.test_on;
  choice.tell = [](const std::string& text) { print_error("glidepath data info", text); };
  set_own_choice(choice, arguments.own);
  DataInfo info;
  try {
    info = data_info(path.empty() ? arguments.name : "imagefolder:" + path, arguments.data_dir, choice,
                     arguments.statistics);
  } catch (const InputError& error) {
    throw InputError(with_flag(error.what()));
  }
  if (info.is_own) return print_own(info, arguments);
  const Statistics statistics = statistics_of(info, arguments);
  if (arguments.json) return print_json(info, statistics);
  print_text(info, statistics, arguments);
}

}  // namespace

void add_info(CLI::App& command) {
  auto* info =
      command.add_subcommand("info", "Sizes, classes and statistics; checks size and labels of every file");
  auto arguments = std::make_shared<InfoArguments>();
  takes_data(
      info->add_option(
          "name", arguments->name,
          "cifar10, cifar100, mnist, fashion-mnist, digits, imagefolder:PATH or FILE.gpk, tensors:PATH, "
          "tokens:PATH, segmentation:PATH"))
      ->required();
  takes_path(info->add_option("--data-dir", arguments->data_dir,
                              "folder of its files (default: $GLIDEPATH_DATA or the cache)"),
             "");
  add_choice_flags(*info, arguments->choice);
  add_config_options(*info, {"context", "ignored_label"}, arguments->own);
  info->add_flag("--statistics", arguments->statistics,
                 "measure mean and standard deviation of the training images");
  info->add_flag("--json", arguments->json, "print the result as one JSON object");
  info->callback([arguments] { run_info(*arguments); });
}

}  // namespace glidepath::cli
