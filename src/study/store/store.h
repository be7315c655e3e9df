// src/study/store/store.h - what OUT/study.sqlite holds, and who may work on which run.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/study.h"
#include "study/store/sqlite.h"
#include "system/owner.h"

namespace glidepath {

std::filesystem::path store_file(const std::filesystem::path& dir);

/// The version of an open store; 0 when nothing is in it yet. Throws InputError for a newer Glidepath's, for
/// another program's file, and where it has other tables than ours, or anything that is no table.
std::int64_t checked_version(Database& database, const std::filesystem::path& dir);

/// An owner here is a study process. Its runs are free again when it is gone (same machine), or when its
/// lease has run out.
class StudyStore {
 public:
  static constexpr std::int64_t kLeaseSeconds = 60;

  /// Opens or makes DIR/study.sqlite. `now` is in seconds since 1970 (tests put their own here).
  explicit StudyStore(const std::filesystem::path& dir, std::function<std::int64_t()> now = {});

  /// Makes `plan` the current one: adds its new runs, keeps every other run and leaves it out of the table.
  void save_plan(const StudyPlan& plan, const std::vector<std::string>& ids);
  /// The configurations of the runs that it left out.
  std::vector<TrainConfig> left_out();
  /// Failed runs among `ids` become pending.
  void retry_failed(const std::vector<std::string>& ids);

  /// One claimed run: `attempts` counts this start.
  struct Claim {
    std::string id;
    std::int64_t attempts = 0;
  };
  /// Chooses among the free runs of `ids` (their order kept) and makes the chosen one `self`'s, in one
  /// transaction. `choose` gets the free ids, at least one, and returns an index, or nothing to take none.
  std::optional<Claim> claim(
      const Owner& self, const std::vector<std::string>& ids,
      const std::function<std::optional<std::size_t>(const std::vector<std::string>&)>& choose);
  /// Renews the lease of every run of `self`; returns how many those are.
  std::int64_t renew(const Owner& self);
  bool owns(const Owner& self, const std::string& id);
  /// Makes a run of `self` pending again.
  void release(const Owner& self, const std::string& id);
  /// Stores status (done, diverged or failed), summary, curve and measures of a run of `self` together. False
  /// if it was lost.
  bool finish(const Owner& self, const RunRecord& run, const std::vector<CurvePoint>& curve,
              const std::vector<MeasurePoint>& measures = {});

  /// Stores what became of a run that no study process did: all of it, in place of what was there.
  void put(const RunRecord& run, const std::string& started_at, const std::string& finished_at,
           const std::vector<CurvePoint>& curve, const std::vector<MeasurePoint>& measures);
  /// A run that the store has as failed or running is pending again.
  void reset_unfinished(const std::string& id);

  /// Status of every run in the store, those of other plans included.
  std::map<std::string, RunStatus> statuses();

 private:
  void add_curve(const std::string& id, const std::vector<CurvePoint>& curve);
  void add_scores(const RunRecord& run);
  void add_measures(const std::string& id, const std::vector<MeasurePoint>& measures);

  Database database_;
  std::function<std::int64_t()> now_;
};

}  // namespace glidepath
