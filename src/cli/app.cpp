// src/cli/app.cpp - the command line as a whole: name, version and every command.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/terminal/message.h"
#include "glidepath/error.h"
#include "glidepath/process_group.h"

namespace glidepath::cli {
namespace {

/// Training alone is done together. Where a launcher starts another command many times, that may be meant, as
/// for the weights of many runs.
void tell_of_other_processes(const std::string& command) {
  try {
    const auto seat = seat_from_environment();
    if (!seat || seat->size < 2 || seat->rank != 0) return;
    print_error("glidepath " + command,
                fmt::format("note: {} started this {} times; each process works by itself", seat->launcher,
                            seat->size));
  } catch (const Error&) {  // variables that say nothing of this command
  }
}

}  // namespace

std::unique_ptr<CLI::App> make_app(int& exit_status) {
  auto app = std::make_unique<CLI::App>(
      "Budgeted training: land at zero learning rate exactly when your budget runs out.");
  app->name("glidepath");
  app->set_version_flag("--version", GLIDEPATH_VERSION);
  app->require_subcommand(1);
  app->option_defaults()->disable_flag_override();  // --json=false would be a third way to say nothing
  app->get_formatter()->column_width(34);
  add_train_command(*app, exit_status);
  add_launch_command(*app, exit_status);
  add_study_command(*app, exit_status);
  add_report_command(*app, exit_status);
  add_plan_command(*app, exit_status);
  add_pilot_command(*app, exit_status);
  add_rank_command(*app, exit_status);
  add_import_command(*app, exit_status);
  add_measure_command(*app, exit_status);
  add_evaluate_command(*app, exit_status);
  add_predict_command(*app, exit_status);
  add_export_command(*app, exit_status);
  add_watch_command(*app, exit_status);
  add_schedules_command(*app, exit_status);
  add_data_command(*app, exit_status);
  for (CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; })) {
    const std::string name = command->get_name();
    if (name != "train" && name != "launch")
      command->parse_complete_callback([name] { tell_of_other_processes(name); });
  }
  return app;
}

}  // namespace glidepath::cli
