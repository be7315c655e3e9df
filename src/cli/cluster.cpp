// src/cli/cluster.cpp - `glidepath study` on a cluster: its flags, the submission, status, cancel and
// collect.
#include "cli/cluster.h"

#include <algorithm>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/terminal/message.h"
#include "cli/terminal/progress_line.h"
#include "cli/terminal/stop_signal.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/cluster.h"
#include "glidepath/error.h"
#include "study/results/run_words.h"
#include "watch/snapshot.h"

namespace glidepath::cli {
namespace {

constexpr const char* kStudyExample = "the --out of glidepath study";

SlurmSettings with_flags(SlurmSettings settings, const SlurmArguments& arguments) {
  for (const auto& [key, text] : arguments.values) {
    try {
      set_slurm_value(settings, key, text);
    } catch (const InputError& error) {
      throw InputError(flag_name(key) + std::string(error.what()).substr(key.size()));
    }
  }
  return settings;
}

nlohmann::ordered_json as_json(const Submission& submission) {
  nlohmann::ordered_json arrays = nlohmann::ordered_json::array();
  for (const SubmittedArray& array : submission.arrays) {
    arrays.push_back({{"job_id", array.job_id},
                      {"tasks", array.tasks},
                      {"script", (array.folder / "job.sbatch").string()}});
  }
  return {{"runs", submission.runs},
          {"ended", submission.ended},
          {"in_queue", submission.in_queue},
          {"submitted", submission.submitted},
          {"arrays", arrays}};
}

void print_submission(const Submission& submission, const SubmitArguments& arguments) {
  for (const SubmittedArray& array : submission.arrays) {
    const std::string script = terminal_text((array.folder / "job.sbatch").string());
    std::cout << (arguments.dry_run
                      ? fmt::format("{}: {} tasks, not submitted\n", script, array.tasks)
                      : fmt::format("job array {}: {} tasks, {}\n", array.job_id, array.tasks, script));
  }
  std::cout << fmt::format(
      "{} of {} runs {}; {} ended before, {} in the queue before\n", submission.submitted, submission.runs,
      arguments.dry_run ? "would be submitted" : "submitted", submission.ended, submission.in_queue);
  if (arguments.dry_run) return;
  std::cout << fmt::format("next: glidepath study status {0}; glidepath study collect {0}\n",
                           shell_word(arguments.out));
}

std::string task_line(const TaskStatus& task, const std::vector<std::string>& axes) {
  std::string line = fmt::format("{:<9}  {:>4.0f} %  {:<12}  {}", to_string(task.state), 100 * task.progress,
                                 task.job.empty() ? "-" : task.job, run_label(task.config, axes));
  if (!task.reason.empty()) line += ": " + task.reason;
  return terminal_text(line);
}

void print_status(const ClusterStatus& status, bool all) {
  std::string counts;
  for (const TaskState state : {TaskState::kDone, TaskState::kDiverged, TaskState::kFailed,
                                TaskState::kRunning, TaskState::kPreempted, TaskState::kQueued,
                                TaskState::kCancelled, TaskState::kLost, TaskState::kMissing}) {
    if (status.count(state) == 0 && state != TaskState::kDone) continue;
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", status.count(state), to_string(state));
  }
  std::cout << fmt::format("{}: {} runs: {}\n", terminal_text(status.name), status.tasks.size(), counts);
  for (const TaskStatus& task : status.tasks) {
    const bool is_plain = task.state == TaskState::kDone || task.state == TaskState::kMissing ||
                          (task.state == TaskState::kQueued && task.attempts == 0);
    if (all || !is_plain) std::cout << task_line(task, status.axes) << "\n";
  }
  if (!status.warning.empty()) print_error("glidepath study status: warning", status.warning);
}

void collect_and_print(const std::string& dir, const std::string& out, bool quiet, bool json) {
  const StudyResults results = collect_study(dir, out);
  write_tables(out.empty() ? dir : out, results, {});
  if (json) {
    std::cout << results_json(results, {});
  } else if (!quiet) {
    if (!results.title.empty()) std::cout << terminal_text(results.title) << "\n\n";
    std::cout << render_terminal(make_tables(results), wants_colour(STDOUT_FILENO));
  }
}

void add_status(CLI::App& study) {
  struct Arguments {
    std::string dir;
    bool json = false, all = false;
  };
  auto* command = study.add_subcommand("status", "Say where the runs of a study are");
  auto arguments = std::make_shared<Arguments>();
  takes_path(command->add_option("study", arguments->dir, "folder of a study (its --out)"), kStudyExample)
      ->required();
  command->add_flag("--all", arguments->all,
                    "a line for every run, not only for those in hand or in trouble");
  command->add_flag("--json", arguments->json, "print one JSON document");
  command->callback([arguments] {
    const ClusterStatus status = is_cluster_study(arguments->dir)
                                     ? cluster_status(arguments->dir)
                                     : local_status(take_snapshot(arguments->dir, std::time(nullptr)));
    if (arguments->json) {
      std::cout << cluster_status_json(status);
    } else {
      print_status(status, arguments->all);
    }
  });
}

void add_cancel(CLI::App& study) {
  auto* command = study.add_subcommand("cancel", "Cancel what a study has in Slurm's queue; results stay");
  auto dir = std::make_shared<std::string>();
  takes_path(command->add_option("study", *dir, "folder of a study (its --out)"), kStudyExample)->required();
  command->callback([dir] {
    const std::vector<std::string> jobs = cancel_study(*dir);
    std::cout << (jobs.empty() ? "nothing in the queue\n"
                               : fmt::format("cancelled job array {}\n", fmt::join(jobs, ", ")));
  });
}

void add_collect(CLI::App& study) {
  struct Arguments {
    std::string dir, out;
    bool quiet = false, json = false;
  };
  auto* command =
      study.add_subcommand("collect", "Merge what the tasks wrote into the study's store and tables");
  auto arguments = std::make_shared<Arguments>();
  takes_path(command->add_option("study", arguments->dir, "folder of a study (its --out)"), kStudyExample)
      ->required();
  takes_new_path(
      command->add_option("--out", arguments->out, "folder for store and tables (default: the study's)"),
      "a folder, for example out/a");
  command->add_flag("--quiet", arguments->quiet, "print errors only");
  command->add_flag("--json", arguments->json, "print runs and tables as one JSON document");
  command->callback(
      [arguments] { collect_and_print(arguments->dir, arguments->out, arguments->quiet, arguments->json); });
}

/// What the script of a job array calls.
void add_run_task(CLI::App& study) {
  auto* command = study.add_subcommand("run-task", "Do the runs of one task of a job array")->group("");
  auto task = std::make_shared<ClusterTask>();
  command->add_option("study", task->dir, "folder of the study")->required();
  command->add_option("array", task->array, "array-NNN")->required()->check(not_empty("array-001"));
  command->add_option("index", task->index, "of the task")->required()->check(whole_number(0, 100'000'000));
  command->add_option("--max-requeue", task->max_requeue, "times a run may be put back into the queue")
      ->check(whole_number(0, 1'000'000));
  command->callback([task] {
    catch_stop_signals();
    run_cluster_task(*task, stop_signal);
  });
}

}  // namespace

void add_slurm_options(CLI::App& study, const std::shared_ptr<SlurmArguments>& arguments) {
  const std::map<std::string, std::string> help = {
      {"partition", "partition of the cluster"},
      {"time", "limit of one task: 2h, 1-12:00:00"},
      {"mem", "memory of one task: 8G"},
      {"cpus", "cores of one task (default: the runs' threads)"},
      {"gpus", "GPUs of one task"},
      {"array_limit", "tasks that may run at a time"},
      {"runs_per_task", "runs that a task does one after the other"},
      {"max_requeue", "times a run that reaches the limit is put back into the queue [10]"},
      {"sbatch_option", "one more option of sbatch; may be given several times"}};
  for (const std::string& key : slurm_keys()) {
    study
        .add_option_function<std::vector<std::string>>(
            flag_name(key),
            [arguments, key](const std::vector<std::string>& texts) {
              for (const std::string& text : texts) arguments->values.emplace_back(key, text);
            },
            help.at(key))
        ->expected(1)
        ->type_name("TEXT")
        ->take_all()
        ->group("With --executor slurm");
  }
}

void submit_and_print(const StudyPlan& plan, const SlurmArguments& slurm, const SubmitArguments& arguments) {
  SubmitOptions options;
  options.out = arguments.out;
  options.slurm = with_flags(plan.slurm, slurm);
  options.retry_failed = arguments.retry_failed;
  options.dry_run = arguments.dry_run;
  const Submission submission = submit_study(plan, options);
  if (arguments.json) {
    std::cout << json_text(as_json(submission), 2) << "\n";
  } else if (!arguments.quiet) {
    print_submission(submission, arguments);
  }
}

void refuse_cluster_study(const std::string& out) {
  if (!is_cluster_study(out)) return;
  throw InputError(fmt::format(
      "--out {}: its runs were submitted to Slurm; go on with --executor slurm, or give another folder",
      out));
}

void add_cluster_commands(CLI::App& study) {
  add_status(study);
  add_cancel(study);
  add_collect(study);
  add_run_task(study);
}

}  // namespace glidepath::cli
