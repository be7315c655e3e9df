// src/cli/export.cpp - `glidepath export`: a run's model for other programs.
#include "glidepath/export.h"

#include <iostream>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/terminal/message.h"
#include "core/safe_text.h"
#include "glidepath/error.h"

namespace glidepath::cli {
namespace {

struct ExportArguments {
  std::string run, out;
  ExportOptions options;
};

void run_export(ExportArguments& arguments, bool has_opset) {
  if (has_opset && arguments.options.format != "onnx") {
    throw InputError(fmt::format("--opset \"{}\": --format {} has no operators of ONNX; give --format onnx",
                                 arguments.options.opset, arguments.options.format));
  }
  arguments.options.out = arguments.out;
  const ExportResult result = export_run(arguments.run, arguments.options);
  for (const std::string& note : result.notes) print_error("glidepath export: note", note);
  std::cout << fmt::format("{}: {}, {} bytes", terminal_text(result.file.string()), arguments.options.format,
                           result.bytes);
  if (result.step >= 0) std::cout << fmt::format(", of the checkpoint of update {}", result.step);
  if (!result.operators.empty())
    std::cout << fmt::format("; opset {}: {}", arguments.options.opset, fmt::join(result.operators, ", "));
  std::cout << "\n";
}

}  // namespace

void add_export_command(CLI::App& app, int&) {
  auto* command = app.add_subcommand("export", "Write a run's model for other programs");
  auto arguments = std::make_shared<ExportArguments>();
  takes_path(command->add_option("run", arguments->run, "run directory, or a file of weights in it"),
             "the --out of an earlier run")
      ->required();
  command->add_option("--format", arguments->options.format, "safetensors (weights), torchscript or onnx")
      ->check(one_of({"safetensors", "torchscript", "onnx"}))
      ->type_name("[safetensors]");
  takes_new_path(command->add_option("--out", arguments->out, "a new file"),
                 "a new file, for example model.onnx")
      ->type_name("[RUN/export.*]");
  auto* opset = command->add_option("--opset", arguments->options.opset, "version of ONNX's operators")
                    ->check(whole_number(kOldestOpset, kNewestOpset))
                    ->type_name("[17]");
  command->callback([arguments, opset] { run_export(*arguments, opset->count() > 0); });
}

}  // namespace glidepath::cli
