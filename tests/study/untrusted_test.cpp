// tests/study/untrusted_test.cpp - stores and folders that somebody else hands over.
#include <cmath>
#include <cstring>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "files/folder.h"
#include "glidepath/table.h"
#include "study/cluster/folder.h"
#include "study/execute/run_process.h"
#include "study/store/run_files.h"
#include "study/store/run_lock.h"
#include "study/store/store.h"
#include "study/support.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;

StudyPlan seeds_plan() {
  StudyPlan plan;
  plan.name = "n";
  plan.title = "t";
  plan.axes = {"seed"};
  plan.values["seed"] = {"1", "2"};
  for (const char* seed : {"1", "2"}) {
    plan.runs.emplace_back();
    set_config_value(plan.runs.back(), "seed", seed);
  }
  return plan;
}

class UntrustedStore : public FolderTest {
 protected:
  UntrustedStore() {
    const StudyPlan plan = seeds_plan();
    StudyStore store(folder_);
    store.save_plan(plan, {run_id(plan.runs[0]), run_id(plan.runs[1])});
  }
  /// What somebody does to the store.
  void change(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "study.sqlite").c_str(), &database), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_close(database);
  }
  std::string refusal() {
    return message_of<InputError>([&] { read_study_results(folder_); });
  }
};

TEST_F(UntrustedStore, IsReadWhenNobodyChangedIt) {
  EXPECT_EQ(read_study_results(folder_).runs.size(), 2U);
  change("VACUUM; ANALYZE");
  EXPECT_EQ(read_study_results(folder_).runs.size(), 2U);
}

TEST_F(UntrustedStore, HasNoViewsTriggersOrTablesOfOthers) {
  const std::string whole = text_of(folder_ / "study.sqlite");
  const struct {
    const char *sql, *told;
  } cases[] = {
      {"ALTER TABLE runs RENAME TO r; CREATE VIEW runs AS WITH RECURSIVE e(id) AS (SELECT 'a' UNION ALL "
       "SELECT id "
       "FROM e) SELECT id, 1 position, '' config, 'done' status FROM e",
       "has the "},
      {"DROP TABLE plan; CREATE VIEW plan AS WITH RECURSIVE e(k) AS (SELECT 1 UNION ALL SELECT k+1 FROM e) "
       "SELECT "
       "k key, k value FROM e",
       "has the view \"plan\""},
      {"CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM curves; END", "has the trigger \"t\""},
      {"CREATE INDEX i ON curves (abs(step))", "has the index \"i\""},
      {"CREATE TABLE mine (x)", "has the table \"mine\""},
      {"DROP TABLE measures; DROP TABLE curves", "lacks a table"},
      {"DROP TABLE curves; CREATE TABLE curves (run_id TEXT, position INTEGER, kind TEXT, step INTEGER, "
       "progress "
       "REAL, lr REAL, loss REAL AS (zeroblob(1000000000)), accuracy REAL)",
       "has the table \"curves\""}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.sql);
    write("study.sqlite", whole);
    change(c.sql);
    EXPECT_THAT(refusal(), HasSubstr(c.told));
    EXPECT_THAT(message_of<InputError>([&] { StudyStore store(folder_); }), HasSubstr(c.told));
  }
}

TEST_F(UntrustedStore, SaysNothingThatAStudyFileMayNotSay) {
  const std::string whole = text_of(folder_ / "study.sqlite");
  const struct {
    const char *sql, *told;
  } cases[] = {{"UPDATE plan SET value = 'a' || char(10) || 'b' WHERE key = 'title'",
                "title: holds the control character \\n"},
               {"UPDATE plan SET value = char(27) || ']0;x' WHERE key = 'name'",
                "name: holds the control character \\x1b"},
               {"UPDATE plan SET value = CAST(x'ff' AS TEXT) WHERE key = 'name'", "name: must be UTF-8 text"},
               {"UPDATE plan SET value = '[\"none\"]' WHERE key = 'axes'", "axis \"none\" has no values"},
               {"UPDATE plan SET value = '{\"seed\":[\"x\"]}' WHERE key = 'axis_values'", "seed \"x\""},
               {"UPDATE plan SET value = '{\"../x\":[\"x\"]}' WHERE key = 'axis_values'",
                "\"../x\" is not a train option"},
               {"UPDATE plan SET value = '[\"../../x\"]' WHERE key = 'figures'", "\"../../x\" is no figure"},
               {"UPDATE plan SET value = '{\"source\":\"a\\nb\",\"budgets\":[1],\"accuracy\":[]}' WHERE key "
                "= 'reference'",
                "reference: holds the control character \\n"},
               {"UPDATE plan SET value = '{\"source\":\"a\",\"budgets\":[5,1],\"accuracy\":[]}' WHERE key = "
                "'reference'",
                "budgets that are no percentages"},
               {"UPDATE plan SET value = "
                "'{\"source\":\"a\",\"budgets\":[1],\"accuracy\":[[\"x\\nsystem(1)\",[1]]]}' WHERE key "
                "= 'reference'",
                "unknown schedule"},
               {"UPDATE runs SET id = '../../../../tmp/x' WHERE position = 0", "is no id of a run"},
               {"UPDATE runs SET config = 'schedule = \"linear\\nx\"' WHERE position = 0",
                "holds the control character \\n"},
               {"UPDATE runs SET status = 'done', test_accuracy = 7 WHERE position = 0", "test_accuracy 7"},
               {"UPDATE runs SET updates = -5 WHERE position = 0", "updates -5"},
               {"UPDATE runs SET epochs = 1e-300, updates = 5 WHERE position = 0", "epochs 1e-300"},
               {"UPDATE runs SET seconds = 9e999 WHERE position = 0", "seconds inf"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.sql);
    write("study.sqlite", whole);
    change(c.sql);
    EXPECT_THAT(refusal(), HasSubstr(c.told));
  }
}

TEST_F(UntrustedStore, WhatARunSaidIsOneLine) {
  change(
      "UPDATE runs SET status = 'failed', error = 'a' || char(27) || ']0;x' || char(10) || '=1+1' WHERE "
      "position = 0");
  const StudyResults results = read_study_results(folder_);
  EXPECT_EQ(results.runs[0].error, "a ]0;x =1+1");
}

TEST_F(UntrustedStore, ASpellingThatItsAxisDoesNotHaveIsAValueOfItsOwn) {
  change("UPDATE plan SET value = '{\"seed\":[\"1\"]}' WHERE key = 'axis_values'");
  EXPECT_EQ(make_tables(read_study_results(folder_)).size(), 1U);
}

TEST_F(UntrustedStore, MeasuresOfManyNamesAreNoTableOfManyColumns) {
  change(
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO measures "
      "SELECT "
      "(SELECT id FROM runs WHERE position = 0), i, i, 0.5, 0.1, 'm' || i, 9e999 FROM n");
  const std::string id = read_study_results(folder_).runs[0].id;
  EXPECT_EQ(read_measures(folder_, id).size(), 200U);
  EXPECT_TRUE(std::isnan(read_measures(folder_, id)[0].value));
}

// SQLite deletes the "super-journal" that a rollback journal names when it has rolled back: a file of
// anybody's choice. The journal's format: https://www.sqlite.org/fileformat.html#the_rollback_journal and
// writeSuperJournal() of its pager.c.
TEST_F(UntrustedStore, DeletesNoFileThatItsJournalNames) {
  const fs::path precious = write("precious", "precious");
  const auto number = [](std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
    return text;
  };
  const std::string magic("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8), name = precious.string();
  std::uint32_t sum = 0;
  for (const char c : name) sum += static_cast<unsigned char>(c);
  const auto pages = static_cast<std::uint32_t>(fs::file_size(folder_ / "study.sqlite") / 4096);
  std::string journal = magic + number(0) + number(1) + number(pages) + number(512) + number(4096);
  journal.resize(512, '\0');
  journal += number(0x40000000 / 4096 + 1) + name + number(static_cast<std::uint32_t>(name.size())) +
             number(sum) + magic;
  write("study.sqlite-journal", journal);
  EXPECT_THAT(refusal(), HasSubstr("names another file to be deleted"));
  EXPECT_THAT(message_of<InputError>([&] { StudyStore store(folder_); }), HasSubstr("names another file"));
  EXPECT_EQ(text_of(precious), "precious");
}

TEST_F(UntrustedStore, LinksInThePlaceOfItsFilesAreRefused) {
  const fs::path precious = write("elsewhere/precious", "");
  for (const char* name : {"study.sqlite-journal", "study.sqlite-wal", "study.sqlite-shm"}) {
    SCOPED_TRACE(name);
    fs::create_symlink(precious, folder_ / name);
    EXPECT_THAT(message_of<LinkInTheWay>([&] { read_study_results(folder_); }),
                HasSubstr(std::string(name) + ": is a link"));
    EXPECT_THAT(message_of<LinkInTheWay>([&] { StudyStore store(folder_); }), HasSubstr("is a link"));
    fs::remove(folder_ / name);
  }
  fs::create_symlink(folder_ / "elsewhere/new", folder_ / "study.lock");
  EXPECT_THROW(RunLock::take(folder_, "0123456789abcdef"), LinkInTheWay);
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere/new"));
  EXPECT_EQ(text_of(precious), "");
}

TEST_F(UntrustedStore, AUsersOwnLinkToAStudyIsFollowed) {
  const TemporaryFolder other("study-link");
  fs::create_directory_symlink(folder_, other.path() / "out");
  EXPECT_EQ(read_study_results(other.path() / "out").runs.size(), 2U);
  StudyStore store(other.path() / "out");
  EXPECT_EQ(store.statuses().size(), 2U);
}

TEST_F(UntrustedStore, WriteAheadLogsAreRefusedWithARemedy) {
  change("PRAGMA journal_mode = WAL; PRAGMA user_version = 3");
  for (const char* name : {"study.sqlite-wal", "study.sqlite-shm"}) fs::remove(folder_ / name);
  EXPECT_THAT(refusal(), HasSubstr("PRAGMA journal_mode = DELETE"));
}

// A page of a table that says it is its own child: rows without end for who walks it.
TEST_F(UntrustedStore, PagesThatLeadInCirclesEnd) {
  change(
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO measures "
      "SELECT "
      "(SELECT id FROM runs WHERE position = 0), i, i, 0.5, 0.1, 'grad_norm', 1 FROM n");
  std::string bytes = text_of(folder_ / "study.sqlite");
  int changed = 0;
  // Interior pages of an index b-tree begin with 2; their cells with the number of the child's page.
  for (std::size_t page = 4096; page < bytes.size(); page += 4096) {
    if (bytes[page] != 2) continue;
    const auto cells =
        static_cast<unsigned char>(bytes[page + 3]) * 256 + static_cast<unsigned char>(bytes[page + 4]);
    const auto at = [&](int i) {
      const std::size_t pointer = page + 12 + 2 * static_cast<std::size_t>(i);
      return page + static_cast<unsigned char>(bytes[pointer]) * 256U +
             static_cast<unsigned char>(bytes[pointer + 1]);
    };
    const auto number = static_cast<std::uint32_t>(page / 4096 + 1);
    for (int i = 0; i < cells; ++i, ++changed) {
      for (int shift = 0; shift < 4; ++shift)
        bytes[at(i) + static_cast<std::size_t>(shift)] = static_cast<char>(number >> (24 - 8 * shift));
    }
  }
  ASSERT_GT(changed, 0);
  write("study.sqlite", bytes);
  EXPECT_NE(message_of<InputError>([&] {
              const StudyResults results = read_study_results(folder_);
              read_measures(folder_, results.runs[0].id);
            }),
            "nothing was thrown");
}

class UntrustedRun : public FolderTest {
 protected:
  UntrustedRun() {
    write("elsewhere/precious", "precious");
    run_.config.seed = 3;
    run_.id = run_id(run_.config);
    run_.directory = folder_ / "out" / "runs" / run_.id;
  }
  ~UntrustedRun() override { EXPECT_EQ(text_of(folder_ / "elsewhere/precious"), "precious"); }
  RunRecord run_;
};

TEST_F(UntrustedRun, IsStartedInNoFolderThatALinkLeadsTo) {
  fs::create_directories(folder_ / "elsewhere" / run_.id);
  write("elsewhere/" + run_.id + "/precious", "precious");
  fs::create_directories(folder_ / "out");
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "out/runs");
  EXPECT_THROW(start_run(run_, "/bin/true", true), LinkInTheWay);
  EXPECT_EQ(text_of(folder_ / "elsewhere" / run_.id / "precious"), "precious");
  fs::remove(folder_ / "out/runs");
  fs::create_directories(folder_ / "out/runs");
  fs::create_directory_symlink(folder_ / "elsewhere", run_.directory);
  EXPECT_THROW(start_run(run_, "/bin/true", true), LinkInTheWay);
}

TEST_F(UntrustedRun, WritesItsLogIntoNoFileThatALinkLeadsTo) {
  fs::create_directories(run_.directory / "checkpoint");
  std::ofstream(run_.directory / "config.toml") << to_toml(run_.config);
  fs::create_symlink(folder_ / "elsewhere/precious", run_.directory / "log.txt");
  StartedRun started = start_run(run_, "/bin/echo", true);
  EXPECT_TRUE(started.resumed);
  while (!started.child.poll()) ::usleep(1000);
  EXPECT_THAT(text_of(run_.directory / "log.txt"), HasSubstr("train --resume"));
}

// A pipe that nobody writes, a file of nothing but a hole, brackets without an end.
TEST_F(UntrustedRun, IsReadWithoutWaitingAndWithoutLimitsOfItsOwn) {
  fs::create_directories(run_.directory);
  for (const char* name : {"config.toml", "summary.json", "metrics.jsonl", "log.txt"})
    ASSERT_EQ(::mkfifo((run_.directory / name).c_str(), 0600), 0);
  RunRecord read;
  EXPECT_FALSE(holds_run(run_.directory, run_.id));
  EXPECT_FALSE(read_summary(run_.directory, read));
  EXPECT_TRUE(read_metrics(run_.directory).empty());
  EXPECT_EQ(latest_progress(run_.directory), 0);
  EXPECT_EQ(last_message(run_.directory / "log.txt"), "");

  for (const char* name : {"config.toml", "summary.json", "metrics.jsonl", "log.txt"}) {
    fs::remove(run_.directory / name);
    std::ofstream(run_.directory / name) << "{\"kind\":\"train\",\"step\":1,\"progress\":0.5}\n";
    fs::resize_file(run_.directory / name, std::uintmax_t{60} << 30);
  }
  EXPECT_FALSE(holds_run(run_.directory, run_.id));
  EXPECT_FALSE(read_summary(run_.directory, read));
  EXPECT_EQ(read_metrics(run_.directory).size(), 1U);

  for (const char* name : {"summary.json", "metrics.jsonl"})
    std::ofstream(run_.directory / name) << std::string(900'000, '[') << "\n";
  EXPECT_FALSE(read_summary(run_.directory, read));
  EXPECT_TRUE(read_metrics(run_.directory).empty());
}

class UntrustedCluster : public FolderTest {
 protected:
  UntrustedCluster() : cluster_(folder_) { cluster_.save_plan(seeds_plan(), {run_id(seeds_plan().runs[0])}); }
  ClusterFolder cluster_;
};

TEST_F(UntrustedCluster, NamesAreNoPathsAndTextsAreLines) {
  write("cluster/array-001/tasks.txt", "../../../etc 0123456789abcdef\n");
  EXPECT_THAT(cluster_.read_task("array-001", 0), testing::ElementsAre("0123456789abcdef"));
  for (const char* name : {"../array-001", "array-", "array-1/..", "runs"})
    EXPECT_THROW(cluster_.read_task(name, 0), InputError) << name;
  fs::create_directories(folder_ / "cluster/array-x; rm -rf");
  EXPECT_EQ(cluster_.arrays().size(), 1U);
  write("cluster/array-001/job.json", "{\"job_id\":\"1 --me\",\"job_name\":\"a\"}");
  EXPECT_THAT(message_of<InputError>([&] { cluster_.arrays(); }), HasSubstr("is no number"));
  write("cluster/runs/0123456789abcdef.json",
        "{\"state\":\"failed\",\"error\":\"a\\u001b]0;x\\u0007\",\"host\":\"h\\n\"}");
  EXPECT_EQ(cluster_.read_state("0123456789abcdef")->error, "a ]0;x ");
  EXPECT_EQ(cluster_.read_state("0123456789abcdef")->host, "h ");
  write("cluster/study.json",
        "{\"version\":1,\"name\":\"a\\u001b\",\"title\":\"\",\"axes\":[],\"values\":{},\"is_union\":false,"
        "\"figures\":[],"
        "\"source_toml\":\"\",\"runs\":[]}");
  EXPECT_THAT(message_of<InputError>([&] { cluster_.read_plan(); }),
              HasSubstr("name: holds the control character \\x1b"));
}

TEST_F(UntrustedCluster, WritesIntoNoFolderThatALinkLeadsTo) {
  const TemporaryFolder elsewhere("elsewhere");
  fs::remove_all(folder_ / "cluster");
  fs::create_directory_symlink(elsewhere.path(), folder_ / "cluster");
  EXPECT_THROW(cluster_.save_plan(seeds_plan(), {run_id(seeds_plan().runs[0])}), LinkInTheWay);
  EXPECT_THROW(cluster_.remove_array("array-001"), LinkInTheWay);
  EXPECT_TRUE(fs::is_empty(elsewhere.path()));
}

}  // namespace
}  // namespace glidepath
