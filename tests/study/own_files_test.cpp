// tests/study/own_files_test.cpp - studies of models that are files.
#include <gmock/gmock.h>

#include "files/atomic_file.h"
#include "study/support.h"

namespace glidepath {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class StudyOfAFile : public FolderTest {
 protected:
  StudyOfAFile() {
    options_.out = folder_ / "out";
    options_.program = FAKE_TRAINER;
    options_.jobs = 2;
    options_.on_note = [this](const std::string& line) { noted_.push_back(line); };
    ::setenv("FAKE_TRAINER_LOG", (folder_ / "log").c_str(), 1);
  }
  StudyResults run() {
    return run_study(read_study_plan(write("s.toml", "[base]\nmodel = \"script:" + net_.string() +
                                                         "\"\n[grid]\nseed = [1, 2]\n")),
                     options_);
  }

  const fs::path net_ = folder_ / "net.pt";
  StudyOptions options_;
  std::vector<std::string> noted_;
};

const std::string kOfA = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
const std::string kOfB = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";

TEST_F(StudyOfAFile, CopiesItOnce) {
  write_file(net_, "a");
  const StudyResults results = run();
  const fs::path once = options_.out / "models" / (kOfA + "-model.pt");
  EXPECT_EQ(text_of(once), "a");
  EXPECT_EQ(fs::hard_link_count(once), 3U);
  for (const RunRecord& run : results.runs) {
    EXPECT_EQ(run.config.model_sha256, kOfA);
    EXPECT_TRUE(fs::equivalent(run.directory / "model.pt", once));
  }
  EXPECT_EQ(results.axes, std::vector<std::string>{"seed"});
}

TEST_F(StudyOfAFile, WithAnotherContentHasOtherRunsAndSaysSo) {
  write_file(net_, "a");
  const StudyResults first = run();
  run();
  EXPECT_TRUE(noted_.empty());
  write_file(net_, "b");
  const StudyResults second = run();
  EXPECT_NE(first.runs[0].id, second.runs[0].id);
  EXPECT_THAT(noted_, ElementsAre(net_.string() + ": its SHA-256 is " + kOfB + ", and " + kOfA +
                                  " in 2 earlier runs of this study: those are other runs, and left out"));
  EXPECT_EQ(text_of(second.runs[0].directory / "model.pt"), "b");
  EXPECT_EQ(text_of(first.runs[0].directory / "model.pt"), "a");
}

}  // namespace
}  // namespace glidepath
