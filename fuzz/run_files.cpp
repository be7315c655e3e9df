// fuzz/run_files.cpp - what a study reads of a run's folder: metrics.jsonl, summary.json and log.txt may be
// torn, and hold anything.
#include "study/store/run_files.h"

#include "harness.h"

using namespace glidepath;

namespace {

/// One file in memory under all three names.
struct RunFolder {
  RunFolder() {
    for (const char* name : {"metrics.jsonl", "summary.json", "log.txt"})
      std::filesystem::create_symlink(file.path(), folder.path() / name);
  }
  fuzz::MemoryFile file;
  fuzz::ScratchFolder folder;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static RunFolder run;
  run.file.assign(fuzz::text_of(data, size));
  const std::filesystem::path& dir = run.folder.path();
  for (const CurvePoint& point : read_metrics(dir)) fuzz::require(point.step >= 0, "a step is a count");
  const double progress = latest_progress(dir);
  fuzz::require(progress >= 0 && progress <= 1, "progress is in [0, 1]");
  RunRecord record;
  if (read_summary(dir, record)) {
    fuzz::require(record.status == RunStatus::kDone || !record.error.empty(), "a failure says why");
    fuzz::require(
        record.status != RunStatus::kDone || (record.test_accuracy >= 0 && record.test_accuracy <= 1),
        "a result is an accuracy");
    fuzz::require(record.updates >= 0, "updates are a count");
  }
  fuzz::require(last_message(dir / "log.txt").find('\n') == std::string::npos, "a message is one line");
  return 0;
}
