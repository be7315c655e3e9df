// tests/study/study_files_test.cpp - the study files that come with Glidepath.
#include <gtest/gtest.h>

#include "glidepath/study.h"

namespace glidepath {
namespace {

TEST(StudyFiles, AllCanBeReadWithTheirProfiles) {
  const std::filesystem::path folder = GLIDEPATH_SOURCE_DIR "/studies";
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    const StudyPlan plan = read_study_plan(entry.path());
    EXPECT_EQ(plan.name, entry.path().stem().string());
    EXPECT_FALSE(plan.runs.empty());
    ++files;
  }
  EXPECT_GE(files, 3);
}

TEST(StudyFiles, SmallCifarStudyIsThePapersTable) {
  const std::filesystem::path file = GLIDEPATH_SOURCE_DIR "/studies/cifar10-small.toml";
  const StudyPlan plan = read_study_plan(file);
  const StudyPlan paper = read_study_plan(file, {"paper", {}});
  for (const StudyPlan* either : {&plan, &paper}) {
    EXPECT_EQ(either->values.at("budget"),
              (std::vector<std::string>{"1%", "5%", "10%", "25%", "50%", "100%"}));
    EXPECT_EQ(either->values.at("seed").size(), 3u);
    EXPECT_EQ(either->runs.size(), either->values.at("schedule").size() * 6 * 3);
  }
  for (const TrainConfig& run : paper.runs) {  // Li et al., ICLR 2020, section 4.1
    EXPECT_EQ(run.model, "resnet18");
    EXPECT_EQ(run.full, "200ep");
    EXPECT_EQ(run.base_lr, 0.1);
    EXPECT_EQ(run.momentum, 0.9);
    EXPECT_EQ(run.weight_decay, 5e-4);
    EXPECT_EQ(run.batch_size, 128);
  }
}

}  // namespace
}  // namespace glidepath
