// tests/study/store_test.cpp - who may work on which run, and what the store gives back.
#include "study/store/store.h"

#include <cmath>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "config/result_numbers.h"
#include "glidepath/error.h"
#include "glidepath/table.h"
#include "study/store/run_files.h"
#include "study/support.h"

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

StudyPlan seeds_plan(std::vector<std::string> seeds) {
  StudyPlan plan;
  plan.name = "n";
  plan.title = "t";
  plan.axes = {"seed"};
  plan.values["seed"] = seeds;
  for (const std::string& seed : seeds) {
    plan.runs.emplace_back();
    set_config_value(plan.runs.back(), "seed", seed);
  }
  return plan;
}

std::vector<std::string> ids_of(const StudyPlan& plan) {
  std::vector<std::string> ids;
  for (const TrainConfig& run : plan.runs) ids.push_back(run_id(run));
  return ids;
}

/// The store's tables as version 1 of them was.
constexpr const char* kFirstVersion = R"sql(
CREATE TABLE plan (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
  id TEXT PRIMARY KEY, position INTEGER, config TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'done', 'failed')),
  error TEXT NOT NULL DEFAULT '',
  test_accuracy REAL, test_loss REAL, train_loss REAL, train_accuracy REAL, updates INTEGER, epochs REAL,
  seconds REAL, images_per_second REAL, peak_memory_mib REAL,
  attempts INTEGER NOT NULL DEFAULT 0, started_at TEXT, finished_at TEXT,
  owner_host TEXT, owner_pid INTEGER, owner_start INTEGER, lease_until INTEGER
) WITHOUT ROWID;
CREATE INDEX runs_by_status ON runs (status);
CREATE TABLE curves (
  run_id TEXT NOT NULL REFERENCES runs (id), position INTEGER NOT NULL, kind TEXT NOT NULL,
  step INTEGER NOT NULL, progress REAL, lr REAL, loss REAL, accuracy REAL, PRIMARY KEY (run_id, position)
) WITHOUT ROWID;
PRAGMA user_version = 1;
)sql";

std::size_t first(const std::vector<std::string>&) { return 0; }

class StudyStoreTest : public FolderTest {
 protected:
  StudyStoreTest() : plan_(seeds_plan({"1", "2", "3"})), ids_(ids_of(plan_)) {
    store_.save_plan(plan_, ids_);
  }

  std::string claim(const Owner& owner) {
    const auto claim = store_.claim(owner, ids_, first);
    return claim ? claim->id : "";
  }
  void finish(const Owner& owner, const std::string& id, double accuracy) {
    RunRecord run;
    run.id = id;
    run.status = RunStatus::kDone;
    run.test_accuracy = accuracy;
    run.train_loss = std::nan("");
    run.updates = 12;
    EXPECT_TRUE(store_.finish(owner, run,
                              {{"train", 1, 0.5, 0.1, std::nan(""), 0.25}, {"eval", 2, 1, 0, 2, 0.5}},
                              {{"grad_norm", 0, 0, 0.1, 2.5}, {"weight_norm", 0, 0, 0.1, 12}}));
  }

  /// The first run of another store, as it is handed in once it has ended.
  RunRecord claimed_and_done(StudyStore& store) {
    const auto claimed = store.claim(self_, ids_, first);
    EXPECT_TRUE(claimed);
    RunRecord run;
    run.id = claimed.value().id;
    run.status = RunStatus::kDone;
    return run;
  }

  std::int64_t now_ = 1'000'000;
  StudyStore store_{folder_ / "out", [this] { return now_; }};
  StudyPlan plan_;
  std::vector<std::string> ids_;
  const Owner self_ = this_process();
  const Owner far_away_{"another machine", 1, 1};
};

TEST_F(StudyStoreTest, GivesEachRunToOneOwner) {
  EXPECT_EQ(claim(self_), ids_[0]);
  EXPECT_EQ(claim(far_away_), ids_[1]);
  EXPECT_EQ(claim(self_), ids_[2]);
  EXPECT_EQ(claim(self_), "");
  EXPECT_TRUE(store_.owns(self_, ids_[0]));
  EXPECT_FALSE(store_.owns(self_, ids_[1]));
}

TEST_F(StudyStoreTest, GivesARunBackWhenItsLeaseHasRunOut) {
  EXPECT_EQ(claim(far_away_), ids_[0]);
  now_ += StudyStore::kLeaseSeconds;
  EXPECT_EQ(claim(self_), ids_[1]);  // the first is still leased
  EXPECT_EQ(store_.renew(far_away_), 1);
  now_ += StudyStore::kLeaseSeconds;
  EXPECT_EQ(claim(self_), ids_[2]);
  now_ += 1;
  EXPECT_EQ(claim(self_), ids_[0]);
  EXPECT_EQ(store_.renew(far_away_), 0);
  RunRecord late;
  late.id = ids_[0];
  late.status = RunStatus::kDone;
  EXPECT_FALSE(store_.finish(far_away_, late, {}));
  EXPECT_EQ(store_.statuses().at(ids_[0]), RunStatus::kRunning);
}

TEST_F(StudyStoreTest, GivesTheRunsOfADeadProcessBackAtOnce) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  Owner other = self_;
  other.pid = child;
  other.start = process_start(child) - 1;  // ticks of 10 ms: the child may have started in ours
  EXPECT_TRUE(is_gone(other, self_)) << "the id is in use, by a process that started at another time";
  other.start = process_start(child);
  EXPECT_FALSE(is_gone(other, self_));
  EXPECT_EQ(claim(other), ids_[0]);
  EXPECT_EQ(claim(self_), ids_[1]);
  ::kill(child, SIGKILL);
  siginfo_t info;
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);  // it is a zombie now
  EXPECT_TRUE(is_gone(other, self_));
  EXPECT_EQ(claim(self_), ids_[0]);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(is_gone(other, self_));
  EXPECT_FALSE(is_gone(far_away_, self_)) << "what cannot be seen is not known to be gone";
}

TEST_F(StudyStoreTest, CountsStartsAndFreesWhatIsReleased) {
  EXPECT_EQ(store_.claim(self_, ids_, first)->attempts, 1);
  store_.release(far_away_, ids_[0]);  // not its own
  EXPECT_TRUE(store_.owns(self_, ids_[0]));
  store_.release(self_, ids_[0]);
  EXPECT_EQ(store_.claim(self_, ids_, first)->attempts, 2);
}

TEST_F(StudyStoreTest, ChoosesAmongTheFreeRunsInTheOrderAskedFor) {
  claim(self_);
  std::vector<std::string> offered;
  const auto last = [&](const std::vector<std::string>& free) {
    offered = free;
    return free.size() - 1;
  };
  const auto claim = store_.claim(self_, {ids_[2], ids_[0], ids_[1]}, last);
  EXPECT_THAT(offered, ElementsAre(ids_[2], ids_[1]));
  EXPECT_EQ(claim->id, ids_[1]);
}

TEST_F(StudyStoreTest, KeepsResultsAndCurveTogether) {
  claim(self_);
  finish(self_, ids_[0], 0.75);
  const StudyResults results = read_study_results(folder_ / "out");
  EXPECT_EQ(results.name, "n");
  EXPECT_EQ(results.title, "t");
  EXPECT_THAT(results.axes, ElementsAre("seed"));
  EXPECT_THAT(results.values.at("seed"), ElementsAre("1", "2", "3"));
  ASSERT_EQ(results.runs.size(), 3u);
  EXPECT_EQ(results.runs[0].status, RunStatus::kDone);
  EXPECT_EQ(results.runs[0].test_accuracy, 0.75);
  EXPECT_TRUE(std::isnan(results.runs[0].train_loss));
  EXPECT_EQ(results.runs[0].updates, 12);
  EXPECT_EQ(results.runs[0].config, plan_.runs[0]);
  EXPECT_EQ(results.runs[0].directory, folder_ / "out" / "runs" / ids_[0]);
  EXPECT_EQ(results.runs[1].status, RunStatus::kPending);

  const auto curve = read_curve(folder_ / "out", ids_[0]);
  ASSERT_EQ(curve.size(), 2u);
  EXPECT_EQ(curve[0].kind, "train");
  EXPECT_EQ(curve[0].lr, 0.1);
  EXPECT_TRUE(std::isnan(curve[0].loss));
  EXPECT_EQ(curve[1].step, 2);
  EXPECT_EQ(curve[1].accuracy, 0.5);
  EXPECT_THAT(read_curve(folder_ / "out", ids_[1]), IsEmpty());

  const auto measures = read_measures(folder_ / "out", ids_[0]);
  ASSERT_EQ(measures.size(), 2u);
  EXPECT_EQ(measures[0].name, "grad_norm");
  EXPECT_EQ(measures[0].lr, 0.1);
  EXPECT_EQ(measures[1].name, "weight_norm");
  EXPECT_EQ(measures[1].value, 12);
  EXPECT_THAT(read_measures(folder_ / "out", ids_[1]), IsEmpty());
  EXPECT_EQ(message_of<InputError>([&] { read_measures(folder_ / "out", "x"); }),
            (folder_ / "out").string() + ": the study has no run x");
}

TEST_F(StudyStoreTest, KeepsWhatAReportDrawsWithThePlan) {
  EXPECT_FALSE(read_study_results(folder_ / "out").is_union);
  plan_.is_union = true;
  plan_.figures = {"3", "D"};
  plan_.reference = {"Someone", {1, 100}, {{"linear", {30.63, 69.33}}}};
  store_.save_plan(plan_, ids_);
  EXPECT_TRUE(read_study_results(folder_ / "out").is_union);
  EXPECT_THAT(read_study_results(folder_ / "out").figures, ElementsAre("3", "D"));
  const StudyReference reference = read_study_results(folder_ / "out").reference;
  EXPECT_EQ(reference.source, plan_.reference.source);
  EXPECT_EQ(reference.budgets, plan_.reference.budgets);
  EXPECT_EQ(reference.accuracy, plan_.reference.accuracy);
}

TEST_F(StudyStoreTest, ChangedPlanAddsItsRunsAndKeepsTheOthersOutOfSight) {
  claim(self_);
  finish(self_, ids_[0], 0.75);
  const StudyPlan changed = seeds_plan({"4", "1"});
  store_.save_plan(changed, ids_of(changed));
  StudyResults results = read_study_results(folder_ / "out");
  ASSERT_EQ(results.runs.size(), 2u);
  EXPECT_EQ(results.runs[0].config.seed, 4u);
  EXPECT_EQ(results.runs[1].test_accuracy, 0.75);
  store_.save_plan(plan_, ids_);
  results = read_study_results(folder_ / "out");
  ASSERT_EQ(results.runs.size(), 3u);
  EXPECT_EQ(results.runs[0].test_accuracy, 0.75);
}

TEST_F(StudyStoreTest, FinishedRunKeepsTheConfigurationItRanWith) {
  claim(self_);
  finish(self_, ids_[0], 0.75);
  StudyPlan moved = plan_;
  for (TrainConfig& run : moved.runs) run.data_dir = "/elsewhere";
  store_.save_plan(moved, ids_);
  const StudyResults results = read_study_results(folder_ / "out");
  EXPECT_EQ(results.runs[0].config.data_dir, "");
  EXPECT_EQ(results.runs[1].config.data_dir, "/elsewhere");
}

TEST_F(StudyStoreTest, RetriesOnlyFailedRuns) {
  for (const RunStatus status : {RunStatus::kFailed, RunStatus::kDone}) {
    RunRecord run;
    run.id = claim(self_);
    run.status = status;
    run.error = status == RunStatus::kFailed ? "the disk is on fire" : "";
    store_.finish(self_, run, {});
  }
  EXPECT_EQ(read_study_results(folder_ / "out").runs[0].error, "the disk is on fire");
  store_.retry_failed(ids_);
  EXPECT_EQ(store_.statuses().at(ids_[0]), RunStatus::kPending);
  EXPECT_EQ(store_.statuses().at(ids_[1]), RunStatus::kDone);
}

TEST_F(StudyStoreTest, KeepsTheRunsOfAStoreThatKnewNoDivergence) {
  std::filesystem::create_directory(folder_ / "old");
  {
    Database old(folder_ / "old" / "study.sqlite", Database::Mode::kCreate);
    old.execute(kFirstVersion);
    const auto add = [&](const std::string& id, const TrainConfig& config, const char* status,
                         const char* error) {
      Statement insert(old,
                       "INSERT INTO runs (id, position, config, status, error, test_accuracy) "
                       "VALUES (?1, 0, ?2, ?3, ?4, 0.5)");
      insert.bind(1, id)
          .bind(2, to_toml(config))
          .bind(3, std::string(status))
          .bind(4, std::string(error))
          .run();
    };
    add(ids_[0], plan_.runs[0], "done", "");
    add(ids_[1], plan_.runs[1], "failed", "diverged: the loss is nan at update 7");
    add(ids_[2], plan_.runs[2], "failed", "the disk is on fire");
    old.execute("INSERT INTO curves VALUES ('" + ids_[0] + "', 0, 'eval', 2, 1, NULL, 0.5, 0.75)");
  }
  EXPECT_THAT(read_measures(folder_ / "old", ids_[0]), IsEmpty()) << "read before it is upgraded";
  StudyStore store(folder_ / "old");
  EXPECT_THAT(read_measures(folder_ / "old", ids_[0]), IsEmpty());
  store.save_plan(plan_, ids_);
  const StudyResults results = read_study_results(folder_ / "old");
  ASSERT_EQ(results.runs.size(), 3u);
  EXPECT_EQ(results.runs[0].status, RunStatus::kDone);
  EXPECT_EQ(results.runs[0].test_accuracy, 0.5);
  EXPECT_EQ(results.runs[1].status, RunStatus::kDiverged);
  EXPECT_EQ(results.runs[1].error, "diverged: the loss is nan at update 7");
  EXPECT_EQ(results.runs[2].status, RunStatus::kFailed);
  EXPECT_EQ(read_curve(folder_ / "old", ids_[0]).at(0).accuracy, 0.75);
  EXPECT_NO_THROW(StudyStore(folder_ / "old")) << "made once";
}

TEST_F(StudyStoreTest, KeepsTheScoresThatRunsHaveAndNoOthers) {
  {
    StudyStore store(folder_ / "scores");
    store.save_plan(plan_, ids_);
    RunRecord run = claimed_and_done(store);
    run.test_accuracy = 0.5;
    run.scores = {{"test_accuracy_running", 0.25}, {"val_loss", 2.5}};
    ASSERT_TRUE(store.finish(self_, run, {}, {}));
  }
  Database(folder_ / "scores" / "study.sqlite", Database::Mode::kCreate)
      .execute(
          "INSERT INTO scores SELECT id, 'no_such_name', 1 FROM runs WHERE status = 'done'; "
          "INSERT INTO scores SELECT id, 'val_accuracy', 7 FROM runs WHERE status = 'done'");
  const StudyResults results = read_study_results(folder_ / "scores");
  EXPECT_THAT(results.runs.at(0).scores,
              testing::UnorderedElementsAre(testing::Pair("test_accuracy_running", 0.25),
                                            testing::Pair("val_loss", 2.5)));
  EXPECT_TRUE(results.runs.at(1).scores.empty());
  EXPECT_EQ(make_tables(results, {"", "", "test_accuracy_running"}).at(0).cells.at(0).at(0).values.at(0), 25);
  EXPECT_THAT(results_csv(results), testing::HasSubstr("error,test_accuracy_running,val_loss\n"));
}

// From a run's summary to every place, with no other list of names than the table.
TEST_F(StudyStoreTest, EveryNumberOfTheTableReachesItsPlaces) {
  std::string summary = R"({"status":"done")";
  std::vector<std::string> columns, scores, accuracies = {"test_accuracy"};
  for (const ResultNumber& number : result_numbers()) {
    summary += fmt::format(",\"{}\":{}", number.name, number.kind == NumberKind::kCount ? "3" : "0.5");
    if (number.stored == Stored::kColumn) columns.emplace_back(number.name);
    if (number.stored != Stored::kScore) continue;
    scores.emplace_back(number.name);
    if (number.kind == NumberKind::kAccuracy) accuracies.emplace_back(number.name);
  }
  write("summary.json", summary + "}");
  store_.save_plan(plan_, ids_);
  RunRecord run = claimed_and_done(store_);
  ASSERT_TRUE(read_summary(folder_, run));
  ASSERT_TRUE(store_.finish(self_, run, {}, {}));
  const StudyResults results = read_study_results(folder_ / "out");

  std::vector<std::string> stored;
  for (const auto& [name, value] : results.runs.at(0).scores) stored.push_back(name);
  EXPECT_THAT(stored, testing::UnorderedElementsAreArray(scores));
  const std::string csv = results_csv(results), titles = csv.substr(0, csv.find('\n')) + ",";
  EXPECT_THAT(titles, testing::HasSubstr(fmt::format("error,{},", fmt::join(scores, ","))));
  for (const std::string& name : columns) EXPECT_THAT(titles, testing::HasSubstr("," + name + ","));
  EXPECT_EQ(nlohmann::json::parse(results_json(results)).at("runs").at(0).at("scores").size(), scores.size());
  for (const std::string& name : accuracies) {
    EXPECT_EQ(make_tables(results, {"", "", name}).at(0).cells.at(0).at(0).values.at(0), 50) << name;
    EXPECT_EQ(score_title(results, {"", "", name}), find_result_number(name)->what);
  }
  EXPECT_THROW(make_tables(results, {"", "", "best_update"}), InputError);
}

// A report shows what the study was asked for; axes that are none, as of a store made by hand, are left out.
TEST_F(StudyStoreTest, KeepsWhatItsTableShows) {
  plan_.table = {"seed", "", "val_accuracy"};
  store_.save_plan(plan_, ids_);
  StudyResults results = read_study_results(folder_ / "out");
  EXPECT_EQ(results.table.rows, "seed");
  EXPECT_EQ(results.table.score, "val_accuracy");
  EXPECT_EQ(make_tables(results).at(0).row_axis, "seed");
  plan_.table = {"no_axis", "", ""};
  store_.save_plan(plan_, ids_);
  results = read_study_results(folder_ / "out");
  EXPECT_EQ(results.table.rows, "");
  EXPECT_EQ(results.table.score, "");
}

TEST_F(StudyStoreTest, StoreThatKnewNoMeasuresGetsThem) {
  std::filesystem::create_directory(folder_ / "second");
  {
    Database old(folder_ / "second" / "study.sqlite", Database::Mode::kCreate);
    old.execute(kFirstVersion);  // version 2 differs in the statuses that it allows
    old.execute("PRAGMA user_version = 2");
  }
  StudyStore store(folder_ / "second");
  store.save_plan(plan_, ids_);
  const RunRecord run = claimed_and_done(store);
  ASSERT_TRUE(store.finish(self_, run, {}, {{"grad_norm", 3, 0.5, 0.05, 1.25}}));
  ASSERT_EQ(read_measures(folder_ / "second", run.id).size(), 1u);
  EXPECT_EQ(read_measures(folder_ / "second", run.id)[0].value, 1.25);
}

TEST_F(StudyStoreTest, ReadersRefuseWhatIsNoStudy) {
  const std::string out = (folder_ / "out").string(), none = (folder_ / "none").string();
  EXPECT_EQ(message_of<InputError>([&] { read_study_results(none); }),
            none + ": no study there (study.sqlite is missing); give the --out of glidepath study");
  EXPECT_EQ(message_of<InputError>([&] { read_curve(out, "x"); }), out + ": the study has no run x");
  const std::string bad = write("bad/study.sqlite", std::string(4096, 'x')).parent_path().string();
  const std::string expected = bad +
                               "/study.sqlite: not a study store, or damaged (file is not a database); move "
                               "it away, the runs beside it "
                               "are found again";
  EXPECT_EQ(message_of<InputError>([&] { read_study_results(bad); }), expected);
  EXPECT_EQ(message_of<InputError>([&] { StudyStore store(bad); }), expected);
}

TEST_F(StudyStoreTest, RefusesTheStoreOfANewerVersion) {
  Database(folder_ / "out" / "study.sqlite", Database::Mode::kCreate).execute("PRAGMA user_version = 99");
  EXPECT_EQ(message_of<InputError>([&] { StudyStore store(folder_ / "out"); }),
            (folder_ / "out" / "study.sqlite").string() +
                ": written by a newer Glidepath (version 99 of the store, this one knows 4)");
}

}  // namespace
}  // namespace glidepath
