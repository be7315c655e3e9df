// src/cli/evaluate.cpp - `glidepath evaluate`: tests weights from anywhere.
#include "glidepath/evaluate.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/stop_signal.h"
#include "glidepath/error.h"
#include "glidepath/train.h"

namespace glidepath::cli {
namespace {

struct EvaluateArguments {
  std::map<std::string, std::string> values;  // config key -> text given
  std::string weights;
  bool json = false;
};

// The train options that say what is tested, and where.
const char* const kKeys[] = {"data",        "data_dir",  "test_limit",     "model",
                             "width",       "stem",      "eval_res",       "exif_orientation",
                             "max_corrupt", "precision", "channels_last",  "device",
                             "threads",     "workers",   "eval_batch_size"};

std::string flag_name(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

void evaluate_and_print(const EvaluateArguments& arguments) {
  keep_freed_memory();
  TrainConfig config;
  config.batch_size = 1;  // no training split is too small
  for (const auto& [key, text] : arguments.values) set_config_value(config, key, text);
  EvaluateOptions options;
  options.weights = arguments.weights;
  options.on_warning = [](const std::string& text) { print_error("glidepath evaluate: warning", text); };
  catch_stop_signals();
  options.stop_signal = stop_signal;
  const EvaluationResult result = evaluate_weights(config, options);
  if (arguments.json) {
    const nlohmann::ordered_json json = {{"accuracy", result.accuracy},
                                         {"loss", result.loss},
                                         {"images", result.images},
                                         {"corrupt_images", result.corrupt_images},
                                         {"seconds", result.seconds}};
    std::cout << json.dump() << "\n";
    return;
  }
  std::cout << fmt::format("accuracy {:.2f} %  loss {:.4f}  {} images", 100 * result.accuracy, result.loss,
                           result.images);
  if (result.corrupt_images > 0)
    std::cout << fmt::format(", {} left out that could not be decoded", result.corrupt_images);
  std::cout << "\n";
}

// The library's messages begin with the key whose value is wrong: here it was given as a flag.
void run_evaluate(const EvaluateArguments& arguments) {
  try {
    evaluate_and_print(arguments);
  } catch (const InputError& error) {
    const std::string message = error.what();
    const std::string key = message.substr(0, message.find(' '));
    if (arguments.values.count(key) == 0) throw;
    throw InputError(flag_name(key) + message.substr(key.size()));
  }
}

}  // namespace

void add_evaluate_command(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("evaluate", "Test weights, torchvision's too, on a data set's test split");
  auto arguments = std::make_shared<EvaluateArguments>();
  command->add_option("--weights", arguments->weights, "safetensors file with torchvision's names")
      ->required()
      ->check(not_empty("a file, for example resnet18.safetensors"));
  for (const ConfigKey& key : train_config_keys()) {
    if (std::find(std::begin(kKeys), std::end(kKeys), key.name) == std::end(kKeys)) continue;
    auto* option = command->add_option_function<std::string>(
        flag_name(key.name),
        [arguments, name = key.name](const std::string& text) { arguments->values[name] = text; }, key.help);
    option->type_name(key.default_text.empty() ? "TEXT" : fmt::format("[{}]", key.default_text));
  }
  command->add_flag("--json", arguments->json, "print the result as one JSON object");
  command->callback([arguments] { run_evaluate(*arguments); });
}

}  // namespace glidepath::cli
