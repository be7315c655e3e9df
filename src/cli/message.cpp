// src/cli/message.cpp - errors of the command line as one line each.
#include "cli/message.h"

#include <cstdio>

#include <fmt/format.h>

#include "core/words.h"

namespace glidepath::cli {
namespace {

/// The innermost command that was chosen.
const CLI::App& chosen_command(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

std::vector<std::string> names_of_commands(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* each : command.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(each->get_name());
  }
  return names;
}

std::vector<std::string> names_of_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// A word that is neither a command nor an option nor the value of one.
std::string unknown_word(const CLI::App& command, const std::string& word) {
  if (word.size() > 1 && word.front() == '-') {
    const std::string name = word.substr(0, word.find('='));
    return fmt::format("{}: no such option; the nearest is {}", name,
                       words::nearest(name, names_of_options(command)));
  }
  const auto commands = names_of_commands(command);
  if (!commands.empty()) {
    return fmt::format("\"{}\": no such command; the nearest is {}", word, words::nearest(word, commands));
  }
  return fmt::format("\"{}\": not expected here; every value comes after its option", word);
}

/// `text` without what follows `mark`, and what follows it.
std::pair<std::string, std::string> split_at(const std::string& text, const std::string& mark) {
  const auto place = text.find(mark);
  if (place == std::string::npos) return {text, ""};
  return {text.substr(0, place), text.substr(place + mark.size())};
}

}  // namespace

std::string command_name(const CLI::App& app) {
  std::string name = "glidepath";
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  return name;
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = chosen_command(app);
  const std::string what = error.what();
  const std::string see_help = fmt::format("see {} --help", command_name(app));
  const auto is = [&](CLI::ExitCodes code) { return error.get_exit_code() == static_cast<int>(code); };
  const auto extras = command.remaining();
  if (is(CLI::ExitCodes::ExtrasError) && !extras.empty()) return unknown_word(command, extras.front());
  if (is(CLI::ExitCodes::RequiredError)) {
    const auto commands = names_of_commands(command);
    if (!extras.empty()) return unknown_word(command, extras.front());
    if (!commands.empty()) {
      return fmt::format("a command is missing; give {}", fmt::join(commands, ", "));
    }
    return fmt::format("{} is missing; {}", split_at(what, " is required").first, see_help);
  }
  if (is(CLI::ExitCodes::ArgumentMismatch)) {
    const auto [flag, override] = split_at(what, " was given a disallowed flag override");
    if (flag != what) return "--" + flag + ": takes no value; leave out what follows the =";
    const std::string name = split_at(what, ":").first;
    const CLI::Option* option = command.get_option_no_throw(name);
    const auto times = option == nullptr ? 0 : option->results().size();
    return times > 1 ? fmt::format("{}: given {} times; give it once", name, times)
                     : fmt::format("{}: needs a value; {}", name, see_help);
  }
  if (is(CLI::ExitCodes::ExcludesError)) {
    const auto [one, other] = split_at(what, " excludes ");
    return fmt::format("{}: cannot be given with {}; leave one out", one, other);
  }
  if (is(CLI::ExitCodes::RequiresError)) {
    const auto [one, other] = split_at(what, " requires ");
    return fmt::format("{}: needs {} as well", one, other);
  }
  if (is(CLI::ExitCodes::ValidationError)) {
    const auto [name, problem] = split_at(what, ": ");
    return name + (problem.compare(0, 1, "\"") == 0 ? " " : ": ") + problem;
  }
  return fmt::format("{}; {}", what, see_help);
}

std::string as_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      line += fmt::format("\\x{:02x}", code);
    } else {
      line += c;
    }
  }
  return line;
}

void print_error(const std::string& command, const std::string& message) {
  std::fprintf(stderr, "%s\n", as_one_line(command + ": " + message).c_str());
}

}  // namespace glidepath::cli
