// src/cli/rank.cpp - `glidepath rank`: which value of an axis to take, and how sure that is.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/curve_plan.h"
#include "cli/rank_until.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "study/results/ranking.h"

namespace glidepath::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string more_text(const MoreRuns& more) {
  const std::string runs = fmt::format("{} more run{}", more.runs, more.runs == 1 ? "" : "s");
  return more.seconds > 0 ? fmt::format("{}, {}", runs, budget_text(more.seconds, "s")) : runs;
}

/// As a terminal counts: continuation bytes of UTF-8 take no room.
std::size_t shown_width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

using Lines = std::vector<std::vector<std::string>>;

/// Columns of one width each; the first `left` of them are aligned to the left.
std::string aligned(const Lines& lines, std::size_t left) {
  std::vector<std::size_t> widths(lines.front().size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], shown_width(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string space(widths[i] - shown_width(line[i]), ' ');
      row += (i == 0 ? "" : "  ") + (i < left ? line[i] + space : space + line[i]);
    }
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string order_text(const Ranking& ranking) {
  Lines lines = {
      {"rank", ranking.row_axis, ranking.budget.empty() ? ranking.score : ranking.budget, "group"}};
  for (const RankedRow& row : ranking.rows) {
    const std::string rank =
        row.best == row.worst ? fmt::format("{}", row.best) : fmt::format("{}-{}", row.best, row.worst);
    lines.push_back({rank, terminal_text(row.name), row.cell.text(), row.groups});
  }
  return aligned(lines, 2);
}

std::string odds_matrix(const Ranking& ranking) {
  Lines lines = {{""}};
  for (const RankedRow& row : ranking.rows) {
    lines[0].push_back(terminal_text(row.name));
    lines.push_back({terminal_text(row.name)});
  }
  for (std::size_t i = 0; i < ranking.rows.size(); ++i) {
    for (std::size_t j = 0; j < ranking.rows.size(); ++j)
      lines[i + 1].push_back(i == j ? "-" : fmt::format("{:.2f}", ranking.beats[i][j]));
  }
  return aligned(lines, 1);
}

std::string next_text(const Ranking& ranking) {
  if (ranking.open_pairs == 0) return "every pair is told apart\n";
  const std::string where = ranking.budget.empty() ? "" : fmt::format(" at {}", ranking.budget);
  const bool is_paired = std::any_of(ranking.pairs.begin(), ranking.pairs.end(),
                                     [](const RankedPair& pair) { return pair.difference.pairs >= 2; });
  const std::string decides =
      is_paired ? fmt::format("would tell apart {} of {} open pairs if differences stay as they are",
                              ranking.decided_by_seed, ranking.open_pairs)
                : "what it would tell apart, one seed does not say";
  std::string text = fmt::format("one more seed{}: {}; {}\n", where, more_text(ranking.one_seed), decides);
  constexpr std::size_t kTooMany = 1000;
  if (ranking.seeds_for_first > kTooMany) {
    text += fmt::format("{} and {}: more than {} seeds would be needed to tell them apart; take either\n",
                        terminal_text(ranking.rows[0].name), terminal_text(ranking.rows[1].name), kTooMany);
  } else if (ranking.seeds_for_first > 0) {
    text += fmt::format("{} and {}: {} seeds would tell them apart, with 80 %: {}\n",
                        terminal_text(ranking.rows[0].name), terminal_text(ranking.rows[1].name),
                        ranking.seeds_for_first, more_text(ranking.for_first));
  }
  return text;
}

std::string text_of(const Ranking& ranking) {
  std::string text = ranking.title.empty() ? "" : terminal_text(ranking.title) + "\n";
  if (!ranking.budget.empty())
    text +=
        fmt::format("order by {} at {}, the largest budget that all have\n", ranking.score, ranking.budget);
  text += order_text(ranking);
  text += "rows that share a letter cannot be told apart (paired by seed, 95 %, Holm over all pairs)\n";
  if (ranking.rows.size() > 1) {
    text += fmt::format("\nP(row is better than column){}\n{}\n",
                        ranking.target.empty() ? "" : fmt::format(" at {}", ranking.target),
                        odds_matrix(ranking));
    text += next_text(ranking);
  }
  if (ranking.at_target.runs > 0)
    text += fmt::format("{} itself, every row and seed: {}\n", ranking.target, more_text(ranking.at_target));
  for (const std::string& warning : ranking.warnings) text += "warning: " + terminal_text(warning) + "\n";
  return text;
}

Json more_json(const MoreRuns& more) {
  return {{"runs", more.runs}, {"seconds", more.seconds > 0 ? Json(more.seconds) : Json()}};
}

Json finite_json(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json json_of(const Ranking& ranking) {
  Json rows = Json::array(), pairs = Json::array();
  for (const RankedRow& row : ranking.rows) {
    rows.push_back({{"name", as_utf8(row.name)},
                    {"mean", finite_json(row.cell.mean)},
                    {"std", finite_json(row.cell.stddev)},
                    {"runs", row.cell.values.size()},
                    {"diverged", row.cell.diverged},
                    {"groups", row.groups},
                    {"best_rank", row.best},
                    {"worst_rank", row.worst}});
  }
  for (const RankedPair& pair : ranking.pairs) {
    pairs.push_back({{"ahead", pair.ahead},
                     {"behind", pair.behind},
                     {"difference", finite_json(pair.difference.mean)},
                     {"seeds", pair.difference.pairs},
                     {"p_value", pair.p_value},
                     {"told_apart", pair.is_told}});
  }
  return {{"title", as_utf8(ranking.title)},
          {"axis", ranking.row_axis},
          {"budget", ranking.budget},
          {"target", ranking.target},
          {"rows", rows},
          {"pairs", pairs},
          {"beats", ranking.beats},
          {"one_more_seed",
           {{"more", more_json(ranking.one_seed)},
            {"decides", ranking.decided_by_seed},
            {"open_pairs", ranking.open_pairs}}},
          {"first_two", {{"seeds", ranking.seeds_for_first}, {"more", more_json(ranking.for_first)}}},
          {"at_target", more_json(ranking.at_target)},
          {"warnings", ranking.warnings}};
}

/// Why no more was run; null where the probability was reached.
Json stop_json(UntilOutcome::Stop stop) {
  switch (stop) {
    case UntilOutcome::Stop::kReached:
      return {};
    case UntilOutcome::Stop::kMaxRuns:
      return "max-runs";
    case UntilOutcome::Stop::kSpend:
      return "spend";
    case UntilOutcome::Stop::kNothing:
      break;
  }
  return "diverged";
}

Json json_of(const UntilOutcome& outcome) {
  Json steps = Json::array();
  for (const UntilOutcome::Step& step : outcome.steps)
    steps.push_back({{"what", as_utf8(step.what)}, {"runs", step.runs}, {"seconds", step.seconds}});
  return {{"probability", outcome.until},
          {"reached", outcome.stop == UntilOutcome::Stop::kReached},
          {"stopped_by", stop_json(outcome.stop)},
          {"runs", outcome.runs},
          {"seconds", outcome.seconds},
          {"steps", steps}};
}

struct RankArguments {
  std::string study, until_text;
  RankOptions options;
  UntilArguments until;
  bool json = false;
};

/// Flags of errors are told as they are, the rest with the study.
template <typename Call>
auto blaming_study(const RankArguments& arguments, Call call) {
  try {
    return call();
  } catch (const InputError& error) {
    const std::string message = error.what();
    const bool is_named = message.rfind("--", 0) == 0 || message.rfind(arguments.study, 0) == 0;
    throw InputError(is_named ? message : fmt::format("{}: {}", arguments.study, message));
  }
}

void run_rank(const RankArguments& arguments) {
  std::optional<UntilOutcome> outcome;
  if (!arguments.until_text.empty()) {
    UntilArguments until = arguments.until;
    until.until = parse_probability(arguments.until_text);
    outcome = blaming_study(arguments, [&] { return decide(arguments.study, arguments.options, until); });
  }
  const std::vector<Ranking> rankings =
      blaming_study(arguments, [&] { return rank_study(read_results(arguments.study), arguments.options); });
  if (arguments.json) {
    Json json = {{"rankings", Json::array()}};
    if (outcome) json["until"] = json_of(*outcome);
    for (const Ranking& ranking : rankings) json["rankings"].push_back(json_of(ranking));
    std::cout << json_text(json) << "\n";
    return;
  }
  for (const Ranking& ranking : rankings)
    std::cout << text_of(ranking) << (&ranking == &rankings.back() ? "" : "\n");
  if (outcome) std::cout << "\n" << outcome_text(*outcome) << "\n";
}

}  // namespace

void add_rank_command(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("rank", "Order the values of an axis by what they reach, and say how sure that is");
  auto arguments = std::make_shared<RankArguments>();
  takes_path(command->add_option("study", arguments->study, "folder of a study (its --out)"),
             "the --out of glidepath study")
      ->required();
  command->add_option("--rows", arguments->options.rows,
                      "axis whose values are ordered: model (default: schedule, or else the first)");
  command->add_option("--at", arguments->options.at,
                      "budget that they are meant for (default: the full one)");
  auto* until = command->add_option(
      "--until", arguments->until_text,
      "run more seeds and budgets until the best is better than each other with this probability: 95%");
  UntilArguments& more = arguments->until;
  command->add_option("--max-runs", more.max_runs, "with --until: stop before more runs than these")
      ->capture_default_str()
      ->check(whole_number(1, 100'000))
      ->needs(until);
  command->add_option("--spend", more.spend, "with --until: stop before runs take longer in sum: 2h")
      ->needs(until);
  command->add_option("--jobs", more.jobs, "with --until: runs side by side; 0: as many as the cores hold")
      ->check(whole_number(0, 4096))
      ->needs(until);
  command->add_flag("--quiet", more.quiet, "with --until: say nothing of the runs")->needs(until);
  command->add_flag("--json", arguments->json, "print one JSON object");
  arguments->options.chance = chance_of;
  command->callback([arguments] { run_rank(*arguments); });
}

}  // namespace glidepath::cli
