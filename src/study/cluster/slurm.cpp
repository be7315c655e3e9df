// src/study/cluster/slurm.cpp - asking Slurm: sbatch, squeue, sacct, scancel, scontrol, and what they answer.
#include "study/cluster/slurm.h"

#include <algorithm>
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "core/words.h"
#include "glidepath/error.h"
#include "programs/command.h"

namespace glidepath {
namespace {

constexpr std::int64_t kDefaultMaxArraySize = 1001;  // slurm.conf(5)

std::vector<std::string> split(const std::string& line, char mark, std::size_t most) {
  std::vector<std::string> parts(1);
  for (const char c : line) {
    if (c == mark && parts.size() < most) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool is_job_id(const std::string& text) { return words::count(text).has_value(); }

/// "CANCELLED by 1000" is CANCELLED.
std::string first_word(const std::string& text) { return text.substr(0, text.find(' ')); }

/// "sbatch: error: ...": Slurm's programs mostly begin with their name themselves.
std::string complaint(const std::string& program, const CommandResult& result) {
  const std::string why = result.why();
  return why.rfind(program + ":", 0) == 0 ? why : program + ": " + why;
}

[[noreturn]] void refuse(const char* program, const CommandResult& result) {
  throw RunError(complaint(program, result));
}

}  // namespace

bool is_in_queue(const QueueEntry& entry) {
  static const std::vector<std::string> states = {"PENDING",       "RUNNING",   "SUSPENDED",   "CONFIGURING",
                                                  "COMPLETING",    "REQUEUED",  "REQUEUE_FED", "REQUEUE_HOLD",
                                                  "SPECIAL_EXIT",  "SIGNALING", "STAGE_OUT",   "STOPPED",
                                                  "RESV_DEL_HOLD", "RESIZING"};
  return std::find(states.begin(), states.end(), entry.state) != states.end();
}

Queue parse_squeue(const std::string& text) {
  Queue queue;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto parts = split(line, '|', 5);
    if (parts.size() != 5 || !is_job_id(parts[0])) continue;
    const auto index = words::count(parts[1]);
    if (!index) continue;
    const std::string reason = parts[3] == "None" ? "" : plain_line(parts[3]);
    queue[{parts[0], *index}] = {plain_line(first_word(parts[2])), reason, parts[4]};
  }
  return queue;
}

Queue parse_sacct(const std::string& text) {
  Queue queue;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto parts = split(line, '|', 2);
    const auto id = split(parts[0], '_', 2);
    if (parts.size() != 2 || id.size() != 2 || !is_job_id(id[0])) continue;
    if (const auto index = words::count(id[1]))
      queue[{id[0], *index}] = {plain_line(first_word(parts[1])), "", ""};
  }
  return queue;
}

std::string parse_job_id(const std::string& text) {
  const std::string id = text.substr(0, text.find_first_of(";\n"));
  return is_job_id(id) ? id : "";
}

std::optional<std::int64_t> parse_max_array_size(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key, equals, value;
    if (words >> key >> equals >> value && key == "MaxArraySize" && equals == "=") return words::count(value);
  }
  return std::nullopt;
}

std::optional<Queue> ask_squeue(std::string& why) {
  // A filter by job id fails for jobs that Slurm has forgotten; one by user does not.
  const CommandResult result = run_command({"squeue", "--noheader", "--array", "--states=all",
                                            fmt::format("--user={}", ::getuid()), "--format=%F|%K|%T|%r|%j"});
  if (result.is_good()) return parse_squeue(result.out);
  why = complaint("squeue", result);
  return std::nullopt;
}

Queue ask_sacct(const std::vector<std::string>& job_ids) {
  if (job_ids.empty()) return {};
  const CommandResult result =
      run_command({"sacct", "--noheader", "--parsable2", "--allocations", "--format=JobID,State",
                   fmt::format("--jobs={}", fmt::join(job_ids, ","))});
  return result.is_good() ? parse_sacct(result.out) : Queue();
}

std::int64_t ask_max_array_size() {
  const CommandResult result = run_command({"scontrol", "show", "config"});
  const auto size = result.is_good() ? parse_max_array_size(result.out) : std::nullopt;
  return size && *size > 0 ? *size : kDefaultMaxArraySize;
}

std::string submit(const std::string& script, const std::vector<std::string>& options) {
  std::vector<std::string> command = {"sbatch", "--parsable"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(script);
  CommandOptions of_job;
  of_job.kind = ProgramKind::kSbatch;
  const CommandResult result = run_command(command, of_job);
  if (!result.is_good()) refuse("sbatch", result);
  const std::string id = parse_job_id(result.out);
  if (id.empty()) {
    throw RunError(
        fmt::format("sbatch: its answer \"{}\" is no job id; squeue shows whether {} was submitted",
                    result.out.substr(0, result.out.find('\n')), script));
  }
  return id;
}

void cancel_jobs(const std::vector<std::string>& job_ids) {
  std::vector<std::string> command = {"scancel"};
  command.insert(command.end(), job_ids.begin(), job_ids.end());
  const CommandResult result = run_command(command);
  if (!result.is_good()) refuse("scancel", result);
}

std::string requeue(const std::string& task) {
  const CommandResult result = run_command({"scontrol", "requeue", task});
  return result.is_good() ? "" : "scontrol requeue: " + result.why();
}

}  // namespace glidepath
