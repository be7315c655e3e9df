// src/study/cluster/settings.cpp - what a study asks of Slurm, from text.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

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

std::string sbatch_option(const std::string& text) {
  const auto has_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (text.size() < 2 || text.front() != '-' || std::any_of(text.begin(), text.end(), has_control))
    refuse("sbatch_option", text, "must be an option of sbatch, for example --account=physics");
  static const std::vector<std::string> ours = {
      "--array",     "-a",           "--output",   "-o",      "--error", "-e",
      "--open-mode", "--signal",     "--job-name", "-J",      "--wrap",  "--parsable",
      "--wait",      "--no-requeue", "--requeue",  "--chdir", "-D"};
  const std::string name = text.substr(0, text.find_first_of("= "));
  if (std::find(ours.begin(), ours.end(), name) != ours.end())
    refuse("sbatch_option", text, "is set by glidepath study itself; leave it out");
  return text;
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
