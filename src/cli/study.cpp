// src/cli/study.cpp - `glidepath study`: runs what is left of a grid, shows how far it is, prints the table.
// On a cluster it submits what is left (cluster.cpp).
#include "glidepath/study.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/checks.h"
#include "cli/cluster.h"
#include "cli/commands.h"
#include "cli/study_run.h"
#include "cli/terminal/message.h"
#include "cli/terminal/progress_line.h"
#include "config/own_programs.h"
#include "core/data_names.h"
#include "core/safe_text.h"
#include "glidepath/cluster.h"
#include "glidepath/dataset.h"
#include "glidepath/error.h"
#include "glidepath/model_options.h"
#include "glidepath/table.h"
#include "study/results/run_words.h"

namespace fs = std::filesystem;

namespace glidepath::cli {
namespace {

struct StudyArguments {
  std::string file, out, profile, rows, columns, score;
  std::string executor = "local";
  std::vector<std::string> set;
  std::int64_t jobs = 0;
  bool retry_failed = false, resume = false, quiet = false, json = false, dry_run = false;
};

PlanChanges read_changes(const StudyArguments& arguments) {
  PlanChanges changes;
  changes.profile = arguments.profile;
  for (const std::string& text : arguments.set) changes.set.push_back(parse_setting(text));
  return changes;
}

/// A wrong name would fail every run; better said before the first.
void check_name(const char* key, const std::string& name, const std::vector<std::string>& known,
                const std::string& file) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  throw InputError(fmt::format("{}: {} \"{}\": must be one of {}", file, key, name, fmt::join(known, ", ")));
}

void check_model(const TrainConfig& run, const std::string& file) {
  const auto own = model_file(run.model);
  if (!own) return check_name("model", run.model, model_names(), file);
  if (run.model_sha256.empty())
    throw InputError(
        fmt::format("{}: model \"{}\": no such file, or none that can be read", file, run.model));
}

void check_names(const StudyPlan& plan, const std::string& file) {
  for (const TrainConfig& run : plan.runs) {
    check_model(run, file);
    // What images there are at a path is looked at by check_data().
    if (data_prefix(run.data).empty()) check_name("data", run.data, dataset_names(), file);
  }
}

void print_plan(const StudyPlan& plan) {
  for (const TrainConfig& run : plan.runs) {
    std::cout << fmt::format("{}  {}\n", run_id(run), terminal_text(run_label(run, plan.axes)));
  }
}

void print_results(const StudyResults& results, const StudyArguments& arguments) {
  const TableOptions options{arguments.rows, arguments.columns, arguments.score, {}};
  write_tables(arguments.out, results, options);
  if (arguments.json) {
    std::cout << results_json(results, options);
  } else if (!arguments.quiet) {
    if (!results.title.empty()) std::cout << terminal_text(results.title) << "\n\n";
    std::cout << render_terminal(make_tables(results, options), wants_colour(STDOUT_FILENO));
    if (!make_running_tables(results, options).empty())
      std::cout
          << "with batch norm's running statistics in place of fresh ones: --score test_accuracy_running\n";
  }
  std::cout.flush();
}

StudyOptions make_options(const StudyArguments& arguments) {
  StudyOptions options;
  options.out = arguments.out;
  options.jobs = arguments.jobs;
  options.retry_failed = arguments.retry_failed;
  return options;
}

/// --rows and --columns, before hours of training rather than after.
void check_table_axes(const StudyPlan& plan, const StudyArguments& arguments) {
  StudyResults none;
  none.axes = plan.axes;
  none.values = plan.values;
  make_tables(none, {arguments.rows, arguments.columns, arguments.score, {}});
}

void check_executor(const StudyArguments& arguments, const SlurmArguments& slurm) {
  if (arguments.executor == "local" && !slurm.values.empty()) {
    throw InputError(
        fmt::format("{}: needs --executor slurm as well", flag_name(slurm.values.front().first)));
  }
  if (arguments.executor == "slurm" && arguments.jobs != 0)
    throw InputError("--jobs: is of the local executor; with --executor slurm give --array-limit");
}

void run_study_command(const StudyArguments& arguments, const SlurmArguments& slurm) {
  if (arguments.file.empty()) throw InputError("file is missing; see glidepath study --help");
  check_executor(arguments, slurm);
  StudyPlan plan = read_study_plan(arguments.file, read_changes(arguments));
  plan.table.rows = arguments.rows;
  plan.table.columns = arguments.columns;
  plan.table.score = arguments.score;
  check_names(plan, arguments.file);
  const bool is_local = arguments.executor == "local";
  if (arguments.dry_run && is_local) return print_plan(plan);
  if (arguments.out.empty())
    throw InputError("--out: missing; give a folder for the results, for example --out out");
  if (arguments.resume && is_local) read_study_results(arguments.out);  // refuses a folder without a study
  if (arguments.resume && !is_local) cluster_status(arguments.out);     // likewise
  check_table_axes(plan, arguments);
  check_data(plan);
  if (!is_local) {
    return submit_and_print(
        plan, slurm,
        {arguments.out, arguments.retry_failed, arguments.dry_run, arguments.quiet, arguments.json});
  }
  refuse_cluster_study(arguments.out);

  try {
    const StudyResults results = run_with_progress(plan, make_options(arguments), arguments.quiet);
    print_results(results, arguments);
    refuse_failures(results, "--retry-failed runs them again");
  } catch (const Interrupted&) {
    print_results(read_study_results(arguments.out), arguments);
    throw;
  }
}

}  // namespace

void add_study_command(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("study", "Run a grid of runs and print its table; go on where it stopped");
  auto arguments = std::make_shared<StudyArguments>();
  takes_path(command->add_option("file", arguments->file, "study file in TOML (docs/studies.md)"),
             "a study file, for example study.toml");
  takes_new_path(
      command->add_option("--out", arguments->out, "folder for the store, the runs and the tables"),
      "a folder, for example out/a");
  command->add_option("--jobs", arguments->jobs, "runs side by side; 0: as many as the cores hold")
      ->check(whole_number(0, 4096));
  command->add_option("--profile", arguments->profile, "[profile.NAME] of the file to apply");
  command->add_option("--set", arguments->set, "key=value: a train option for every run; key=[a, b]: an axis")
      ->allow_extra_args(false);
  command->add_flag("--retry-failed", arguments->retry_failed, "run the failed runs again");
  command->add_flag("--resume", arguments->resume, "refuse to start a new study (going on is the default)");
  command->add_option("--rows", arguments->rows, "axis for the table's rows (default: schedule)");
  command->add_option("--columns", arguments->columns, "axis for the table's columns (default: budget)");
  command->add_option(
      "--score", arguments->score,
      "what the table's cells are: val_accuracy, test_accuracy_running, ... (default: test_accuracy)");
  command->add_flag("--dry-run", arguments->dry_run, "print the runs in their order and stop");
  command->add_flag("--quiet", arguments->quiet, "print errors only");
  command->add_flag("--json", arguments->json, "print runs and tables as one JSON document");
  command
      ->add_option("--executor", arguments->executor,
                   "who does the runs: this machine (local) or a cluster (slurm)")
      ->capture_default_str()
      ->check(one_of({"local", "slurm"}));
  auto slurm = std::make_shared<SlurmArguments>();
  add_slurm_options(*command, slurm);
  add_cluster_commands(*command);
  command->callback([command, arguments, slurm] {
    if (command->get_subcommands().empty()) run_study_command(*arguments, *slurm);
  });
}

}  // namespace glidepath::cli
