// src/budget/deadline.cpp - points in time as budgets.
#include "budget/deadline.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <optional>

#include <fmt/format.h>

#include "core/words.h"
#include "glidepath/error.h"
#include "programs/command.h"

namespace glidepath {
namespace {

// Of the years that four digits can write: 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
constexpr double kFirstSecond = -62'135'596'800, kLastSecond = 253'402'300'799;

[[noreturn]] void refuse(std::string_view text, const char* reason) {
  throw InputError(
      fmt::format("\"{}\": {}; give a time such as 2026-12-01T06:00 (local) or "
                  "2026-12-01T06:00Z",
                  text, reason));
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool same_minute(const std::tm& a, const std::tm& b) {
  return a.tm_year == b.tm_year && a.tm_mon == b.tm_mon && a.tm_mday == b.tm_mday && a.tm_hour == b.tm_hour &&
         a.tm_min == b.tm_min;
}

// Seconds east of UTC; nothing for local time.
std::optional<int> take_zone(std::string_view& rest, std::string_view text) {
  if (take(rest, 'Z')) return 0;
  if (rest.empty()) return std::nullopt;
  const int sign = rest.front() == '-' ? -1 : 1;
  if (!take(rest, '+') && !take(rest, '-')) refuse(text, "not a date and time");
  const auto hours = take_digits(rest, 2);
  take(rest, ':');
  const auto minutes = take_digits(rest, 2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) refuse(text, "its offset is not like +01:00");
  return sign * (*hours * 3600 + *minutes * 60);
}

}  // namespace

double parse_deadline(std::string_view text) {
  std::string_view rest = words::trim(text);
  std::tm time{};
  const auto year = take_digits(rest, 4);
  const bool dash = take(rest, '-');
  const auto month = take_digits(rest, 2);
  const bool second_dash = take(rest, '-');
  const auto day = take_digits(rest, 2);
  const bool separated = take(rest, 'T') || take(rest, ' ');
  const auto hour = take_digits(rest, 2);
  const bool colon = take(rest, ':');
  const auto minute = take_digits(rest, 2);
  if (!year || !dash || !month || !second_dash || !day || !separated || !hour || !colon || !minute)
    refuse(text, "not a date and time");
  std::optional<int> second = 0;
  if (take(rest, ':') && !(second = take_digits(rest, 2))) refuse(text, "not a date and time");
  const std::optional<int> zone = take_zone(rest, text);
  if (!rest.empty()) refuse(text, "not a date and time");

  time.tm_year = *year - 1900;
  time.tm_mon = *month - 1;
  time.tm_mday = *day;
  time.tm_hour = *hour;
  time.tm_min = *minute;
  time.tm_sec = *second;
  time.tm_isdst = -1;
  std::tm made = time;
  const std::time_t seconds = zone ? ::timegm(&made) : ::mktime(&made);
  const double utc = static_cast<double>(seconds) - zone.value_or(0);
  if (*second > 59 || !same_minute(made, time) || utc < kFirstSecond || utc > kLastSecond)
    refuse(text, "there is no such time");
  return utc;
}

std::string deadline_text(double unix_seconds) {
  if (!(unix_seconds <= kLastSecond)) return "after " + deadline_text(kLastSecond);
  unix_seconds = std::max(unix_seconds, kFirstSecond);
  const auto seconds = static_cast<std::time_t>(std::floor(unix_seconds));
  std::tm time{};
  ::gmtime_r(&seconds, &time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", time.tm_year + 1900, time.tm_mon + 1,
                     time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec);
}

double slurm_end_seconds() {
  if (const char* end = std::getenv("SLURM_JOB_END_TIME")) {
    if (const auto seconds = words::number(end); seconds && *seconds > 0 && *seconds <= kLastSecond)
      return *seconds;
    throw InputError(fmt::format("SLURM_JOB_END_TIME \"{}\": must be seconds since 1970", end));
  }
  const char* job = std::getenv("SLURM_JOB_ID");
  if (job == nullptr) {
    throw InputError(
        "budget \"slurm\": this is not a Slurm job (neither SLURM_JOB_END_TIME nor SLURM_JOB_ID "
        "is set); give a time such as 2h");
  }
  const std::string id = job;
  if (id.empty() || id.find_first_not_of("0123456789_") != std::string::npos)
    throw InputError(fmt::format("SLURM_JOB_ID \"{}\": must be a number", id));
  const CommandResult result = run_command({"squeue", "-h", "-j", id, "-o", "%e"});
  const std::string answer(words::trim(result.out.substr(0, result.out.find('\n'))));
  if (!result.is_good() || answer.empty()) {
    throw RunError(
        fmt::format("budget \"slurm\": squeue does not tell when job {} ends; give a time such as 2h "
                    "or --deadline",
                    id));
  }
  if (answer == "N/A" || answer == "NONE" || answer == "Unknown") {
    throw InputError(
        fmt::format("budget \"slurm\": job {} has no time limit (squeue says \"{}\"); give a time such as 2h",
                    id, answer));
  }
  try {
    return parse_deadline(answer + "Z");  // it was asked in UTC
  } catch (const InputError&) {
    throw RunError(fmt::format(
        "budget \"slurm\": squeue's answer \"{}\" for the end of job {} is no time; give a time such as 2h",
        answer, id));
  }
}

double slurm_deadline(double end_seconds, double now_seconds) {
  constexpr double kShare = 0.02, kLeast = 10, kMost = 120;
  return end_seconds - std::clamp(kShare * (end_seconds - now_seconds), kLeast, kMost);
}

}  // namespace glidepath
