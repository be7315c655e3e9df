// src/study/store/store.cpp - what OUT/study.sqlite holds, and who may work on which run.
#include "study/store/store.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <unordered_map>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/safe_text.h"
#include "files/json_text.h"
#include "files/output_folder.h"
#include "glidepath/error.h"
#include "study/plan/reference.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::int64_t kVersion = 4;

// docs/studies.md describes the columns.
constexpr const char* kPlanTable =
    "CREATE TABLE plan (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";
constexpr const char* kRunsTable = R"sql(
CREATE TABLE {} (
  id TEXT PRIMARY KEY, position INTEGER, config TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'running', 'done', 'diverged', 'failed')),
  error TEXT NOT NULL DEFAULT '',
  test_accuracy REAL, test_loss REAL, train_loss REAL, train_accuracy REAL, updates INTEGER, epochs REAL,
  seconds REAL, images_per_second REAL, peak_memory_mib REAL,
  attempts INTEGER NOT NULL DEFAULT 0, started_at TEXT, finished_at TEXT,
  owner_host TEXT, owner_pid INTEGER, owner_start INTEGER, lease_until INTEGER
) WITHOUT ROWID)sql";
constexpr const char* kRunsIndex = "CREATE INDEX runs_by_status ON runs (status)";
constexpr const char* kCurvesTable = R"sql(
CREATE TABLE curves (
  run_id TEXT NOT NULL REFERENCES runs (id), position INTEGER NOT NULL, kind TEXT NOT NULL,
  step INTEGER NOT NULL, progress REAL, lr REAL, loss REAL, accuracy REAL, PRIMARY KEY (run_id, position)
) WITHOUT ROWID)sql";
constexpr const char* kMeasuresTable = R"sql(
CREATE TABLE measures (
  run_id TEXT NOT NULL REFERENCES runs (id), position INTEGER NOT NULL, step INTEGER NOT NULL, progress REAL,
  lr REAL, name TEXT NOT NULL, value REAL, PRIMARY KEY (run_id, position)
) WITHOUT ROWID)sql";

constexpr const char* kScoresTable =
    "CREATE TABLE scores (run_id TEXT NOT NULL REFERENCES runs (id), name TEXT NOT NULL, value REAL, "
    "PRIMARY KEY (run_id, name)) WITHOUT ROWID";

// What `status = 'running'` means for the process in parameters 1 to 3.
constexpr const char* kMine =
    "status = 'running' AND owner_host = ?1 AND owner_pid = ?2 AND owner_start = ?3";

std::string timestamp(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

fs::path made_folder(const fs::path& dir) {
  make_output_folder(dir);
  return dir;
}

/// Version 1 had no status for divergence; such runs had failed with a message that began with the word.
void add_diverged(Database& database) {
  database.execute(fmt::format(kRunsTable, "runs_2"));
  database.execute("INSERT INTO runs_2 SELECT * FROM runs");
  database.execute("DROP TABLE runs");
  database.execute("ALTER TABLE runs_2 RENAME TO runs");
  database.execute(kRunsIndex);
  database.execute("UPDATE runs SET status = 'diverged' WHERE status = 'failed' AND error LIKE 'diverged%'");
}

/// A statement's text with its spaces made alike, and without the quotes that SQLite adds when it renames.
std::string normalised(const std::string& sql) {
  std::string text;
  for (const char c : sql) {
    const bool is_space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (c == '"' || (is_space && (text.empty() || text.back() == ' '))) continue;
    text += is_space ? ' ' : c;
  }
  return text;
}

/// The schema of a file is a program: views without end, triggers, columns that are computed. Only what some
/// version of ours has made is taken.
void check_schema(Database& database) {
  static const std::map<std::string, std::vector<std::string>> known = [] {
    const std::string runs = normalised(fmt::format(kRunsTable, "runs"));
    std::string first = runs;  // version 1 had no status for divergence
    const std::string diverged = "'diverged', ";
    first.erase(first.find(diverged), diverged.size());
    return std::map<std::string, std::vector<std::string>>{
        {"plan", {normalised(kPlanTable)}},           {"runs", {runs, first}},
        {"runs_by_status", {normalised(kRunsIndex)}}, {"curves", {normalised(kCurvesTable)}},
        {"measures", {normalised(kMeasuresTable)}},   {"scores", {normalised(kScoresTable)}}};
  }();
  std::size_t tables = 0;
  Statement rows(database, "SELECT type, name, sql FROM sqlite_master");
  while (rows.step()) {
    const std::string type = rows.text(0), name = rows.text(1);
    if (type == "table" && name.compare(0, 11, "sqlite_stat") == 0) continue;  // ANALYZE's
    const auto ours = known.find(name);
    const bool is_ours = ours != known.end() && std::find(ours->second.begin(), ours->second.end(),
                                                          normalised(rows.text(2))) != ours->second.end();
    if (!is_ours)
      database.refuse(fmt::format("has the {} \"{}\", which no study has", type, plain_line(name)));
    tables += type == "table" && name != "measures" && name != "scores" ? 1 : 0;
  }
  constexpr std::size_t kTables = 3;
  if (tables != kTables) database.refuse("lacks a table of a study");
}

std::int64_t number_of(Database& database, const std::string& sql) {
  Statement statement(database, sql);
  statement.step();
  return statement.integer(0);
}

RunStatus status_from(const std::string& text) {
  for (const RunStatus status :
       {RunStatus::kRunning, RunStatus::kDone, RunStatus::kDiverged, RunStatus::kFailed}) {
    if (text == to_string(status)) return status;
  }
  return RunStatus::kPending;
}

// Parameters 4 to 16; 1 to 3 are free for the condition.
constexpr const char* kSetResult =
    "UPDATE runs SET status = ?5, error = ?6, test_accuracy = ?7, test_loss = ?8, train_loss = ?9, "
    "train_accuracy = ?10, updates = ?11, epochs = ?12, seconds = ?13, images_per_second = ?14, "
    "peak_memory_mib = ?15, finished_at = ?16, owner_host = NULL, owner_pid = NULL, owner_start = NULL, "
    "lease_until = NULL";

/// All but when it finished.
Statement& bind_result(Statement& statement, const RunRecord& run) {
  statement.bind(4, run.id).bind(5, std::string(to_string(run.status))).bind(6, run.error);
  statement.bind(7, run.test_accuracy).bind(8, run.test_loss).bind(9, run.train_loss);
  statement.bind(10, run.train_accuracy).bind(11, run.updates).bind(12, run.epochs).bind(13, run.seconds);
  return statement.bind(14, run.images_per_second).bind(15, run.peak_memory_mib);
}

Statement& bind_owner(Statement& statement, const Owner& owner) {
  return statement.bind(1, owner.host).bind(2, owner.pid).bind(3, owner.start);
}

}  // namespace

fs::path store_file(const fs::path& dir) { return dir / "study.sqlite"; }

std::int64_t checked_version(Database& database, const fs::path& dir) {
  const std::int64_t version = number_of(database, "PRAGMA user_version");
  if (version > kVersion) {
    throw InputError(
        fmt::format("{}: written by a newer Glidepath (version {} of the store, this one knows {})",
                    store_file(dir).string(), version, kVersion));
  }
  // SQLite's own default is 0: an empty file, or another program's.
  if (version <= 0 && number_of(database, "SELECT count(*) FROM sqlite_master") > 0) {
    throw InputError(
        fmt::format("{}: an SQLite file of another program, not a study store; give another folder",
                    store_file(dir).string()));
  }
  if (version > 0) check_schema(database);
  return version;
}

StudyStore::StudyStore(const fs::path& dir, std::function<std::int64_t()> now)
    : database_(store_file(made_folder(dir)), Database::Mode::kCreate), now_(std::move(now)) {
  if (!now_) now_ = [] { return static_cast<std::int64_t>(std::time(nullptr)); };
  Transaction transaction(database_);
  const std::int64_t version = checked_version(database_, dir);
  if (version == 0) {
    database_.execute(kPlanTable);
    database_.execute(fmt::format(kRunsTable, "runs"));
    database_.execute(kRunsIndex);
    database_.execute(kCurvesTable);
  }
  if (version == 1) add_diverged(database_);
  if (version < 3) database_.execute(kMeasuresTable);  // the runs of older versions took none
  if (version < 4) database_.execute(kScoresTable);    // likewise
  if (version < kVersion) {
    database_.execute(fmt::format("PRAGMA user_version = {}", kVersion));
  }
  transaction.commit();
}

void StudyStore::save_plan(const StudyPlan& plan, const std::vector<std::string>& ids) {
  const std::map<std::string, std::string> entries = {
      {"name", plan.name},
      {"title", plan.title},
      {"axes", json_text(nlohmann::json(plan.axes))},
      {"axis_values", json_text(nlohmann::json(plan.values))},
      {"is_union", json_text(nlohmann::json(plan.is_union))},
      {"figures", json_text(nlohmann::json(plan.figures))},
      {"reference", json_text(nlohmann::json(plan.reference))},
      {"table",
       json_text(nlohmann::json{
           {"rows", plan.table.rows}, {"columns", plan.table.columns}, {"score", plan.table.score}})},
      {"labels", json_text(nlohmann::json(plan.table.labels))},
      {"source_toml", plan.source_toml}};
  Transaction transaction(database_);
  Statement entry(database_, "INSERT OR REPLACE INTO plan VALUES (?1, ?2)");
  for (const auto& [key, value] : entries) entry.bind(1, key).bind(2, value).run();
  database_.execute("UPDATE runs SET position = NULL WHERE position IS NOT NULL");
  // A finished run keeps the configuration it ran with: folders and the like may differ now.
  Statement run(database_,
                "INSERT INTO runs (id, position, config) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET "
                "position = ?2, config = CASE WHEN status IN ('done', 'diverged') THEN config ELSE ?3 END");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    run.bind(1, ids[i]).bind(2, static_cast<std::int64_t>(i)).bind(3, to_toml(plan.runs[i])).run();
  }
  transaction.commit();
}

std::vector<TrainConfig> StudyStore::left_out() {
  std::vector<TrainConfig> configs;
  Statement runs(database_, "SELECT config FROM runs WHERE position IS NULL");
  while (runs.step())
    configs.push_back(parse_train_config(runs.text(0), "a run of the store", ConfigOrigin::kWritten));
  return configs;
}

void StudyStore::retry_failed(const std::vector<std::string>& ids) {
  Transaction transaction(database_);
  Statement statement(database_,
                      "UPDATE runs SET status = 'pending', error = '' WHERE id = ?1 AND status = 'failed'");
  for (const std::string& id : ids) statement.bind(1, id).run();
  transaction.commit();
}

std::optional<StudyStore::Claim> StudyStore::claim(
    const Owner& self, const std::vector<std::string>& ids,
    const std::function<std::optional<std::size_t>(const std::vector<std::string>&)>& choose) {
  Transaction transaction(database_);
  std::unordered_map<std::string, std::int64_t> attempts;  // of the runs that are free
  Statement open(database_,
                 "SELECT id, status, owner_host, owner_pid, owner_start, lease_until, attempts FROM runs "
                 "WHERE status IN ('pending', 'running')");
  while (open.step()) {
    const bool is_free = open.text(1) == "pending" || open.integer(5) < now_() ||
                         is_gone({open.text(2), open.integer(3), open.integer(4)}, self);
    if (is_free) attempts.emplace(open.text(0), open.integer(6));
  }
  std::vector<std::string> free;
  for (const std::string& id : ids) {
    if (attempts.count(id) != 0) free.push_back(id);
  }
  if (free.empty()) return std::nullopt;
  const std::optional<std::size_t> chosen = choose(free);
  if (!chosen) return std::nullopt;
  const std::string id = free.at(*chosen);
  Statement take(
      database_,
      "UPDATE runs SET status = 'running', owner_host = ?1, owner_pid = ?2, owner_start = ?3, "
      "lease_until = ?4, started_at = ?5, finished_at = NULL, attempts = attempts + 1 WHERE id = ?6");
  bind_owner(take, self).bind(4, now_() + kLeaseSeconds).bind(5, timestamp(now_())).bind(6, id).run();
  transaction.commit();
  return Claim{id, attempts[id] + 1};
}

std::int64_t StudyStore::renew(const Owner& self) {
  Statement statement(database_, fmt::format("UPDATE runs SET lease_until = ?4 WHERE {}", kMine));
  bind_owner(statement, self).bind(4, now_() + kLeaseSeconds).run();
  return database_.changes();
}

bool StudyStore::owns(const Owner& self, const std::string& id) {
  Statement statement(database_, fmt::format("SELECT 1 FROM runs WHERE {} AND id = ?4", kMine));
  return bind_owner(statement, self).bind(4, id).step();
}

void StudyStore::release(const Owner& self, const std::string& id) {
  Statement statement(database_,
                      fmt::format("UPDATE runs SET status = 'pending' WHERE {} AND id = ?4", kMine));
  bind_owner(statement, self).bind(4, id).run();
}

bool StudyStore::finish(const Owner& self, const RunRecord& run, const std::vector<CurvePoint>& curve,
                        const std::vector<MeasurePoint>& measures) {
  Transaction transaction(database_);
  Statement statement(database_, fmt::format("{} WHERE {} AND id = ?4", kSetResult, kMine));
  bind_result(bind_owner(statement, self), run).bind(16, timestamp(now_()));
  statement.run();
  if (database_.changes() == 0) return false;
  add_curve(run.id, curve);
  add_measures(run.id, measures);
  add_scores(run);
  transaction.commit();
  return true;
}

void StudyStore::put(const RunRecord& run, const std::string& started_at, const std::string& finished_at,
                     const std::vector<CurvePoint>& curve, const std::vector<MeasurePoint>& measures) {
  Transaction transaction(database_);
  Statement statement(database_, fmt::format("{}, started_at = ?1, attempts = ?2 WHERE id = ?4", kSetResult));
  bind_result(statement.bind(1, started_at).bind(2, run.attempts), run).bind(16, finished_at);
  statement.run();
  add_curve(run.id, curve);
  add_measures(run.id, measures);
  add_scores(run);
  transaction.commit();
}

void StudyStore::reset_unfinished(const std::string& id) {
  Statement statement(
      database_,
      "UPDATE runs SET status = 'pending', error = '' WHERE id = ?1 AND status IN ('failed', 'running')");
  statement.bind(1, id).run();
}

void StudyStore::add_curve(const std::string& id, const std::vector<CurvePoint>& curve) {
  Statement(database_, "DELETE FROM curves WHERE run_id = ?1").bind(1, id).run();
  Statement statement(database_, "INSERT INTO curves VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const CurvePoint& point = curve[i];
    statement.bind(1, id).bind(2, static_cast<std::int64_t>(i)).bind(3, point.kind).bind(4, point.step);
    statement.bind(5, point.progress).bind(6, point.lr).bind(7, point.loss).bind(8, point.accuracy).run();
  }
}

void StudyStore::add_measures(const std::string& id, const std::vector<MeasurePoint>& measures) {
  Statement(database_, "DELETE FROM measures WHERE run_id = ?1").bind(1, id).run();
  Statement statement(database_, "INSERT INTO measures VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  for (std::size_t i = 0; i < measures.size(); ++i) {
    const MeasurePoint& point = measures[i];
    statement.bind(1, id).bind(2, static_cast<std::int64_t>(i)).bind(3, point.step).bind(4, point.progress);
    statement.bind(5, point.lr).bind(6, point.name).bind(7, point.value).run();
  }
}

void StudyStore::add_scores(const RunRecord& run) {
  Statement(database_, "DELETE FROM scores WHERE run_id = ?1").bind(1, run.id).run();
  Statement statement(database_, "INSERT INTO scores VALUES (?1, ?2, ?3)");
  for (const auto& [name, value] : run.scores) statement.bind(1, run.id).bind(2, name).bind(3, value).run();
}

std::map<std::string, RunStatus> StudyStore::statuses() {
  std::map<std::string, RunStatus> statuses;
  Statement statement(database_, "SELECT id, status FROM runs");
  while (statement.step()) statuses[statement.text(0)] = status_from(statement.text(1));
  return statuses;
}

}  // namespace glidepath
