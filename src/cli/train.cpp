// src/cli/train.cpp - `glidepath train`: flags from the table of train options, progress, the result.
#include "glidepath/train.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/metric_text.h"
#include "cli/terminal/message.h"
#include "cli/terminal/progress_line.h"
#include "cli/terminal/stop_signal.h"
#include "cli/train_choices.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/dry_run.h"
#include "glidepath/error.h"
#include "glidepath/measure.h"
#include "glidepath/process_group.h"
#include "ranks/same_on_all.h"

namespace glidepath::cli {
namespace {

constexpr double kBetweenLoggedEvaluations = 1.0 / 30;  // of the budget

/// A message of the library begins with the key whose value is wrong. Here the user gave it as a flag or in a
/// file, and is told which.
std::string as_given(const TrainArguments& arguments, const std::string& message) {
  const std::string key = message.substr(0, message.find(' '));
  const auto& keys = train_config_keys();
  const bool is_key =
      std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& each) { return each.name == key; });
  const bool is_from_file = is_key && !arguments.config_file.empty() && arguments.values.count(key) == 0;
  return is_from_file ? arguments.config_file + ": " + message : with_flag(message, arguments.values);
}

/// The configuration as rank 0 makes it: the others need none of its files.
TrainConfig shared_config(TrainArguments& arguments, ProcessGroup* group) {
  TrainConfig config;
  if (group == nullptr || group->rank() == 0) {
    config = chosen_config(arguments, group == nullptr ? 1 : group->size());
  }
  if (group == nullptr) return config;
  const std::string text = group->broadcast(group->rank() == 0 ? to_toml(config) : std::string());
  return group->rank() == 0 ? config : parse_train_config(text, "rank 0's configuration");
}

Facts options_given(const CLI::App& command) {
  Facts facts = {{"the version of glidepath", GLIDEPATH_VERSION}};
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() > 0)
      facts.emplace_back(option->get_name(), fmt::format("{}", fmt::join(option->results(), " ")));
  }
  return facts;
}

/// "  test accuracy 93.20 %"; nothing of a task that knows none.
std::string accuracy_text(const char* before, double accuracy) {
  return std::isnan(accuracy) ? std::string() : fmt::format("{}accuracy {:.2f} %", before, 100 * accuracy);
}

// What matters most comes first: on a narrow terminal the last are left out.
std::vector<std::string> status_fields(const TrainStatus& status) {
  const std::string where = status.updates > 0 ? fmt::format("{}/{} updates", status.step, status.updates)
                                               : fmt::format("{} updates", status.step);
  const char* split = status.on_val ? "val" : "test";
  std::vector<std::string> fields = {fmt::format("loss {:.4f}", status.loss)};
  if (!std::isnan(status.accuracy)) fields.push_back(fmt::format("acc {:.2f} %", 100 * status.accuracy));
  fields.insert(fields.end(), {fmt::format("lr {:.4g}", status.lr),
                               fmt::format("{} left", spoken_duration(status.seconds_left))});
  if (status.score && status.score->name != "accuracy") {
    fields.push_back(fmt::format("{} {}", split, metric_text(*status.score)));
  } else if (status.test_accuracy >= 0) {
    fields.push_back(fmt::format("{} {:.2f} %", split, 100 * status.test_accuracy));
  }
  fields.insert(fields.end(), {where, fmt::format("epoch {:.2f}", status.epoch),
                               fmt::format("{:.0f} img/s", status.images_per_second)});
  return fields;
}

std::string evaluation_line(const TrainStatus& status) {
  const char* split = status.on_val ? "val" : "test";
  const bool has_score = status.score && status.score->name != "accuracy";
  return fmt::format("epoch {:7.2f}  {:5.1f} % of budget  lr {:<9.4g}  loss {:.4f}  {} loss {:.4f}{}{}",
                     status.epoch, 100 * status.progress, status.lr, status.loss, split, status.test_loss,
                     accuracy_text(fmt::format("  {} ", split).c_str(), status.test_accuracy),
                     has_score ? fmt::format("  {} {}", split, metric_text(*status.score)) : std::string());
}

std::string held_out_lines(const TrainResult& result) {
  if (result.val_images == 0) return {};
  const std::string last = fmt::format("{} training images held out:{}  loss {:.4f}\n", result.val_images,
                                       accuracy_text(" ", result.val_accuracy), result.val_loss);
  if (!result.best || result.best->update == result.updates) return last;
  return last +
         fmt::format(
             "best on them after {} updates: accuracy {:.2f} %  test accuracy {:.2f} % (best.safetensors)\n",
             result.best->update, 100 * result.best->val_accuracy, 100 * result.best->test_accuracy);
}

std::string statistics_line(const TrainResult& result) {
  if (result.bn_images == 0) return {};
  return fmt::format("batch norm of {} training images, seen anew{}\n", result.bn_images,
                     result.test_accuracy_running >= 0 ? fmt::format("; with its running statistics {:.2f} %",
                                                                     100 * result.test_accuracy_running)
                                                       : "");
}

std::string views_line(const TrainConfig& config, const TrainResult& result) {
  if (!result.over_views) return {};
  return fmt::format("over views ({}): test accuracy {:.2f} %  test loss {:.4f}\n", config.test_augment,
                     100 * result.over_views->test_accuracy, result.over_views->test_loss);
}

std::string average_line(const TrainConfig& config, const TrainResult& result) {
  if (!result.average) return {};
  const std::string over_views =
      result.average_over_views
          ? fmt::format(", over views {:.2f} %", 100 * result.average_over_views->test_accuracy)
          : "";
  return fmt::format(
      "averaged weights, {}: test accuracy {:.2f} %{}  test loss {:.4f} (average.safetensors)\n",
      config.average, 100 * result.average->test_accuracy, over_views, result.average->test_loss);
}

/// The score first, then what else the task tells of the test split; nothing of one that tells accuracies
/// alone.
std::string metrics_line(const TrainResult& result) {
  std::vector<std::string> told;
  for (const ToldMetric& metric : result.metrics) {
    const bool is_other = metric.name.compare(0, 5, "test_") != 0 && metric.name.compare(0, 4, "val_") != 0;
    if (is_other || metric.name.find("_running") != std::string::npos) continue;
    told.push_back(metric_text(metric));
  }
  return told.empty() ? "" : fmt::format("{}\n", fmt::join(told, "  "));
}

void print_result(const TrainArguments& arguments, const TrainConfig& config, const TrainResult& result) {
  if (arguments.json) {
    auto json = parse_ordered_json(result.summary);
    json["out"] = result.out.string();
    std::cout << json_text(json) << "\n";
    return;
  }
  if (arguments.quiet) return;
  std::cout << fmt::format(
      "{}{}test loss {:.4f}  train loss {:.4f}\n"
      "{}{}{}{}"
      "{} updates ({:.4g} epochs), {} at {}; last update at lr {:.4g}, landed on {:.4g}\n"
      "{}; {:.0f} images/s ({}, {}{} thread(s)); memory {:.0f} MiB\n",
      metrics_line(result),
      std::isnan(result.test_accuracy) ? "" : accuracy_text("test ", result.test_accuracy) + "  ",
      result.test_loss, result.train_loss, views_line(config, result), held_out_lines(result),
      average_line(config, result), statistics_line(result), result.updates, result.epochs, config.budget,
      schedule_label(config.schedule), result.last_update_lr, result.final_lr,
      spoken_duration(result.seconds), result.images_per_second, result.precision,
      result.ranks > 1 ? fmt::format("{} processes of ", result.ranks) : "", result.threads,
      result.peak_memory_mib);
  if (result.corrupt_train_images + result.corrupt_test_images > 0) {
    std::cout << fmt::format(
        "could not be decoded: {} training and {} test images; the accuracy is over the rest\n",
        result.corrupt_train_images, result.corrupt_test_images);
  }
  if (!result.out.empty()) std::cout << "run directory: " << terminal_text(result.out.string()) << "\n";
}

nlohmann::ordered_json as_json(const DryRun& dry) {
  return {{"updates", dry.updates},
          {"epochs", dry.epochs},
          {"steps_per_epoch", dry.steps_per_epoch},
          {"seconds", dry.seconds},
          {"ends_at", dry.ends_at},
          {"flops", dry.flops},
          {"peak_memory_mib", dry.peak_memory_mib},
          {"learning_rates", dry.learning_rates},
          {"base_lr", dry.base_lr},
          {"weight_decay", dry.weight_decay},
          {"update_seconds", dry.update_seconds},
          {"evaluation_seconds", dry.evaluation_seconds},
          {"measured_updates", dry.measured_updates},
          {"advice", dry.advice}};
}

void print_dry_run(const TrainArguments& arguments, const TrainConfig& config, const DryRun& dry) {
  if (arguments.json) {
    std::cout << json_text(as_json(dry)) << "\n";
    return;
  }
  std::string rates;
  for (std::size_t i = 0; i < dry.learning_rates.size(); ++i)
    rates += fmt::format("{}{:.4g} at {} %", i == 0 ? "" : ", ", dry.learning_rates[i], 25 * i);
  std::cout << fmt::format(
      "updates  {} ({:.4g} epochs of {})\n"
      "time     {}, until {} ({:.1f} ms an update, median of {}; {} an evaluation)\n"
      "compute  {:.3g} FLOPs\n"
      "memory   {:.0f} MiB\n"
      "lr       {}: {}\n"
      "{}nothing was written\n",
      dry.updates, dry.epochs, dry.steps_per_epoch, spoken_duration(dry.seconds), dry.ends_at,
      1000 * dry.update_seconds, dry.measured_updates, spoken_duration(dry.evaluation_seconds), dry.flops,
      dry.peak_memory_mib, schedule_label(config.schedule), rates.empty() ? "follows the loss" : rates,
      dry.advice.empty() ? "" : terminal_text(dry.advice) + "\n");
}

/// Loading and measuring take seconds to half a minute: on a terminal it is said where it is, and in a log
/// that it has begun.
DryRun dry_run_with_news(const TrainArguments& arguments, const TrainConfig& config, TrainOptions options) {
  const bool tells = !arguments.quiet && !arguments.json;
  ProgressLine progress(tells && !arguments.no_progress);
  if (progress.is_live()) {
    progress.show(0, {"reading the data set and measuring an evaluation"});
  } else if (tells) {
    progress.print_above("reading the data set, then measuring an evaluation and up to 10 updates");
  }
  options.on_status = [&](const TrainStatus& status) {
    progress.show(static_cast<double>(status.step) / 10,
                  {fmt::format("measuring update {} of up to 10", status.step)});
  };
  return dry_run(config, options);
}

void train_and_print(TrainArguments arguments, const std::shared_ptr<ProcessGroup>& group) {
  keep_freed_memory();
  if (group && arguments.dry_run)
    throw InputError("--dry-run: tells of one process; give it without launch, torchrun, mpirun or srun");
  const TrainConfig config = shared_config(arguments, group.get());
  if (group && group->rank() != 0) arguments.quiet = true, arguments.json = false;
  TrainOptions options;
  options.group = group;
  options.measurer = instruments();
  if (arguments.dry_run) {
    if (!arguments.json && !arguments.quiet)
      options.on_note = [](const std::string& text) { std::cerr << terminal_text(text) << "\n"; };
    if (options.on_note && !arguments.told.empty()) options.on_note(arguments.told);
    options.seconds_before = seconds_since_process_start();
    print_dry_run(arguments, config, dry_run_with_news(arguments, config, options));
    return;
  }
  try {
    options.replan = parse_replan(arguments.replan);
  } catch (const InputError& error) {
    throw InputError(fmt::format("--replan {}", error.what()));
  }
  options.out = arguments.out.empty() ? arguments.resume : arguments.out;
  if (!arguments.resume.empty() && !arguments.out.empty()) options.resume_from = arguments.resume;
  options.resume = !arguments.resume.empty();
  options.rescue = !arguments.no_rescue;
  options.verbose = arguments.verbose;
  options.seconds_before = seconds_since_process_start();
  catch_stop_signals(group && group->rank() != 0 ? nullptr
                                                 : "stopping after this update; Ctrl-C again ends at once\n");
  options.stop_signal = stop_signal;

  ProgressLine progress(!arguments.quiet && !arguments.json && !arguments.no_progress);
  options.on_status = [&](const TrainStatus& status) {
    progress.show(status.progress, status_fields(status));
  };
  options.on_evaluation = [&, told = -1.0](const TrainStatus& status) mutable {
    // A log file is to be read: of many evaluations it gets those that lie apart, and the last.
    const bool is_far = status.progress - told >= kBetweenLoggedEvaluations || status.progress >= 1;
    if (arguments.quiet || arguments.json || (!progress.is_live() && !is_far)) return;
    told = status.progress;
    progress.print_above(evaluation_line(status));
  };
  options.on_budget_change = [&](const std::string& line) {
    if (!arguments.quiet) progress.print_above(line);
  };
  options.on_warning = [&](const std::string& text) {
    progress.print_above("glidepath train: warning: " + text);
  };
  options.on_note = [&](const std::string& text) {
    if (!arguments.quiet && !arguments.json) progress.print_above(terminal_text(text));
  };
  if (!arguments.told.empty()) options.on_note(arguments.told);
  const TrainResult result = train(config, options);
  progress.clear();
  print_result(arguments, config, result);
}

void train_alone_or_together(const TrainArguments& arguments, const std::shared_ptr<ProcessGroup>& group) {
  try {
    train_and_print(arguments, group);
  } catch (const InputError& error) {
    throw InputError(as_given(arguments, error.what()));
  }
}

/// A launcher may have been asked for many runs, one a process, where it makes one of all of them.
void compare_options(const TrainArguments& arguments, ProcessGroup& group) {
  const auto seat = seat_from_environment();
  require_same(
      group, arguments.given,
      fmt::format("{} started these {} processes as one job, which makes one run: give all the same options, "
                  "or --alone for a run of each process's own",
                  seat ? seat->launcher : "the launcher", group.size()));
}

/// Of many processes one speaks, and none waits for another that has failed.
void train_together(const TrainArguments& arguments, const std::shared_ptr<ProcessGroup>& group) {
  const auto told = [&](const std::string& message) { return group->speaks() ? message : std::string(); };
  try {
    compare_options(arguments, *group);
    train_alone_or_together(arguments, group);
    group->leave();
  } catch (const Interrupted& stop) {  // on all alike
    group->leave();
    throw RankFailed(told(stop.what()), stop.exit_status());
  } catch (const RankFailed& failure) {
    group->fail(failure.what(), failure.exit_status());
    throw RankFailed(told(failure.what()), failure.exit_status());
  } catch (const Error& error) {
    group->fail(error.what(), error.exit_status());
    throw RankFailed(told(error.what()), error.exit_status());
  } catch (const std::exception& error) {
    const std::string all = error.what(), what = "unexpected: " + all.substr(0, all.find('\n'));
    group->fail(what, kExitRunFailed);
    throw RankFailed(told(what), kExitRunFailed);
  }
}

void run_train(const TrainArguments& arguments) {
  const std::optional<Place> place = arguments.alone ? std::nullopt : place_from_environment();
  if (!place) return train_alone_or_together(arguments, nullptr);
  train_together(arguments, ProcessGroup::join(*place));
}

void add_run_options(CLI::App& command, const std::shared_ptr<TrainArguments>& arguments) {
  const auto in_group = [](CLI::Option* option, const char* group) { return option->group(group); };
  constexpr const char *kRun = "Run", *kRanks = "Several processes", *kOutput = "Output";
  auto* config = takes_path(
      in_group(command.add_option("--config", arguments->config_file, "file with train options in TOML"),
               kRun),
      "a file, for example run.toml");
  takes_new_path(
      in_group(
          command.add_option(
              "--out", arguments->out,
              "run directory to write; with --resume: a new one to go on in, and that run stays as it is"),
          kRun),
      "a folder, for example runs/a");
  takes_path(in_group(command.add_option("--resume", arguments->resume, "run directory to go on with"), kRun),
             "the --out of an earlier run")
      ->excludes(config);
  in_group(
      command.add_option("--recipe", arguments->recipe,
                         "what is not given is taken from: fast, plain (the paper's protocol), auto, or a "
                         "recipe by name; auto: fast for a budget in time on 32x32 images"),
      kRun)
      ->type_name("[auto]")
      ->excludes(config)
      ->excludes("--resume");
  in_group(
      command.add_option("--replan", arguments->replan,
                         "with --resume and another --budget: re-anneal (from the present lr) or rewind (to "
                         "where both budgets agree)"),
      kRun)
      ->type_name("[re-anneal]");
  in_group(command.add_flag("--dry-run", arguments->dry_run,
                            "print what the run would do and cost, from a few updates; writes nothing"),
           kRun);
  in_group(
      command.add_flag("--no-rescue", arguments->no_rescue,
                       "fail when the disk of --out refuses the result, instead of saving it in $TMPDIR"),
      kRun);
  in_group(command.add_option("--batch-size-per-rank", arguments->batch_size_per_rank,
                              "in place of --batch-size: images of each process in one update"),
           kRanks)
      ->check(whole_number(1, std::int64_t{1} << 20))
      ->type_name("N");
  in_group(
      command.add_option("--scale-lr", arguments->scale_lr,
                         "multiply base_lr by batch_size / --reference-batch (linear) or its root (sqrt)"),
      kRanks)
      ->check(one_of({"none", "linear", "sqrt"}))
      ->type_name("[none]");
  in_group(command.add_option("--reference-batch", arguments->reference_batch,
                              "the batch_size that base_lr was chosen for"),
           kRanks)
      ->check(whole_number(1, std::int64_t{1} << 20))
      ->type_name("[128]");
  in_group(command.add_flag("--alone", arguments->alone,
                            "a run of this process's own, also where a launcher has started it with others"),
           kRanks);
  in_group(command.add_flag("--verbose", arguments->verbose,
                            "with --init: print each tensor, and whether it is the file's"),
           kOutput);
  in_group(command.add_flag("--quiet", arguments->quiet, "print errors only"), kOutput);
  in_group(command.add_flag("--json", arguments->json, "print the result as one JSON object"), kOutput);
  in_group(command.add_flag("--no-progress", arguments->no_progress, "no live line"), kOutput);
}

}  // namespace

void add_train_command(CLI::App& app, int&) {
  auto* command = app.add_subcommand("train", "Train one model under one budget");
  auto arguments = std::make_shared<TrainArguments>();
  std::vector<std::string> keys;
  for (const ConfigKey& key : train_config_keys()) keys.push_back(key.name);
  add_config_options(*command, keys, arguments->values);
  add_run_options(*command, arguments);
  command->callback([arguments, command] {
    arguments->given = options_given(*command);
    run_train(*arguments);
  });
}

}  // namespace glidepath::cli
