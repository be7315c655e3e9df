// src/cli/predict.cpp - `glidepath predict`: what a run's model says of images.
#include "glidepath/predict.h"

#include <iostream>
#include <memory>
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
  std::int64_t top = 1;
  std::string format = "text";
};

// The train options that say how images are prepared, and where.
const std::vector<std::string> kKeys = {"device",   "threads",          "precision",       "channels_last",
                                        "eval_res", "exif_orientation", "eval_batch_size", "test_augment"};

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
  std::vector<std::string> images;
  for (const std::string& given : arguments.images) {
    const auto found = given == "-" ? names_on(std::cin) : images_at(given);
    images.insert(images.end(), found.begin(), found.end());
  }
  return images;
}

std::string as_text(const Prediction& prediction) {
  std::string line = terminal_text(prediction.image);
  for (const ClassProbability& one : prediction.classes)
    line += fmt::format("  {} {:.2f} %", terminal_text(one.name), 100 * one.probability);
  return line + "\n";
}

/// A row for each class.
std::string as_csv(const Prediction& prediction) {
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
  if (prediction.problem.empty()) {
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
  if (arguments.format == "csv") std::cout << "image,rank,label,class,probability\n";
  predict(arguments.run, images, options, [&](const Prediction& prediction) {
    if (!prediction.problem.empty()) {
      ++problems;
      // What is wrong with the bytes does not name the file.
      const bool names_it = prediction.problem.find(prediction.image) != std::string::npos;
      print_error("glidepath predict: warning",
                  names_it ? prediction.problem : prediction.image + ": " + prediction.problem);
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
    throw InputError(with_flag(error.what(), arguments.values));
  }
}

}  // namespace

void add_predict_command(CLI::App& app, int&) {
  auto* command = app.add_subcommand("predict", "Say what is on images, by the model of a run");
  auto arguments = std::make_shared<PredictArguments>();
  takes_path(command->add_option("run", arguments->run, "run directory, or a file of weights in it"),
             "the --out of an earlier run")
      ->required();
  command
      ->add_option("images", arguments->images,
                   "image files, folders of them, or - for names on standard input, one a line")
      ->required()
      ->type_name("IMAGE|FOLDER|-");
  command->add_option("--top", arguments->top, "classes of each image, the most probable first")
      ->check(whole_number(1, 1'000'000))
      ->type_name("[1]");
  command->add_option("--format", arguments->format, "text, csv (a row a class) or json (an object a line)")
      ->check(one_of({"text", "csv", "json"}))
      ->type_name("[text]");
  add_config_options(*command, kKeys, arguments->values, "the run's");
  command->callback([arguments] { run_predict(*arguments); });
}

}  // namespace glidepath::cli
