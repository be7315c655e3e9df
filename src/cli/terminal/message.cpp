// src/cli/terminal/message.cpp - errors of the command line as one line each.
#include "cli/terminal/message.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "core/words.h"
#include "schedule/synonyms.h"

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

const std::vector<words::Synonym> kCommandsElsewhere = {{"fit", "train"},
                                                        {"run", "train --help"},
                                                        {"resume", "train --resume RUN"},
                                                        {"finetune", "train --init WEIGHTS"},
                                                        {"test", "evaluate"},
                                                        {"eval", "evaluate"},
                                                        {"val", "evaluate"},
                                                        {"validate", "evaluate"},
                                                        {"forecast", "plan"},
                                                        {"extrapolate", "plan"},
                                                        {"infer", "predict"},
                                                        {"classify", "predict"},
                                                        {"sweep", "study"},
                                                        {"grid", "study"},
                                                        {"search", "study"},
                                                        {"tune", "study"},
                                                        {"plot", "report"},
                                                        {"figures", "report"},
                                                        {"table", "report"},
                                                        {"dashboard", "watch"},
                                                        {"monitor", "watch"},
                                                        {"download", "data fetch"},
                                                        {"fetch", "data fetch"},
                                                        {"torchrun", "launch"},
                                                        {"distributed", "launch"},
                                                        {"schedulers", "schedules"},
                                                        {"lr", "schedules"},
                                                        {"cost", "train --dry-run"}};

/// An option that this command does not have, with what was given for it.
std::string unknown_option(const CLI::App& command, const std::string& name, const std::string& value) {
  const auto known = names_of_options(command);
  const auto is_known = [&](const std::string& flag) {
    return std::find(known.begin(), known.end(), flag) != known.end();
  };
  if (words::plain(name) == "pretrained" && is_known("--batch-size"))
    return name + ": no such option; here it is --init, a safetensors file or the folder of a run";
  if (words::plain(name).rfind("nproc", 0) == 0 || words::plain(name) == "gpus")
    return name + ": no such option; give glidepath launch -n 2 train ...";
  const auto hint = words::option_elsewhere(name, value);
  const std::string flag = hint ? flag_name(hint->key) : "";
  if (!hint || !is_known(flag))
    return fmt::format("{}: no such option; the nearest is {}", name, words::nearest(name, known));
  return fmt::format("{}: no such option; here it is {}{}{}", name, flag, hint->example.empty() ? "" : " ",
                     hint->example);
}

/// A word that is neither a command nor an option nor the value of one, and what follows it.
std::string unknown_word(const CLI::App& command, const std::vector<std::string>& extras) {
  const std::string& word = extras.front();
  if (word.size() > 1 && word.front() == '-') {
    const std::size_t equals = word.find('=');
    const std::string next = extras.size() > 1 ? extras[1] : "";
    return unknown_option(command, word.substr(0, equals),
                          equals == word.npos ? next : word.substr(equals + 1));
  }
  const auto commands = names_of_commands(command);
  if (!commands.empty()) {
    return fmt::format("\"{}\": no such command; the nearest is {}", word,
                       words::suggestion(word, commands, kCommandsElsewhere));
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

std::string flag_name(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

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
  if (is(CLI::ExitCodes::ExtrasError) && !extras.empty()) return unknown_word(command, extras);
  if (is(CLI::ExitCodes::RequiredError)) {
    const auto commands = names_of_commands(command);
    if (!extras.empty()) return unknown_word(command, extras);
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

void print_error(const std::string& command, const std::string& message) {
  std::fprintf(stderr, "%s\n", terminal_text(command + ": " + message).c_str());
}

}  // namespace glidepath::cli
