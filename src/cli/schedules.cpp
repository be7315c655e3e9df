// src/cli/schedules.cpp - `glidepath schedules`: the list, values as CSV, a plot.
#include <algorithm>
#include <iostream>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>

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
         "into this one.\n";
}

BudgetContext budget_context(const SchedulesArguments& arguments) {
  if (arguments.steps_per_epoch < 1) {
    throw InputError(fmt::format("--steps-per-epoch \"{}\": must be at least 1", arguments.steps_per_epoch));
  }
  BudgetContext context;
  context.steps_per_epoch = arguments.steps_per_epoch;
  try {
    context.full = parse_budget(arguments.full);
  } catch (const InputError& error) {
    throw InputError(fmt::format("--full {}", error.what()));
  }
  return context;
}

std::int64_t updates_of(const SchedulesArguments& arguments, const BudgetContext& context) {
  try {
    return updates_in(parse_budget(arguments.budget), context);
  } catch (const InputError& error) {
    throw InputError(fmt::format("--budget {}", error.what()));
  }
}

Schedule schedule_of(const std::string& text, const ScheduleContext& context) {
  try {
    return parse_schedule(text, context);
  } catch (const InputError& error) {
    throw InputError(fmt::format("--schedule {}", error.what()));
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
  for (std::int64_t step = 0; step < updates; ++step) {
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

void run_schedules(SchedulesArguments arguments) {
  if (arguments.schedules.empty()) {
    if (!arguments.out.empty() || !arguments.format.empty()) {
      throw InputError("--format and --out need a --schedule, for example --schedule linear");
    }
    print_list();
    return;
  }
  if (!(arguments.base_lr > 0))
    throw InputError(fmt::format("--base-lr \"{}\": must be above 0", arguments.base_lr));
  const BudgetContext context = budget_context(arguments);
  const std::int64_t updates = updates_of(arguments, context);
  const ScheduleContext schedule_context{
      static_cast<double>(updates), static_cast<double>(context.steps_per_epoch),
      static_cast<double>(updates_in(context.full, context)), arguments.base_lr};
  std::vector<Schedule> schedules;
  for (const std::string& text : arguments.schedules) {
    schedules.push_back(schedule_of(text, schedule_context));
    schedules.back()(0);  // refuses what has no value at a progress
  }
  if (arguments.format.empty()) arguments.format = isatty(STDOUT_FILENO) != 0 ? "plot" : "csv";
  if (arguments.format == "csv") {
    print_csv(schedules, updates, arguments.base_lr);
  } else if (arguments.format == "plot") {
    for (const Schedule& schedule : schedules) print_plot(schedule, arguments.base_lr);
  } else {
    if (arguments.out.empty()) {
      throw InputError(fmt::format("--format {}: needs --out FILE.{}", arguments.format, arguments.format));
    }
    plot_schedules(arguments.schedules, schedule_context, arguments.out);
    std::cout << arguments.out << "\n";
  }
}

}  // namespace

void add_schedules_command(CLI::App& app, int&) {
  auto* command = app.add_subcommand("schedules", "List the schedules, print their values, plot them");
  auto arguments = std::make_shared<SchedulesArguments>();
  command
      ->add_option("--schedule", arguments->schedules, "a schedule, for example step-d2; may be given again")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--budget", arguments->budget, "updates to print")->capture_default_str();
  command->add_option("--base-lr", arguments->base_lr, "learning rate at factor 1")->capture_default_str();
  command->add_option("--full", arguments->full, "what 100% means")->capture_default_str();
  command->add_option("--steps-per-epoch", arguments->steps_per_epoch, "updates in an epoch")
      ->capture_default_str();
  command->add_option("--format", arguments->format, "csv, plot (in the terminal), svg, png")
      ->check(CLI::IsMember({"csv", "plot", "svg", "png"}));
  command->add_option("--out", arguments->out, "file for svg or png");
  command->callback([arguments] { run_schedules(*arguments); });
}

}  // namespace glidepath::cli
