// src/cli/app.cpp - the command line as a whole: name, version and every command.
#include "cli/commands.h"

namespace glidepath::cli {

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
  add_measure_command(*app, exit_status);
  add_evaluate_command(*app, exit_status);
  add_watch_command(*app, exit_status);
  add_schedules_command(*app, exit_status);
  add_data_command(*app, exit_status);
  return app;
}

}  // namespace glidepath::cli
