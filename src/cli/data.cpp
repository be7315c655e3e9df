// src/cli/data.cpp - `glidepath data`: what a data set holds and whether its files are whole.
#include <iostream>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.h"
#include "glidepath/dataset.h"
#include "glidepath/error.h"

namespace glidepath::cli {
namespace {

struct DataArguments {
  std::string name, data_dir;
};

void print_info(const DataArguments& arguments) {
  const Dataset dataset = load_dataset(arguments.name, arguments.data_dir);
  const auto& images = dataset.train.images;
  std::cout << fmt::format(
      "{}: {} training and {} test images of {}x{}x{}, {} classes\nmean {:.4f}, standard deviation {:.4f} by "
      "channel, on "
      "the [0, 1] scale\n",
      dataset.name, dataset.train.labels.size(0), dataset.test.labels.size(0), images.size(1), images.size(2),
      images.size(3), dataset.classes, fmt::join(dataset.mean, " "), fmt::join(dataset.stddev, " "));
  if (!dataset.class_names.empty()) std::cout << fmt::format("{}\n", fmt::join(dataset.class_names, ", "));
}

}  // namespace

void add_data_command(CLI::App& app, int&) {
  auto* command = app.add_subcommand("data", "What a data set holds, and whether its files are whole");
  command->require_subcommand(1);
  auto* info =
      command->add_subcommand("info", "Sizes, classes and statistics; checks size and labels of every file");
  auto arguments = std::make_shared<DataArguments>();
  info->add_option("name", arguments->name, "cifar10, cifar100, mnist, fashion-mnist, digits")->required();
  info->add_option("--data-dir", arguments->data_dir,
                   "folder of its files (default: $GLIDEPATH_DATA or the cache)");
  info->callback([arguments] { print_info(*arguments); });
}

}  // namespace glidepath::cli
