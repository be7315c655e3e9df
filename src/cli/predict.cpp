// src/cli/predict.cpp - `glidepath predict`: what a run's model says of images.
#include "glidepath/predict.h"

#include <filesystem>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/terminal/message.h"
#include "cli/terminal/stop_signal.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "glidepath/train.h"

namespace glidepath::cli {
namespace {

struct PredictArguments {
  GivenValues values;
  std::string run;
  std::vector<std::string> images;
  std::int64_t top = 1, tokens = 200;
  double temperature = 0.8;
  std::string format = "text", masks;
};

// The train options that say how images are prepared, and where.
const std::vector<std::string> kKeys = {"device",          "threads",      "precision",
                                        "channels_last",   "eval_res",     "exif_orientation",
                                        "eval_batch_size", "test_augment", "seed"};

/// Names, one a line.
std::vector<std::string> names_on(std::istream& in) {
  std::vector<std::string> names;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.empty()) throw InputError("-: standard input names no image; give one a line");
  return names;
}

std::vector<std::string> images_given(const PredictArguments& arguments) {
  constexpr std::size_t kMostPath = 4096;
  std::error_code ignored;
  std::vector<std::string> images;
  for (const std::string& given : arguments.images) {
    // A text may be longer than a path can be.
    const bool is_folder = given.size() < kMostPath && std::filesystem::is_directory(given, ignored);
    const auto found = given == "-" ? names_on(std::cin)
                       : is_folder  ? images_at(given)
                                    : std::vector<std::string>{given};
    images.insert(images.end(), found.begin(), found.end());
  }
  return images;
}

/// A text and how it goes on, line by line: what would steer a terminal is shown.
std::string as_lines(const std::string& text) {
  std::string lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines += terminal_text(line) + "\n";
  return lines;
}

std::string as_text(const Prediction& prediction) {
  if (!prediction.text.empty()) return as_lines(prediction.image + prediction.text);
  if (!prediction.mask.empty())
    return fmt::format("{}  {}\n", terminal_text(prediction.image), terminal_text(prediction.mask));
  std::string line = terminal_text(prediction.image);
  for (const ClassProbability& one : prediction.classes)
    line += fmt::format("  {} {:.2f} %", terminal_text(one.name), 100 * one.probability);
  return line + "\n";
}

/// A row for each class.
std::string as_csv(const Prediction& prediction) {
  if (!prediction.text.empty() || !prediction.mask.empty()) {
    const std::string& other = prediction.text.empty() ? prediction.mask : prediction.text;
    return fmt::format("{},{}\n", csv_field(prediction.image), csv_field(other));
  }
  std::string rows;
  for (std::size_t i = 0; i < prediction.classes.size(); ++i) {
    const ClassProbability& one = prediction.classes[i];
    rows += fmt::format("{},{},{},{},{:.6f}\n", csv_field(prediction.image), i + 1, one.label,
                        csv_field(one.name), one.probability);
  }
  return rows;
}

/// An object a line.
std::string as_json(const Prediction& prediction) {
  nlohmann::ordered_json json = {{"image", as_utf8(prediction.image)}};
  if (!prediction.text.empty()) {
    json["text"] = as_utf8(prediction.text);
  } else if (!prediction.mask.empty()) {
    json["mask"] = as_utf8(prediction.mask);
  } else if (prediction.problem.empty()) {
    json["classes"] = nlohmann::ordered_json::array();
    for (const ClassProbability& one : prediction.classes) {
      json["classes"].push_back(
          {{"label", one.label}, {"name", as_utf8(one.name)}, {"probability", one.probability}});
    }
  } else {
    json["error"] = as_utf8(prediction.problem);
  }
  return json_text(json) + "\n";
}

void predict_and_print(const PredictArguments& arguments) {
  keep_freed_memory();
  PredictOptions options;
  options.top = arguments.top;
  options.changes = arguments.values;
  catch_stop_signals();
  options.stop_signal = stop_signal;
  const std::vector<std::string> images = images_given(arguments);
  std::size_t problems = 0;
  options.masks = arguments.masks;
  options.tokens = arguments.tokens;
  options.temperature = arguments.temperature;
  bool has_heading = arguments.format != "csv";
  predict(arguments.run, images, options, [&](const Prediction& prediction) {
    if (!prediction.problem.empty()) {
      ++problems;
      // What is wrong with the bytes does not name the file.
      const bool names_it = prediction.problem.find(prediction.image) != std::string::npos;
      print_error("glidepath predict: warning",
                  names_it ? prediction.problem : prediction.image + ": " + prediction.problem);
    }
    if (!has_heading && prediction.problem.empty()) {
      std::cout << (!prediction.text.empty()   ? "text,continuation\n"
                    : !prediction.mask.empty() ? "image,mask\n"
                                               : "image,rank,label,class,probability\n");
      has_heading = true;
    }
    if (arguments.format == "json") {
      std::cout << as_json(prediction);
    } else if (prediction.problem.empty()) {
      std::cout << (arguments.format == "csv" ? as_csv(prediction) : as_text(prediction));
    }
  });
  if (problems > 0) throw RunError(fmt::format("{} of {} images could not be read", problems, images.size()));
}

void run_predict(const PredictArguments& arguments) {
  try {
    predict_and_print(arguments);
  } catch (const InputError& error) {
    GivenValues given = arguments.values;
    given["masks"];  // a flag of this command alone
    throw InputError(with_flag(error.what(), given));
  }
}

}  // namespace

void add_predict_command(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("predict", "Say what is on images, or how texts go on, by the model of a run");
  auto arguments = std::make_shared<PredictArguments>();
  takes_path(command->add_option("run", arguments->run, "run directory, or a file of weights in it"),
             "the --out of an earlier run")
      ->required();
  command
      ->add_option("images", arguments->images,
                   "image files, folders of them, or - for names on standard input, one a line; of runs on "
                   "text the texts to go on with")
      ->required()
      ->type_name("IMAGE|FOLDER|-");
  command->add_option("--top", arguments->top, "classes of each image, the most probable first")
      ->check(whole_number(1, 1'000'000))
      ->type_name("[1]");
  command->add_option("--format", arguments->format, "text, csv (a row a class) or json (an object a line)")
      ->check(one_of({"text", "csv", "json"}))
      ->type_name("[text]");
  takes_new_path(
      command->add_option("--masks", arguments->masks,
                          "runs on images with masks: the folder that masks are written to, as PNG"),
      "a folder, for example masks");
  command->add_option("--tokens", arguments->tokens, "runs on text: how many characters each text goes on")
      ->check(whole_number(0, 1'000'000))
      ->type_name("[200]");
  command
      ->add_option("--temperature", arguments->temperature,
                   "likewise: below 1 the probable ones are drawn more often, 0: always the most probable")
      ->check(number_between(0, 100))
      ->type_name("[0.8]");
  add_config_options(*command, kKeys, arguments->values, "the run's");
  command->callback([arguments] { run_predict(*arguments); });
}

}  // namespace glidepath::cli
