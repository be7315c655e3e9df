// fuzz/study_plan.cpp - study files, and what --set changes in them: any text is refused, or is a grid of
// runs of which no two are the same. A first line `--set key=value` is such a change.
#include <set>

#include "glidepath/study.h"
#include "harness.h"

using namespace glidepath;

namespace {

constexpr std::size_t kFewRuns = 64;  // whose identities are looked at: a large grid takes seconds

PlanChanges take_change(std::string& text) {
  constexpr const char* kFlag = "--set ";
  PlanChanges changes;
  if (text.rfind(kFlag, 0) != 0) return changes;
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string change = text.substr(6, end - 6);
  text.erase(0, end);
  const std::size_t equals = change.find('=');
  if (equals != std::string::npos)
    changes.set.emplace_back(change.substr(0, equals), change.substr(equals + 1));
  return changes;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::MemoryFile file;
  std::string text = fuzz::text_of(data, size);
  const PlanChanges changes = take_change(text);
  file.assign(text);
  StudyPlan plan;
  if (!fuzz::accepts([&] { plan = read_study_plan(file.path(), changes); })) return 0;
  std::size_t product = 1;
  for (const std::string& axis : plan.axes) product *= plan.values.at(axis).size();
  fuzz::require(plan.runs.size() == product, "the runs are the product of the axes");
  if (plan.runs.size() > kFewRuns) return 0;
  std::set<std::string> ids;
  for (const TrainConfig& run : plan.runs) {
    ids.insert(run_id(run));
    fuzz::require(parse_train_config(to_toml(run), "to_toml") == run, "a run reads back from the store");
  }
  fuzz::require(ids.size() == plan.runs.size(), "no two runs of a plan are the same");
  return 0;
}
