// tests/study/run_collection_test.cpp - runs that no study made, read as results.
#include "study/store/run_collection.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "study/plan/identity.h"
#include "study/store/run_points.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RunCollection : public testing::Test {
 protected:
  fs::path write_run(const std::string& name, const std::string& config, const std::string& summary) {
    const fs::path run = folder_.path() / name;
    fs::create_directories(run);
    std::ofstream(run / "config.toml") << config;
    std::ofstream(run / "metrics.jsonl")
        << R"({"kind":"train","step":1,"epoch":0.1,"progress":0.5,"lr":0.1,"loss":2.5,"accuracy":0.25})"
        << "\n"
        << R"({"kind":"measure","step":1,"progress":0.5,"lr":0.1,"grad_norm":0.75})"
        << "\n";
    if (!summary.empty()) std::ofstream(run / "summary.json") << summary;
    return run;
  }
  std::string error_of_reading(const fs::path& dir) {
    try {
      read_results(dir);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  const std::string done_ = R"({"status":"done","test_accuracy":0.5,"test_loss":1,"updates":10,"seconds":3})";
  const TemporaryFolder folder_{"collection"};
};

TEST_F(RunCollection, RunsAreTheResultsOfAStudyOfWhatTheyDifferIn) {
  write_run("a", "schedule = \"linear\"\nbudget = \"10it\"\nbase_lr = 0.1\nseed = 1\n", done_);
  write_run("b",
            "schedule = \"const\"\nbudget = \"10it\"\nbase_lr = 0.2\nseed = 1\n[loop]\nmodel = "
            "\"UNet\"\ndata = 5\n",
            "");
  fs::create_directory(folder_.path() / "no run");
  std::ofstream(folder_.path() / "note.txt") << "mine";
  const StudyResults results = read_results(folder_.path());
  ASSERT_EQ(results.runs.size(), 2U);
  EXPECT_EQ(results.runs[0].status, RunStatus::kDone);
  EXPECT_EQ(results.runs[0].test_accuracy, 0.5);
  EXPECT_EQ(results.runs[1].status, RunStatus::kRunning);
  EXPECT_EQ(results.runs[1].config.model, "UNet");
  EXPECT_EQ(results.runs[1].config.data, "data of its own");
  EXPECT_THAT(results.axes,
              testing::UnorderedElementsAre("data", "model", "schedule", "budget", "base_lr", "seed"));
  EXPECT_THAT(results.values.at("base_lr"), ElementsAre("0.1", "0.2"));
  const auto curve = read_curve(folder_.path(), results.runs[0].id);
  ASSERT_EQ(curve.size(), 1U);
  EXPECT_EQ(curve[0].loss, 2.5);
  EXPECT_EQ(read_measures(folder_.path(), results.runs[1].id)[0].value, 0.75);
  EXPECT_THROW(read_curve(folder_.path(), "0123456789abcdef"), InputError);
  EXPECT_EQ(times_of_collection(folder_.path()).size(), 2U);
}

TEST_F(RunCollection, ARunsFolderIsACollectionOfOne) {
  const fs::path run = write_run("alone", "seed = 3\n", done_);
  for (const fs::path& spelt : {run, fs::path(run.string() + "/")}) {
    const StudyResults results = read_results(spelt);
    ASSERT_EQ(results.runs.size(), 1U);
    EXPECT_EQ(results.runs[0].directory, spelt);
    EXPECT_EQ(read_curve(spelt, results.runs[0].id).size(), 1U);
  }
}

TEST_F(RunCollection, WhatCannotBeToldApartOrReadIsRefused) {
  EXPECT_THAT(error_of_reading(folder_.path()), HasSubstr("no study there"));
  EXPECT_THAT(error_of_reading(folder_.path() / "missing"), HasSubstr("no study there"));
  write_run("a", "seed = 1\n", done_);
  write_run("b", "seed = 1\n", done_);
  EXPECT_THAT(error_of_reading(folder_.path()), HasSubstr("has the options of"));
  write_run("b", "seed = \"one\"\n", done_);
  EXPECT_THAT(error_of_reading(folder_.path()), HasSubstr("b/config.toml:1: seed"));
  write_run("b", "seed = 2\n", R"({"status":"done","test_accuracy":7})");
  EXPECT_EQ(read_results(folder_.path()).runs[1].status, RunStatus::kFailed);
}

// A folder may hold links to anything; what is looked for is what a run writes.
TEST_F(RunCollection, LinksAreNotFollowed) {
  const TemporaryFolder elsewhere("elsewhere");
  const fs::path run = write_run("a", "seed = 1\n", done_);
  fs::create_directory_symlink(run, folder_.path() / "linked");
  fs::create_directory(folder_.path() / "b");
  fs::create_symlink(run / "config.toml", folder_.path() / "b" / "config.toml");
  fs::create_symlink("/dev/zero", folder_.path() / "b" / "metrics.jsonl");
  EXPECT_EQ(read_results(folder_.path()).runs.size(), 1U);
}

// A report reads the curve of every run: each folder is looked at once, and each line.
TEST_F(RunCollection, LongCurvesOfManyRunsAreReadInOneGo) {
  for (int run = 0; run < 300; ++run) write_run("run-" + std::to_string(run), "seed = 1\n", done_);
  constexpr int kLines = 100'000;
  {
    std::ofstream lines(folder_.path() / "run-7" / "metrics.jsonl", std::ios::trunc);
    for (int i = 1; i <= kLines; ++i) {
      lines << R"({"kind":"train","step":)" << i << R"(,"progress":0.5,"lr":0.1,"loss":2.5,"accuracy":0.25})"
            << "\n"
            << R"({"kind":"measure","step":)" << i << R"(,"progress":0.5,"lr":0.1,"grad_norm":0.75})"
            << "\n";
    }
  }
  const RunPoints points(folder_.path());
  std::size_t all = 0;
  const auto id = [](int run) { return id_of_text("run-" + std::to_string(run)); };
  for (int run = 0; run < 300; ++run) all += points.curve(id(run)).size();
  EXPECT_EQ(all, 299U + kLines);
  EXPECT_EQ(points.curve(id(7)).back().step, kLines);
  EXPECT_EQ(points.measures(id(7)).size(), static_cast<std::size_t>(kLines));
  EXPECT_EQ(read_measures(folder_.path(), id(8)).size(), 1U);
  EXPECT_THROW(points.curve(id(300)), InputError);
}

}  // namespace
}  // namespace glidepath
