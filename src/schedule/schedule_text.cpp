// src/schedule/schedule_text.cpp - the grammar of schedules.
#include "schedule/schedule_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

// Splits at commas that are not inside parentheses: cut(step(0.5,0.75)) has one argument.
std::vector<std::string_view> split_arguments(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      parts.push_back(words::trim(text.substr(begin, i - begin)));
      begin = i + 1;
    } else {
      depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    }
  }
  return parts;
}

constexpr int kDeepest = 16;  // each takes some of the stack

bool is_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

void ScheduleCall::refuse(const std::string& reason) const {
  throw InputError(fmt::format("\"{}\": {}", text_, reason));
}

ScheduleCall ScheduleCall::parse(std::string_view text) {
  ScheduleCall call;
  call.text_ = text;
  const std::string_view trimmed = words::trim(text);
  const std::size_t open = trimmed.find('(');
  call.name_ = words::trim(trimmed.substr(0, open));
  if (call.name_.empty()) call.refuse("empty; give a schedule, for example linear or poly(power=2)");
  if (open == std::string_view::npos) {
    if (trimmed.find_first_of("),=") != std::string_view::npos)
      call.refuse("write name or name(arguments), for example poly(power=2)");
    return call;
  }
  int depth = 0;
  for (std::size_t i = open; i < trimmed.size(); ++i) {
    depth += trimmed[i] == '(' ? 1 : trimmed[i] == ')' ? -1 : 0;
    if (depth > kDeepest) call.refuse(fmt::format("more than {} parentheses inside each other", kDeepest));
    if (depth == 0 && i + 1 < trimmed.size()) call.refuse("nothing may follow the closing parenthesis");
  }
  if (depth != 0) call.refuse("a parenthesis is not closed");
  const std::string_view inside = words::trim(trimmed.substr(open + 1, trimmed.size() - open - 2));
  if (inside.empty()) return call;
  for (const std::string_view argument : split_arguments(inside)) {
    if (argument.empty()) call.refuse("an argument is empty");
    const std::size_t equals = argument.find('=');
    const bool named = equals != std::string_view::npos && is_key(words::trim(argument.substr(0, equals)));
    if (!named) {
      if (!call.named_.empty()) call.refuse("arguments without a name come before those with one");
      call.positional_.emplace_back(argument);
      continue;
    }
    std::string key(words::trim(argument.substr(0, equals)));
    const auto twice = [&](const auto& pair) { return pair.first == key; };
    if (std::any_of(call.named_.begin(), call.named_.end(), twice))
      call.refuse(fmt::format("{} is given twice", key));
    call.named_.emplace_back(std::move(key), words::trim(argument.substr(equals + 1)));
  }
  return call;
}

std::optional<std::string> ScheduleCall::take(const std::string& key, bool positional) {
  asked_.push_back(key);
  const auto found =
      std::find_if(named_.begin(), named_.end(), [&](const auto& pair) { return pair.first == key; });
  std::optional<std::string> value;
  if (found != named_.end()) {
    value = found->second;
    named_.erase(found);
  } else if (positional && !positional_.empty()) {
    value = positional_.front();
    positional_.erase(positional_.begin());
  }
  return value;
}

double ScheduleCall::number(const std::string& key, double fallback, double low, double high, bool open_low) {
  const auto given = take(key);
  if (!given) {
    if (bare_) note(key, words::number_text(fallback));
    return fallback;
  }
  const auto value = words::number(*given);
  if (!value || !(open_low ? *value > low : *value >= low) || !(*value <= high)) {
    refuse(fmt::format("{} \"{}\" must be a number {}", key, *given,
                       std::isinf(high) && std::isinf(low) ? std::string("that is finite")
                       : std::isinf(high) ? fmt::format("{} {}", open_low ? "above" : "of at least", low)
                                          : fmt::format("in {}{}, {}]", open_low ? "(" : "[", low, high)));
  }
  if (bare_ || *value != fallback) note(key, words::number_text(*value));
  return *value;
}

double ScheduleCall::share(const std::string& key, double fallback, bool positional) {
  const auto given = take(key, positional);
  if (!given) return fallback;
  const auto [digits, unit] = words::split_number(*given);
  const auto value = words::number(digits);
  const double share = value ? (unit == "%" ? *value / 100 : *value) : -1;
  if ((!unit.empty() && unit != "%") || !(share >= 0 && share <= 1)) {
    refuse(fmt::format("{} \"{}\" must be a share in [0, 1], for example 20% or 0.2", key, *given));
  }
  if (share != fallback) note(key, words::share_text(share));
  return share;
}

std::string ScheduleCall::word(const std::string& key, const std::string& fallback,
                               const std::vector<std::string>& words) {
  const auto given = take(key);
  if (!given) return fallback;
  if (std::find(words.begin(), words.end(), *given) == words.end()) {
    refuse(fmt::format("{} \"{}\" must be one of {}", key, *given, fmt::join(words, ", ")));
  }
  if (*given != fallback) note(key, *given);
  return *given;
}

void ScheduleCall::note(const std::string& key, const std::string& value) {
  noted_.push_back(bare_ ? value : key + "=" + value);
}

void ScheduleCall::become(const std::string& name, std::vector<std::string> positional,
                          std::pair<std::string, std::string> named) {
  if (!positional_.empty())
    refuse(fmt::format("{} takes no further argument \"{}\"", name_, positional_.front()));
  name_ = name;
  positional_ = std::move(positional);
  const auto is_given = [&](const auto& pair) { return pair.first == named.first; };
  if (std::none_of(named_.begin(), named_.end(), is_given)) named_.push_back(std::move(named));
  asked_.clear();
}

std::string ScheduleCall::canonical() const {
  return noted_.empty() ? name_ : fmt::format("{}({})", name_, fmt::join(noted_, ","));
}

std::vector<std::string> ScheduleCall::take_positional() { return std::exchange(positional_, {}); }

std::vector<std::string> ScheduleCall::take_named() {
  std::vector<std::string> texts;
  texts.reserve(named_.size());
  for (const auto& [key, value] : std::exchange(named_, {})) texts.push_back(key + "=" + value);
  return texts;
}

void ScheduleCall::require_all_taken() const {
  if (!positional_.empty())
    refuse(fmt::format("{} takes no further argument \"{}\"", name_, positional_.front()));
  if (!named_.empty()) {
    refuse(fmt::format("{} has no argument \"{}\"; it has {}", name_, named_.front().first,
                       fmt::join(asked_, ", ")));
  }
}

}  // namespace glidepath
