// src/cli/measure.cpp - `glidepath measure`: what the weights of a run say.
#include "glidepath/measure.h"

#include <iostream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/commands.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/error.h"

namespace glidepath::cli {
namespace {

struct MeasureArguments {
  std::string path;
  MeasureOptions options;
  bool json = false;
};

nlohmann::ordered_json as_json(const Measurement& measured) {
  nlohmann::ordered_json json = {{"file", measured.file.string()}};
  if (measured.step >= 0) json["step"] = measured.step;
  if (measured.grad_norm >= 0) {
    json["grad_norm"] = measured.grad_norm;
    json["batch_norm"] = measured.statistics;
    json["train_loss_full"] = measured.train_loss;
  }
  if (measured.weight_norm >= 0) json["weight_norm"] = measured.weight_norm;
  for (const auto& [name, norm] : measured.weight_norms) json["weight_norms"][name] = norm;
  for (const auto& [name, norm] : measured.grad_norms) json["grad_norms"][name] = norm;
  return json;
}

std::string as_text(const Measurement& measured) {
  std::string text = terminal_text(measured.file.string());
  if (measured.step >= 0) text += fmt::format("  update {}", measured.step);
  if (measured.grad_norm >= 0)
    text += fmt::format("  grad norm {:.6g}  train loss {:.6g}  (batch norm: {})", measured.grad_norm,
                        measured.train_loss, measured.statistics);
  if (measured.weight_norm >= 0) text += fmt::format("  weight norm {:.6g}", measured.weight_norm);
  text += "\n";
  for (const auto& [name, norm] : measured.grad_norms)
    text += fmt::format("  grad norm {:<32} {:.6g}\n", terminal_text(name), norm);
  for (const auto& [name, norm] : measured.weight_norms)
    text += fmt::format("  {:<32} {:.6g}\n", terminal_text(name), norm);
  return text;
}

void measure_and_print(const MeasureArguments& arguments) {
  keep_freed_memory();
  for (const Measurement& measured : measure_run(arguments.path, arguments.options))
    std::cout << (arguments.json ? json_text(as_json(measured)) + "\n" : as_text(measured)) << std::flush;
}

// The library's messages begin with the option's name where a value is wrong.
void run_measure(const MeasureArguments& arguments) {
  try {
    measure_and_print(arguments);
  } catch (const InputError& error) {
    const std::string message = error.what();
    throw InputError(message.compare(0, 6, "what \"") == 0 ? "--" + message : message);
  }
}

}  // namespace

void add_measure_command(CLI::App& app, int&) {
  auto* command = app.add_subcommand("measure", "Measure the weights that a run has left");
  auto arguments = std::make_shared<MeasureArguments>();
  takes_path(command->add_option("run", arguments->path,
                                 "run directory, its folder checkpoint, or a file of weights in it"),
             "the --out of an earlier run")
      ->required();
  command
      ->add_option("--what", arguments->options.what,
                   "grad-norm, weight-norm, with options (docs/measures.md)")
      ->capture_default_str();
  takes_path(command->add_option("--data-dir", arguments->options.data_dir,
                                 "folder of the data set's files (default: the run's)"),
             "");
  command->add_option("--threads", arguments->options.threads, "CPU threads (default: the run's)")
      ->check(whole_number(1, 512));
  command->add_flag("--json", arguments->json, "print one JSON object a file");
  command->callback([arguments] { run_measure(*arguments); });
}

}  // namespace glidepath::cli
