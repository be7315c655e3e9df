// src/cli/import.cpp - `glidepath import`: results that exist already become a study.
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "cli/checks.h"
#include "cli/commands.h"
#include "core/safe_text.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "study/store/import_results.h"

namespace glidepath::cli {
namespace {

struct ImportArguments {
  std::vector<std::string> files, keys, set;
  std::string out;
  ImportOptions options;
};

/// Columns may have = in their names, options have none; values may have some.
std::pair<std::string, std::string> parts_of(const char* flag, const std::string& text, bool is_last,
                                             const char* example) {
  const auto equals = is_last ? text.rfind('=') : text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw InputError(fmt::format("{} \"{}\": must be {}", flag, text, example));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void run_import(ImportArguments& arguments) {
  ImportOptions& options = arguments.options;
  for (const std::string& text : arguments.keys)
    options.keys.insert(parts_of("--key", text, true, "COLUMN=KEY, as net=model"));
  for (const std::string& text : arguments.set)
    options.set.push_back(parts_of("--set", text, false, "key=value, as data=cifar10"));
  std::vector<std::pair<std::string, std::string>> files;
  for (const std::string& file : arguments.files) {
    const auto text = try_read_given_file(file);
    if (!text) throw InputError(fmt::format("{}: cannot be read; give CSV, a run a row", file));
    files.emplace_back(file, *text);
  }
  const ImportedResults imported = read_results_of_others(files, options);
  write_imported(arguments.out, imported);
  for (const std::string& note : imported.notes) std::cout << terminal_text(note) << "\n";
  std::cout << fmt::format("{} runs; now: glidepath report {}\n", imported.runs.size(),
                           terminal_text(arguments.out));
}

}  // namespace

void add_import_command(CLI::App& app, int&) {
  auto* command = app.add_subcommand(
      "import", "Make a study of results that exist already, for reports, plans and ranks");
  auto arguments = std::make_shared<ImportArguments>();
  ImportOptions& options = arguments->options;
  takes_path(
      command->add_option("files", arguments->files,
                          "CSV, a run a row: axes, budget, seed, score; or TensorBoard's, a file a run"),
      "a file, for example runs.csv")
      ->required();
  takes_new_path(command->add_option("--out", arguments->out, "folder that becomes the study"),
                 "a folder, for example out/mine")
      ->required();
  command->add_option("--score", options.score, "column of scores: accuracy");
  command->add_flag("--loss", options.is_loss, "scores are losses: lower is better");
  command->add_option("--unit", options.unit, "what budgets that are plain numbers count")
      ->check(one_of({"ep", "it", "%", "s"}));
  command
      ->add_option("--key", arguments->keys, "COLUMN=KEY: the option of glidepath train that a column is of")
      ->allow_extra_args(false);
  command->add_option("--ignore", options.ignored, "columns that say nothing of how runs were trained")
      ->delimiter(',');
  command->add_option("--set", arguments->set, "key=value: an option that all runs have, as data=cifar10")
      ->allow_extra_args(false);
  command->callback([arguments] { run_import(*arguments); });
}

}  // namespace glidepath::cli
