// src/cli/evaluate.cpp - `glidepath evaluate`: tests weights from anywhere.
#include "glidepath/evaluate.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/metric_text.h"
#include "cli/terminal/message.h"
#include "cli/terminal/stop_signal.h"
#include "core/safe_text.h"
#include "files/atomic_file.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "glidepath/train.h"

namespace glidepath::cli {
namespace {

struct EvaluateArguments {
  GivenValues values;
  std::string run, weights, confusion;
  bool json = false;
};

constexpr std::size_t kAllClasses = 20;    // are listed where there are no more
constexpr std::size_t kWorstClasses = 10;  // where there are

// The train options that say what is tested, and where.
const std::vector<std::string> kKeys = {
    "split",     "test_on",       "data_wait", "data",     "data_dir",         "test_limit",
    "model",     "width",         "stem",      "eval_res", "exif_orientation", "max_corrupt",
    "precision", "channels_last", "device",    "threads",  "workers",          "eval_batch_size",
    "context",   "ignored_label", "task"};

nlohmann::ordered_json as_json(const EvaluationResult& result) {
  nlohmann::ordered_json json = {
      {"file", result.file.string()}, {"accuracy", result.accuracy}, {"loss", result.loss}};
  for (const ToldMetric& metric : result.metrics) json[metric.name] = metric.value;
  json.update(nlohmann::ordered_json{{"images", result.images},
                                     {"corrupt_images", result.corrupt_images},
                                     {"tested_on", result.tested_on},
                                     {"seconds", result.seconds}});
  if (result.step >= 0) json["step"] = result.step;
  auto classes = nlohmann::ordered_json::array();
  for (const ClassResult& one : result.classes)
    classes.push_back({{"name", one.name}, {"images", one.images}, {"correct", one.correct}});
  json["classes"] = std::move(classes);
  json["confusion"] = result.confusion;
  return json;
}

std::string class_line(const EvaluationResult& result, const ClassResult& one, std::size_t width) {
  const double share =
      one.images == 0 ? 0 : static_cast<double>(one.correct) / static_cast<double>(one.images);
  const std::string mistaken =
      one.taken_for < 0
          ? ""
          : fmt::format("{} ({})",
                        terminal_text(result.classes[static_cast<std::size_t>(one.taken_for)].name),
                        one.mistaken);
  return fmt::format("{:<{}}  {:>6}  {:>8}  {}\n", one.name, width, one.images,
                     one.images == 0 ? "-" : fmt::format("{:.2f} %", 100 * share), mistaken);
}

/// All classes, or the worst of many.
std::string class_table(const EvaluationResult& result) {
  std::vector<ClassResult> classes;
  std::copy_if(
      result.classes.begin(), result.classes.end(), std::back_inserter(classes),
      [&](const ClassResult& one) { return one.images > 0 || result.classes.size() <= kAllClasses; });
  for (ClassResult& one : classes) one.name = terminal_text(one.name);
  const bool is_cut = classes.size() > kAllClasses;
  if (is_cut) {
    std::stable_sort(classes.begin(), classes.end(), [](const ClassResult& a, const ClassResult& b) {
      return a.correct * b.images < b.correct * a.images;
    });
    classes.resize(kWorstClasses);
  }
  std::size_t width = 5;
  for (const ClassResult& one : classes) width = std::max(width, one.name.size());
  std::string text = fmt::format("\n{:<{}}  images  accuracy  mostly taken for\n", "class", width);
  for (const ClassResult& one : classes) text += class_line(result, one, width);
  if (is_cut) {
    text += fmt::format("the {} worst of {} classes; --json and --confusion FILE.csv have all\n",
                        kWorstClasses, result.classes.size());
  }
  return text;
}

std::string as_text(const EvaluationResult& result) {
  std::string text;
  for (const ToldMetric& metric : result.metrics) text += metric_text(metric) + "  ";
  if (!std::isnan(result.accuracy)) text += fmt::format("accuracy {:.2f} %  ", 100 * result.accuracy);
  text += fmt::format("loss {:.4f}  {} images", result.loss, result.images);
  if (!result.tested_on.empty()) text += " of " + terminal_text(result.tested_on);
  if (result.corrupt_images > 0)
    text += fmt::format(", {} left out that could not be decoded", result.corrupt_images);
  if (result.step >= 0) text += fmt::format(", after update {}", result.step);
  return text + "\n";
}

std::string confusion_csv(const EvaluationResult& result) {
  std::string text = "class";
  for (const ClassResult& one : result.classes) text += "," + csv_field(one.name);
  text += "\n";
  for (std::size_t i = 0; i < result.classes.size(); ++i)
    text += fmt::format("{},{}\n", csv_field(result.classes[i].name), fmt::join(result.confusion[i], ","));
  return text;
}

std::vector<EvaluationResult> evaluate_what_was_given(const EvaluateArguments& arguments,
                                                      const EvaluateOptions& options) {
  if (arguments.run.empty() && arguments.weights.empty()) {
    throw InputError(
        "a run or --weights is missing; give the --out of an earlier run, or --weights FILE.safetensors");
  }
  if (!arguments.run.empty()) return evaluate_run(arguments.run, arguments.values, options);
  TrainConfig config;
  config.batch_size = 1;  // no training split is too small
  for (const auto& [key, text] : arguments.values) set_config_value(config, key, text);
  return {evaluate_weights(config, arguments.weights, options)};
}

void evaluate_and_print(const EvaluateArguments& arguments) {
  keep_freed_memory();
  EvaluateOptions options;
  options.on_warning = [](const std::string& text) { print_error("glidepath evaluate: warning", text); };
  if (!arguments.json)
    options.on_note = [](const std::string& text) { std::cerr << terminal_text(text) << "\n"; };
  catch_stop_signals();
  options.stop_signal = stop_signal;
  const std::vector<EvaluationResult> results = evaluate_what_was_given(arguments, options);
  for (const EvaluationResult& result : results) {
    std::cout << (arguments.json ? json_text(as_json(result)) + "\n" : as_text(result));
  }
  if (!arguments.json && results.size() == 1 && !results.back().classes.empty())
    std::cout << class_table(results.back());
  if (!arguments.confusion.empty() && results.back().classes.empty())
    throw InputError(
        fmt::format("confusion \"{}\": is of classes, and this is no classification", arguments.confusion));
  if (!arguments.confusion.empty()) write_file(arguments.confusion, confusion_csv(results.back()));
}

void run_evaluate(const EvaluateArguments& arguments) {
  try {
    evaluate_and_print(arguments);
  } catch (const InputError& error) {
    throw InputError(with_flag(error.what(), arguments.values));
  }
}

}  // namespace

void add_evaluate_command(CLI::App& app, int&) {
  auto* command = app.add_subcommand("evaluate", "Test a run, or weights from elsewhere, on a test split");
  auto arguments = std::make_shared<EvaluateArguments>();
  auto* run = command->add_option(
      "run", arguments->run,
      "run directory, its folder checkpoint, or a file of weights in it: tested as the run "
      "was");
  takes_path(run, "the --out of an earlier run");
  takes_path(command->add_option("--weights", arguments->weights,
                                 "in place of a run: safetensors file with torchvision's names"),
             "a file, for example resnet18.safetensors")
      ->excludes(run);
  takes_new_path(
      command->add_option("--confusion", arguments->confusion,
                          "CSV file to write: images by class (row) and what they were taken for (column)"),
      "a file, for example confusion.csv");
  add_config_options(*command, kKeys, arguments->values);
  command->add_flag("--json", arguments->json, "print the result as one JSON object");
  command->callback([arguments] { run_evaluate(*arguments); });
}

}  // namespace glidepath::cli
