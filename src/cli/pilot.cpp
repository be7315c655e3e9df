// src/cli/pilot.cpp - `glidepath pilot`: the cheapest runs that a plan can be made of, and the plan.
#include "study/plan/pilot.h"

#include <cstdio>
#include <iostream>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/checks.h"
#include "cli/cluster.h"
#include "cli/commands.h"
#include "cli/plan.h"
#include "cli/study_run.h"
#include "core/blame.h"
#include "core/safe_text.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "glidepath/train_config.h"

namespace glidepath::cli {
namespace {

struct PilotArguments {
  std::string file, out;
  std::vector<std::string> set;
  PilotOptions options;
  std::int64_t jobs = 0;
  bool retry_failed = false, quiet = false, json = false;
};

TrainConfig wanted_run(const PilotArguments& arguments, const std::string& text_of_file) {
  TrainConfig wanted = parse_train_config(text_of_file, arguments.file);
  for (const std::string& text : arguments.set) {
    const auto [key, value] = parse_setting(text);
    blame("--set", [&, key = key, value = value] { set_config_value(wanted, key, value); });
  }
  return wanted;
}

/// "3 runs of 25%, annealed at 1.5625%, 3.125%, ...".
std::string told(const Pilot& pilot) {
  const std::size_t runs = pilot.plan.runs.size();
  const std::string points = fmt::format("{:.4g}%", fmt::join(pilot.budgets, "%, "));
  return pilot.options.is_separate
             ? fmt::format("{} runs: {} of {}", runs, points, pilot.base.full)
             : fmt::format("{} run{} of {} of {}, annealed at {}", runs, runs == 1 ? "" : "s",
                           pilot.plan.runs.front().budget, pilot.base.full, points);
}

void run_pilot(const PilotArguments& arguments) {
  const auto text = try_read_given_file(arguments.file);
  if (!text)
    throw InputError(fmt::format(
        "{}: cannot be read; give train options in TOML, as --config of glidepath train", arguments.file));
  const Pilot pilot = plan_pilot(wanted_run(arguments, *text), arguments.options, *text);
  if (arguments.out.empty())
    throw InputError("--out: missing; give a folder for the runs, for example --out out/pilot");
  check_data(pilot.plan);
  refuse_cluster_study(arguments.out);
  check_pilot_folder(arguments.out, arguments.options);
  if (!arguments.quiet) std::fprintf(stderr, "%s\n", terminal_text(told(pilot)).c_str());
  StudyOptions options;
  options.out = pilot_runs(arguments.out, arguments.options);
  options.jobs = arguments.jobs;
  options.retry_failed = arguments.retry_failed;
  const StudyResults results = run_with_progress(pilot.plan, options, arguments.quiet);
  refuse_failures(results, "--retry-failed runs them again");
  if (!arguments.options.is_separate && collect_cycles(arguments.out, pilot) == 0)
    throw RunError("every run diverged, so there is nothing to plan by; a lower base_lr may help");
  try {
    print_plan_of_study(arguments.out, arguments.json);
  } catch (const InputError& error) {
    throw RunError(fmt::format("the runs are there, but allow no plan: {}", error.what()));
  }
  if (!arguments.json && !arguments.quiet)
    std::cout << fmt::format("more of it: glidepath plan {} --target 70% --price 2.10/h\n",
                             terminal_text(arguments.out));
}

}  // namespace

void add_pilot_command(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("pilot", "Run the little that a plan can be made of, and print the plan");
  auto arguments = std::make_shared<PilotArguments>();
  PilotOptions& options = arguments->options;
  takes_path(
      command->add_option("file", arguments->file, "train options in TOML: the run that is to be planned"),
      "a file with train options, for example run.toml")
      ->required();
  takes_new_path(command->add_option("--out", arguments->out, "folder for the runs; glidepath plan reads it"),
                 "a folder, for example out/pilot");
  command
      ->add_option("--spend", options.spend,
                   "of each seed: a share of the run's budget, or an amount of its unit")
      ->capture_default_str();
  command->add_option("--seeds", options.seeds, "seeds: the run's own and those that follow")
      ->capture_default_str()
      ->check(whole_number(1, 1000));
  command->add_option("--points", options.points, "budgets to tell of, each twice the one before")
      ->capture_default_str()
      ->check(whole_number(3, 8));
  command->add_flag("--separate", options.is_separate,
                    "a run for each budget in place of one of annealed cycles: half as far for the same");
  command->add_option("--set", arguments->set, "key=value: a train option in place of the file's")
      ->allow_extra_args(false);
  command->add_option("--jobs", arguments->jobs, "runs side by side; 0: as many as the cores hold")
      ->check(whole_number(0, 4096));
  command->add_flag("--retry-failed", arguments->retry_failed, "run the failed runs again");
  command->add_flag("--quiet", arguments->quiet, "say nothing of the runs");
  command->add_flag("--json", arguments->json, "print the plan as one JSON object");
  command->callback([arguments] { run_pilot(*arguments); });
}

}  // namespace glidepath::cli
