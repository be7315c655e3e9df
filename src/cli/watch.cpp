// src/cli/watch.cpp - `glidepath watch`: how far a study is, in the browser and in the terminal.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/terminal/live_block.h"
#include "cli/terminal/stop_signal.h"
#include "glidepath/error.h"
#include "study/execute/progress.h"
#include "watch/server.h"
#include "watch/snapshot.h"

namespace glidepath::cli {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(1000);
constexpr auto kAskForSignalsEvery = std::chrono::milliseconds(50);

struct WatchArguments {
  std::string study;
  WatchServerOptions server;
  bool terminal = false, json = false;
};

WatchSnapshot look(const std::string& study) { return take_snapshot(study, std::time(nullptr)); }

/// What has ended since the last look, as the study itself would have said it.
void print_ended(const WatchSnapshot& snapshot, std::set<std::string>& told) {
  for (auto index = snapshot.ended.rbegin(); index != snapshot.ended.rend(); ++index) {
    const RunRecord& run = snapshot.results.runs[*index];
    if (!told.insert(run.id).second) continue;
    std::cout << finished_line(run, snapshot.progress(), snapshot.results.axes) << "\n";
  }
  std::cout.flush();
}

void refuse_if_stopped() {
  if (const int signal = stop_signal()) throw Interrupted("stopped; the study itself goes on", signal);
}

void follow(const WatchArguments& arguments) {
  WatchSnapshot snapshot = look(arguments.study);
  std::optional<WatchServer> server;
  if (!arguments.terminal) {
    WatchServerOptions options = arguments.server;
    options.title = snapshot.results.heading();
    server.emplace(options);
    std::cout << "watch at " << server->address() << "  (Ctrl-C ends it)" << std::endl;
  }
  LiveBlock block(stdout, isatty(STDOUT_FILENO) != 0);
  std::set<std::string> told;
  for (const std::size_t index : snapshot.ended) told.insert(snapshot.results.runs[index].id);
  for (;;) {
    if (server) server->publish(snapshot_json(snapshot, true));
    block.clear();
    print_ended(snapshot, told);
    if (!server && !std::cout) return;  // nobody reads it any more
    block.show(live_lines(snapshot.progress(), snapshot.results.axes, block.width()));
    if (!server && snapshot.is_over()) break;
    for (auto waited = kAskForSignalsEvery; waited < kLookEvery; waited += kAskForSignalsEvery) {
      refuse_if_stopped();
      std::this_thread::sleep_for(kAskForSignalsEvery);
    }
    snapshot = look(arguments.study);
  }
  block.clear();
  for (const std::string& line : live_lines(snapshot.progress(), snapshot.results.axes, block.width())) {
    std::cout << line << "\n";
  }
}

}  // namespace

void add_watch_command(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("watch", "Show how far a study is: a live page, and lines in the terminal");
  auto arguments = std::make_shared<WatchArguments>();
  takes_path(command->add_option("study", arguments->study, "folder of a study (its --out)"),
             "the --out of glidepath study")
      ->required();
  auto* host = command
                   ->add_option("--host", arguments->server.host,
                                "address or name of this machine to serve the page at")
                   ->capture_default_str()
                   ->check(not_empty("an address of this machine, for example 127.0.0.1"));
  auto* port = command->add_option("--port", arguments->server.port, "of the page; 0: any that is free")
                   ->capture_default_str()
                   ->check(whole_number(0, 65535));
  auto* terminal = command->add_flag("--terminal", arguments->terminal, "no page; ends when the study does");
  auto* json = command->add_flag("--json", arguments->json, "print one snapshot as JSON and end");
  for (auto* other : {host, port}) {
    terminal->excludes(other);
    json->excludes(other);
  }
  terminal->excludes(json);
  command->callback([arguments] {
    if (arguments->json) {
      std::cout << snapshot_json(look(arguments->study), false) << "\n";
      return;
    }
    catch_stop_signals();
    stop_signal();  // from here on a signal ends this loop, not the program on the spot
    follow(*arguments);
  });
}

}  // namespace glidepath::cli
