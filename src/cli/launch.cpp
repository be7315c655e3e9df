// src/cli/launch.cpp - `glidepath launch`: one command in many processes that train together.
#include <filesystem>
#include <memory>

#include "cli/checks.h"
#include "cli/commands.h"
#include "glidepath/error.h"
#include "ranks/meeting/launcher.h"

namespace glidepath::cli {
namespace {

void run_launch(const LaunchOptions& options, const std::vector<std::string>& rest, int& exit_status) {
  if (rest.empty() || rest.front() != "train") {
    throw InputError(
        "a command to start is missing; give train and its options, as in: glidepath launch -n 2 "
        "train --data digits --out runs/a");
  }
  exit_status = launch(std::filesystem::read_symlink("/proc/self/exe").string(), rest, options);
}

}  // namespace

void add_launch_command(CLI::App& app, int& exit_status) {
  auto* command = app.add_subcommand(
      "launch", "Start processes that train one model together: glidepath launch -n 2 train ...");
  auto options = std::make_shared<LaunchOptions>();
  command->add_option("-n,--ranks", options->ranks, "processes on this machine")
      ->required()
      ->check(whole_number(1, 4096))
      ->type_name("N");
  command
      ->add_option("--threads-per-rank", options->threads_per_rank,
                   "CPU threads of each process (default: the cores, evenly)")
      ->check(whole_number(1, 512))
      ->type_name("N");
  command->add_option("--nodes", options->nodes, "machines of the job; launch is started on each")
      ->check(whole_number(1, 65536))
      ->type_name("[1]");
  command->add_option("--node-rank", options->node, "which of them this is, from 0")
      ->check(whole_number(0, 65535))
      ->type_name("[0]");
  command->add_option("--master-addr", options->master_address, "machine 0, as the others reach it")
      ->check(not_empty("a host name or address"))
      ->type_name("[127.0.0.1]");
  command
      ->add_option("--master-port", options->master_port, "a free port there (default: any, on one machine)")
      ->check(whole_number(1, 65535))
      ->type_name("N");
  command
      ->add_option(
          "--join-seconds", options->join_seconds,
          "how long to wait for processes that have not come (default: $GLIDEPATH_JOIN_SECONDS, or 300)")
      ->check(whole_number(1, 1000000))
      ->type_name("N");
  command->prefix_command();
  command->callback(
      [options, command, &exit_status] { run_launch(*options, command->remaining(), exit_status); });
}

}  // namespace glidepath::cli
