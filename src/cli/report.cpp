// src/cli/report.cpp - `glidepath report`: figures and tables of a study.
#include "glidepath/report.h"

#include <iostream>
#include <memory>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "core/safe_text.h"
#include "glidepath/cluster.h"

namespace glidepath::cli {

void add_report_command(CLI::App& app, int&) {
  struct Arguments {
    std::string study;
    ReportOptions options;
    std::string out;
  };
  auto* command = app.add_subcommand("report", "Draw the figures of a study and write its tables");
  auto arguments = std::make_shared<Arguments>();
  takes_path(command->add_option("study", arguments->study, "folder of a study (its --out)"),
             "the --out of glidepath study")
      ->required();
  takes_new_path(command->add_option("--out", arguments->out, "folder to write to (default: the study's)"),
                 "a folder, for example out/a");
  command->add_option("--format", arguments->options.formats, "of the figures: svg, png or both")
      ->delimiter(',')
      ->capture_default_str()
      ->check(one_of({"svg", "png"}));
  command->callback([arguments] {
    arguments->options.out = arguments->out;
    arguments->options.on_missing = [](const std::string& reason) {
      print_error("glidepath report", reason);
    };
    // What a cluster's tasks have written since the last time belongs into it.
    if (is_cluster_study(arguments->study)) collect_study(arguments->study);
    for (const auto& file : write_report(arguments->study, arguments->options))
      std::cout << terminal_text(file.string()) << "\n";
  });
}

}  // namespace glidepath::cli
