// src/cli/terminal/message.h - what is said on standard error when a command line cannot be done.
#pragma once
#include <string>

#include <CLI/CLI.hpp>

namespace glidepath::cli {

/// "--base-lr" of base_lr.
std::string flag_name(std::string key);

/// "glidepath train" once a command is known, "glidepath" before.
std::string command_name(const CLI::App& app);

/// What is wrong with the words of a command line, in our own form: option, value, problem, remedy.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error);

/// Prints `command: message` as one line, whatever a value or a file's name in it holds.
void print_error(const std::string& command, const std::string& message);

}  // namespace glidepath::cli
