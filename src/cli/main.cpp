// glidepath - the command line program. Errors are caught here and nowhere else.
#include <exception>
#include <iostream>
#include <string>

#include "cli/commands.h"
#include "cli/message.h"
#include "glidepath/error.h"

int main(int argc, char** argv) {
  using namespace glidepath;
  CLI::App app{"Budgeted training: land at zero learning rate exactly when your budget runs out."};
  app.name("glidepath");
  app.set_version_flag("--version", GLIDEPATH_VERSION);
  app.require_subcommand(1);
  app.option_defaults()->disable_flag_override();  // --json=false would be a third way to say nothing
  app.get_formatter()->column_width(34);

  int exit_status = kExitOk;
  cli::add_train_command(app, exit_status);
  cli::add_study_command(app, exit_status);
  cli::add_report_command(app, exit_status);
  cli::add_schedules_command(app, exit_status);
  cli::add_data_command(app, exit_status);
  try {
    app.parse(argc, argv);
    // A result that could not be written is no result: a full disk, a closed pipe.
    if (!std::cout.flush()) throw RunError("standard output: cannot be written");
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    cli::print_error(cli::command_name(app), cli::usage_message(app, error));
    return kExitWrongInput;
  } catch (const Error& error) {
    cli::print_error(cli::command_name(app), error.what());
    return error.exit_status();
  } catch (const std::exception& error) {
    const std::string what = error.what();  // LibTorch's go on with a stack trace
    cli::print_error(cli::command_name(app), "unexpected: " + what.substr(0, what.find('\n')));
    return kExitRunFailed;
  }
  return exit_status;
}
