// glidepath - the command line program. Errors are caught here and nowhere else.
#include <cstdio>
#include <exception>
#include <string>

#include "cli/commands.h"
#include "glidepath/error.h"

namespace {

// The name to put before an error: "glidepath train" once a command is known.
std::string spoken_name(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "glidepath" : "glidepath " + chosen.front()->get_name();
}

}  // namespace

int main(int argc, char** argv) {
  using namespace glidepath;
  CLI::App app{"Budgeted training: land at zero learning rate exactly when your budget runs out."};
  app.name("glidepath");
  app.set_version_flag("--version", GLIDEPATH_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);

  int exit_status = kExitOk;
  cli::add_train_command(app, exit_status);
  cli::add_study_command(app, exit_status);
  cli::add_report_command(app, exit_status);
  cli::add_schedules_command(app, exit_status);
  cli::add_data_command(app, exit_status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "%s: %s; see --help\n", spoken_name(app).c_str(), error.what());
    return kExitWrongInput;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", spoken_name(app).c_str(), error.what());
    return error.exit_status();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: unexpected: %s\n", spoken_name(app).c_str(), error.what());
    return kExitRunFailed;
  }
  return exit_status;
}
