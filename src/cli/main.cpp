// glidepath - the command line program. Errors are caught here and nowhere else.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/terminal/message.h"
#include "glidepath/error.h"
#include "glidepath/process_group.h"
#include "system/standard_streams.h"

namespace {

/// Of the processes of a job, which all read the same words, one tells what is wrong with them.
bool tells_of_usage(int argc, char** argv) {
  if (std::find(argv, argv + argc, std::string("--alone")) != argv + argc) return true;
  try {
    const auto place = glidepath::place_from_environment();
    return !place || place->rank == 0;
  } catch (const glidepath::Error&) {
    return true;
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace glidepath;
  prepare_standard_streams();
  int exit_status = kExitOk;
  const std::unique_ptr<CLI::App> owned = cli::make_app(exit_status);
  CLI::App& app = *owned;
  try {
    app.parse(argc, argv);
    // A result that could not be written is no result, as on a full disk. Whom it was for has seen enough
    // where they have gone away, as `head` does.
    if (!std::cout.flush() && !has_lost_its_reader(STDOUT_FILENO))
      throw RunError("standard output: cannot be written");
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    if (tells_of_usage(argc, argv)) cli::print_error(cli::command_name(app), cli::usage_message(app, error));
    return kExitWrongInput;
  } catch (const RankFailed& error) {
    // One process of a job: another may have told, and threads may wait for one that is gone.
    if (*error.what() != '\0') cli::print_error(cli::command_name(app), error.what());
    std::cout.flush();
    std::_Exit(error.exit_status());
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
