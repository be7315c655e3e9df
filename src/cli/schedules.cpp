// src/cli/schedules.cpp - `glidepath schedules`: the list, values as CSV, a plot.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/checks.h"
#include "cli/commands.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/report.h"
#include "glidepath/schedule.h"

namespace glidepath::cli {
namespace {

struct SchedulesArguments {
  std::vector<std::string> schedules;
  std::string budget = "100%", full = "200ep", format, out;
  double base_lr = 1;
  std::int64_t steps_per_epoch = 391;
};

void print_list() {
  std::size_t form = 0, formula = 0, end = 0;
  for (const ScheduleInfo& info : schedule_list()) {
    form = std::max(form, info.form.size());
    formula = std::max(formula, info.formula.size());
    end = std::max(end, info.ends_at.size());
  }
  std::cout << fmt::format("{:<{}}  {:<{}}  {:<{}}  {}\n", "schedule", form, "f(p), p = spent / budget",
                           formula, "f(1)", end, "source");
  for (const ScheduleInfo& info : schedule_list()) {
    std::cout << fmt::format("{:<{}}  {:<{}}  {:<{}}  {}\n", info.form, form, info.formula, formula,
                             info.ends_at, end, info.source);
  }
  std::cout
      << "\nEvery one takes warmup=5% (or 500it, 2ep), warmup_start=0.1, and floor=1% or min_lr=0.001.\n"
         "cut(S): S over the full budget, ended where this budget ends; bac(S): S over the full budget, "
         "squeezed "
         "into this one.\n"
         "file(my.csv): the points of a file with the columns progress,factor or step,lr.\n";
}

/// Puts the flag before a message of the library that begins with the value.
template <typename Parse>
auto named(const char* flag, Parse parse) {
  try {
    return parse();
  } catch (const InputError& error) {
    throw InputError(fmt::format("{} {}", flag, error.what()));
  }
}

ScheduleContext schedule_context(const SchedulesArguments& arguments) {
  BudgetContext context;
  context.steps_per_epoch = arguments.steps_per_epoch;
  ScheduleContext known;
  known.steps_per_epoch = static_cast<double>(context.steps_per_epoch);
  known.base_lr = arguments.base_lr;
  known.full_updates = named("--full", [&] {
    context.full = parse_budget(arguments.full);
    return static_cast<double>(updates_in({BudgetUnit::kPercent, 100}, context));
  });
  known.updates = named(
      "--budget", [&] { return static_cast<double>(updates_in(parse_budget(arguments.budget), context)); });
  return known;
}

Schedule schedule_of(const std::string& text, const ScheduleContext& context) {
  return named("--schedule", [&] {
    Schedule schedule = parse_schedule(text, context);
    schedule(0);  // refuses what has no value at a progress
    return schedule;
  });
}

/// By the ending of the file, or else by where it goes.
std::string default_format(const std::string& out) {
  const std::string ending = std::filesystem::path(out).extension().string();
  if (!ending.empty()) return ending.substr(1);
  return out.empty() && isatty(STDOUT_FILENO) != 0 ? "plot" : "csv";
}

/// Pictures need a file of their kind; text is printed.
void check_out(const std::string& format, const std::string& out) {
  if (format == "csv" || format == "plot") {
    if (out.empty()) return;
    throw InputError(fmt::format(
        "--out \"{}\": {} is printed, not written; redirect it, for example > values.csv, or give "
        "a file that ends in .svg, .png or .pdf",
        out, format));
  }
  if (out.empty()) throw InputError(fmt::format("--format {}: needs --out FILE.{}", format, format));
  if (std::filesystem::path(out).extension() != "." + format) {
    throw InputError(fmt::format("--out \"{}\": must end in .{} for --format {}", out, format, format));
  }
}

void print_csv(const std::vector<Schedule>& schedules, std::int64_t updates, double base_lr) {
  std::cout << "step";
  if (schedules.size() == 1) {
    std::cout << ",lr";
  } else {
    for (const Schedule& schedule : schedules) std::cout << ",\"" << schedule.text() << "\"";
  }
  std::cout << "\n";
  for (std::int64_t step = 0; step < updates && std::cout; ++step) {  // nobody may be reading any more
    std::cout << step;
    // {} prints the shortest text that reads back to the same double.
    for (const Schedule& schedule : schedules) {
      std::cout << fmt::format(",{}", base_lr * schedule(progress_at(step, updates)));
    }
    std::cout << "\n";
  }
}

/// Rows of blocks from 0 to 1, one column a part of the budget.
void print_plot(const Schedule& schedule, double base_lr) {
  constexpr int kRows = 12, kColumns = 64;
  std::cout << schedule.text() << "\n";
  for (int row = kRows; row >= 1; --row) {
    std::cout << (row == kRows ? fmt::format("{:>9.3g} |", base_lr) : std::string("          |"));
    for (int column = 0; column < kColumns; ++column) {
      const double filled = schedule((column + 0.5) / kColumns) * kRows - (row - 1);
      std::cout << (filled >= 0.75 ? "█" : filled >= 0.25 ? "▄" : " ");
    }
    std::cout << "\n";
  }
  std::cout << fmt::format("{:>9} +{}\n{:>11}{:>{}}\n", 0, std::string(kColumns, '-'), "0 %",
                           "budget spent 100 %", kColumns);
}

void run_schedules(const SchedulesArguments& arguments) {
  if (arguments.schedules.empty()) return print_list();
  const ScheduleContext context = schedule_context(arguments);
  std::vector<Schedule> schedules;
  for (const std::string& text : arguments.schedules) schedules.push_back(schedule_of(text, context));
  const std::string format = arguments.format.empty() ? default_format(arguments.out) : arguments.format;
  check_out(format, arguments.out);
  if (format == "csv") {
    print_csv(schedules, std::llround(context.updates), arguments.base_lr);
  } else if (format == "plot") {
    for (const Schedule& schedule : schedules) print_plot(schedule, arguments.base_lr);
  } else {
    plot_schedules(arguments.schedules, context, arguments.out);
    std::cout << arguments.out << "\n";
  }
}

}  // namespace

void add_schedules_command(CLI::App& app, int&) {
  auto* command = app.add_subcommand("schedules", "List the schedules, print their values, plot them");
  auto arguments = std::make_shared<SchedulesArguments>();
  auto* schedule = command
                       ->add_option("--schedule", arguments->schedules,
                                    "a schedule, for example step-d2; may be given again")
                       ->take_all()
                       ->allow_extra_args(false);
  const auto option = [&](const char* name, auto& value, const char* help) {
    return command->add_option(name, value, help)->capture_default_str()->needs(schedule);
  };
  option("--budget", arguments->budget, "updates to print: 1000it, 30ep or 10%");
  option("--base-lr", arguments->base_lr, "learning rate at factor 1")->check(number_above_zero());
  option("--full", arguments->full, "what 100% means: epochs or iterations");
  option("--steps-per-epoch", arguments->steps_per_epoch, "updates in an epoch")
      ->check(whole_number(1, 1'000'000'000));
  option("--format", arguments->format,
         "csv, plot (in the terminal), svg, png, pdf (default: by --out, or csv)")
      ->check(one_of({"csv", "plot", "svg", "png", "pdf"}));
  takes_new_path(option("--out", arguments->out, "file for svg, png or pdf"), "a file, for example plot.svg");
  command->callback([arguments] { run_schedules(*arguments); });
}

}  // namespace glidepath::cli
