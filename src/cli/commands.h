// src/cli/commands.h - one function per command: declares its flags on `app` and what runs when it is chosen.
#pragma once
#include <memory>

#include <CLI/CLI.hpp>

namespace glidepath::cli {

/// Each adds its subcommand. The callback parses, calls the library and prints; it leaves `exit_status` alone
/// when all went well and throws glidepath::Error otherwise.
void add_train_command(CLI::App& app, int& exit_status);
void add_launch_command(CLI::App& app, int& exit_status);
void add_study_command(CLI::App& app, int& exit_status);
void add_report_command(CLI::App& app, int& exit_status);
void add_plan_command(CLI::App& app, int& exit_status);
void add_pilot_command(CLI::App& app, int& exit_status);
void add_rank_command(CLI::App& app, int& exit_status);
void add_import_command(CLI::App& app, int& exit_status);
void add_measure_command(CLI::App& app, int& exit_status);
void add_evaluate_command(CLI::App& app, int& exit_status);
void add_predict_command(CLI::App& app, int& exit_status);
void add_export_command(CLI::App& app, int& exit_status);
void add_watch_command(CLI::App& app, int& exit_status);
void add_schedules_command(CLI::App& app, int& exit_status);
void add_data_command(CLI::App& app, int& exit_status);

/// The whole command line: all of them, --version and --help.
std::unique_ptr<CLI::App> make_app(int& exit_status);

}  // namespace glidepath::cli
