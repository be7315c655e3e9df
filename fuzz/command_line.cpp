// fuzz/command_line.cpp - the command line, one argument a line: it is understood, or refused as a
// ParseError. What the commands do with it is left out.
#include <vector>

#include "cli/commands.h"
#include "harness.h"

using namespace glidepath;

namespace {

/// Thrown when everything has been read and before a command begins.
struct Understood {};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> arguments{"glidepath", ""};
  for (const char c : fuzz::text_of(data, size)) {
    if (c == '\0') continue;  // ends an argument before it reaches a program
    if (c == '\n') {
      arguments.emplace_back();
    } else {
      arguments.back() += c;
    }
  }
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  int exit_status = 0;
  const auto app = cli::make_app(exit_status);
  app->parse_complete_callback([] { throw Understood(); });
  try {
    app->parse(static_cast<int>(argv.size()), argv.data());
    fuzz::require(false, "a command line that is read is either understood or wrong");
  } catch (const Understood&) {
    fuzz::require(!app->get_subcommands().empty(), "a command was chosen");
  } catch (const CLI::ParseError& error) {
    fuzz::require(error.get_exit_code() == 0 || error.what()[0] != '\0', "an error says what is wrong");
  }
  return 0;
}
