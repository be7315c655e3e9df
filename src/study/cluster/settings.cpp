// src/study/cluster/settings.cpp - what a study asks of Slurm, from text.
#include <algorithm>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/words.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/study.h"

namespace glidepath {
namespace {

[[noreturn]] void refuse(const std::string& key, const std::string& text, const std::string& what) {
  throw InputError(fmt::format("{} \"{}\": {}", key, text, what));
}

bool is_only(const std::string& text, const char* allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string::npos;
}

std::int64_t whole_number(const std::string& key, const std::string& text, std::int64_t least) {
  constexpr std::int64_t kMost = 1'000'000;
  const std::int64_t value = words::count(text).value_or(-1);
  if (value < least || value > kMost)
    refuse(key, text, fmt::format("must be a whole number in [{}, {}]", least, kMost));
  return value;
}

/// 2h and 1h30m as our budgets have it; what Slurm itself takes (minutes, MM:SS, D-HH:MM:SS) stays.
std::string time_limit(const std::string& text) {
  const bool is_slurms = is_only(text, "0123456789:-") && text.front() != '-' && text.back() != ':';
  if (is_slurms && is_only(text, "0123456789")) whole_number("time", text, 1);
  if (is_slurms) return text;
  try {
    const Budget budget = parse_budget(text);
    if (budget.unit == BudgetUnit::kSeconds && budget.amount >= 60 && budget.amount <= 1e8) {
      const auto seconds = static_cast<std::int64_t>(budget.amount);
      return fmt::format("{}-{:02}:{:02}:{:02}", seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60,
                         seconds % 60);
    }
  } catch (const InputError&) {  // one message for all that is no time
  }
  refuse("time", text, "must be a time of a minute or more, for example 2h or 1-12:00:00");
}

// What a study may ask of sbatch beyond its own keys: whose account pays, which nodes, when, and who is told.
// Not what runs, in which environment, as whom, or where files go: a study file may come from anywhere.
struct SbatchOption {
  const char* name;
  char letter;  // its short form; 0: it has none
  enum Value { kNeeded, kOptional, kNone } value;
};

constexpr SbatchOption kSbatchOptions[] = {{"account", 'A', SbatchOption::kNeeded},
                                           {"begin", 'b', SbatchOption::kNeeded},
                                           {"cluster-constraint", 0, SbatchOption::kNeeded},
                                           {"comment", 0, SbatchOption::kNeeded},
                                           {"constraint", 'C', SbatchOption::kNeeded},
                                           {"contiguous", 0, SbatchOption::kNone},
                                           {"core-spec", 'S', SbatchOption::kNeeded},
                                           {"cores-per-socket", 0, SbatchOption::kNeeded},
                                           {"cpu-freq", 0, SbatchOption::kNeeded},
                                           {"cpus-per-gpu", 0, SbatchOption::kNeeded},
                                           {"deadline", 0, SbatchOption::kNeeded},
                                           {"delay-boot", 0, SbatchOption::kNeeded},
                                           {"distribution", 'm', SbatchOption::kNeeded},
                                           {"exclude", 'x', SbatchOption::kNeeded},
                                           {"exclusive", 0, SbatchOption::kOptional},
                                           {"extra-node-info", 'B', SbatchOption::kNeeded},
                                           {"gpu-bind", 0, SbatchOption::kNeeded},
                                           {"gpu-freq", 0, SbatchOption::kNeeded},
                                           {"gpus", 'G', SbatchOption::kNeeded},
                                           {"gpus-per-node", 0, SbatchOption::kNeeded},
                                           {"gpus-per-task", 0, SbatchOption::kNeeded},
                                           {"gres", 0, SbatchOption::kNeeded},
                                           {"gres-flags", 0, SbatchOption::kNeeded},
                                           {"hint", 0, SbatchOption::kNeeded},
                                           {"hold", 'H', SbatchOption::kNone},
                                           {"licenses", 'L', SbatchOption::kNeeded},
                                           {"mail-type", 0, SbatchOption::kNeeded},
                                           {"mail-user", 0, SbatchOption::kNeeded},
                                           {"mcs-label", 0, SbatchOption::kNeeded},
                                           {"mem-bind", 0, SbatchOption::kNeeded},
                                           {"mem-per-cpu", 0, SbatchOption::kNeeded},
                                           {"mem-per-gpu", 0, SbatchOption::kNeeded},
                                           {"mincpus", 0, SbatchOption::kNeeded},
                                           {"nice", 0, SbatchOption::kOptional},
                                           {"nodelist", 'w', SbatchOption::kNeeded},
                                           {"oversubscribe", 's', SbatchOption::kNone},
                                           {"partition", 'p', SbatchOption::kNeeded},
                                           {"power", 0, SbatchOption::kNeeded},
                                           {"prefer", 0, SbatchOption::kNeeded},
                                           {"priority", 0, SbatchOption::kNeeded},
                                           {"qos", 'q', SbatchOption::kNeeded},
                                           {"reservation", 0, SbatchOption::kNeeded},
                                           {"sockets-per-node", 0, SbatchOption::kNeeded},
                                           {"spread-job", 0, SbatchOption::kNone},
                                           {"switches", 0, SbatchOption::kNeeded},
                                           {"thread-spec", 0, SbatchOption::kNeeded},
                                           {"threads-per-core", 0, SbatchOption::kNeeded},
                                           {"time-min", 0, SbatchOption::kNeeded},
                                           {"tmp", 0, SbatchOption::kNeeded},
                                           {"use-min-nodes", 0, SbatchOption::kNone},
                                           {"wckey", 0, SbatchOption::kNeeded}};

/// Name and value of --name=value, --name, -nvalue and "-n value". sbatch itself takes --nam=value too: here
/// a name is whole.
struct SplitOption {
  std::string name, value;
  char letter = 0;
  bool has_value = false;
};

SplitOption split_option(const std::string& text) {
  SplitOption split;
  if (text.compare(0, 2, "--") != 0) {
    split.letter = text[1];
    split.value = words::trim(std::string_view(text).substr(2));
    split.has_value = !split.value.empty();
    return split;
  }
  const std::size_t end = std::min(text.find_first_of("= "), text.size());
  split.name = text.substr(2, end - 2);
  split.has_value = end < text.size();
  if (split.has_value) split.value = words::trim(std::string_view(text).substr(end + 1));
  return split;
}

/// Makes one spelling of it. A value is one word without quotes: sbatch splits the line at spaces, and what
/// follows one would be an option of its own.
std::string sbatch_option(const std::string& text) {
  constexpr const char* kOfValues =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,:;@%+=/[]()&|*!~";
  if (text.size() < 2 || text.front() != '-' || text == "--")
    refuse("sbatch_option", text, "must be an option of sbatch, for example --account=physics");
  const SplitOption split = split_option(text);
  const auto* known =
      std::find_if(std::begin(kSbatchOptions), std::end(kSbatchOptions), [&](const auto& option) {
        return split.name.empty() ? option.letter != 0 && option.letter == split.letter
                                  : split.name == option.name;
      });
  if (known == std::end(kSbatchOptions)) {
    static const std::vector<std::string> ours = {
        "--array",     "-a",           "--output",   "-o",      "--error", "-e",
        "--open-mode", "--signal",     "--job-name", "-J",      "--wrap",  "--parsable",
        "--wait",      "--no-requeue", "--requeue",  "--chdir", "-D"};
    const std::string name = text.substr(0, text.find_first_of("= "));
    if (std::find(ours.begin(), ours.end(), name) != ours.end())
      refuse("sbatch_option", text, "is set by glidepath study itself; leave it out");
    std::vector<std::string> names;
    for (const SbatchOption& option : kSbatchOptions) names.emplace_back(option.name);
    refuse("sbatch_option", text,
           fmt::format("is not among the options of sbatch that a study may give; those are {}",
                       fmt::join(names, ", ")));
  }
  const bool is_right = split.has_value
                            ? known->value != SbatchOption::kNone && is_only(split.value, kOfValues)
                            : known->value != SbatchOption::kNeeded;
  if (!is_right) {
    refuse("sbatch_option", text,
           known->value == SbatchOption::kNone
               ? fmt::format("--{} takes no value", known->name)
               : fmt::format("the value of --{} must be one word of letters, digits "
                             "and signs, without quotes",
                             known->name));
  }
  return split.has_value ? fmt::format("--{}={}", known->name, split.value)
                         : fmt::format("--{}", known->name);
}

std::string plain_word(const std::string& key, const std::string& text) {
  if (!is_only(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,"))
    refuse(key, text, "must be a name of letters, digits, _, - and .");
  return text;
}

std::string memory(const std::string& text) {
  const std::string digits = text.substr(0, text.find_first_not_of("0123456789"));
  const std::string unit = text.substr(digits.size());
  if (digits.empty() || digits.size() > 9 ||
      (!unit.empty() && !(unit.size() == 1 && is_only(unit, "KMGTkmgt"))))
    refuse("mem", text, "must be an amount of memory, for example 8G");
  return text;
}

}  // namespace

const std::vector<std::string>& slurm_keys() {
  static const std::vector<std::string> keys = {"partition",     "time",        "mem",
                                                "cpus",          "gpus",        "array_limit",
                                                "runs_per_task", "max_requeue", "sbatch_option"};
  return keys;
}

void set_slurm_value(SlurmSettings& settings, const std::string& key, const std::string& text) {
  if (key == "partition") {
    settings.partition = plain_word(key, text);
  } else if (key == "time") {
    settings.time = time_limit(text);
  } else if (key == "mem") {
    settings.mem = memory(text);
  } else if (key == "cpus") {
    settings.cpus = whole_number(key, text, 1);
  } else if (key == "gpus") {
    settings.gpus = whole_number(key, text, 0);
  } else if (key == "array_limit") {
    settings.array_limit = whole_number(key, text, 1);
  } else if (key == "runs_per_task") {
    settings.runs_per_task = whole_number(key, text, 1);
  } else if (key == "max_requeue") {
    settings.max_requeue = whole_number(key, text, 0);
  } else if (key == "sbatch_option") {
    settings.sbatch_options.push_back(sbatch_option(text));
  } else {
    throw InputError(
        fmt::format("\"{}\": no such key; the nearest is {}", key, words::nearest(key, slurm_keys())));
  }
}

}  // namespace glidepath
