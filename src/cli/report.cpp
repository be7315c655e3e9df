// src/cli/report.cpp - `glidepath report`: figures and tables of a study.
#include "glidepath/report.h"

#include <iostream>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/curve_plan.h"
#include "cli/terminal/message.h"
#include "core/safe_text.h"
#include "glidepath/cluster.h"
#include "glidepath/error.h"

namespace glidepath::cli {

namespace {

void add_label(const std::string& text, std::map<std::string, std::string>& labels) {
  const auto place = text.rfind('=');  // schedules have more of them: poly(power=2)
  if (place == std::string::npos || place == 0 || place + 1 == text.size())
    throw InputError(
        fmt::format("--label \"{}\": must be name=text, for example \"step-d2=step decay\"", text));
  labels[text.substr(0, place)] = text.substr(place + 1);
}

}  // namespace

void add_report_command(CLI::App& app, int&) {
  struct Arguments {
    std::string study;
    ReportOptions options;
    std::string out;
    std::vector<std::string> labels;
    bool no_caption = false;
  };
  auto* command = app.add_subcommand("report", "Draw the figures of a study and write its tables");
  auto arguments = std::make_shared<Arguments>();
  takes_path(command->add_option("study", arguments->study, "folder of a study (its --out)"),
             "the --out of glidepath study")
      ->required();
  takes_new_path(command->add_option("--out", arguments->out, "folder to write to (default: the study's)"),
                 "a folder, for example out/a");
  command->add_option("--format", arguments->options.formats, "of the figures: svg, png, pdf, or several")
      ->delimiter(',')
      ->capture_default_str()
      ->check(one_of({"svg", "png", "pdf"}));
  command->add_flag("--no-caption", arguments->no_caption, "figures without title and text");
  command
      ->add_option("--width", arguments->options.width_cm,
                   "of figures in cm, as a paper's column (default: as wide as their panels)")
      ->check(number_between(5, 100));
  command->add_option("--envelope", arguments->options.envelope,
                      "figure 1's trade-off is this schedule's (default: the best average rank)");
  command
      ->add_option("--label", arguments->labels, "name=text: what a schedule is called in figures and tables")
      ->allow_extra_args(false);
  command->callback([arguments] {
    arguments->options.out = arguments->out;
    arguments->options.caption = !arguments->no_caption;
    arguments->options.chance = chance_of;
    for (const std::string& label : arguments->labels) add_label(label, arguments->options.labels);
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
