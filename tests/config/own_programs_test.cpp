// tests/config/own_programs_test.cpp - files that are a model, and plug-ins, by their content.
#include "config/own_programs.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/atomic_file.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string kA =
    "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";  // printf a | sha256sum
const std::string kB = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";

template <typename Act>
std::string refusal_of(const Act& act) {
  try {
    act();
  } catch (const InputError& error) {
    return error.what();
  }
  return "taken";
}

class OwnPrograms : public testing::Test {
 protected:
  OwnPrograms() {
    fs::create_directory(run_);
    write_file(net_, "a");
    config_.model = "script:" + net_.string();
  }
  void identify() {
    KnownHashes known;
    identify_programs(config_, known);
  }
  TrainConfig of_run() const { return with_programs_of_run(config_, run_); }

  const TemporaryFolder folder_{"own-programs"};
  const fs::path net_ = folder_.path() / "net.pt", run_ = folder_.path() / "run", copy_ = run_ / "model.pt";
  TrainConfig config_;
};

TEST_F(OwnPrograms, AreKnownByTheirHashes) {
  config_.plugin = net_.string();
  identify();
  EXPECT_EQ(config_.model_sha256, kA);
  EXPECT_EQ(config_.plugin_sha256, kA);
  identify();
  write_file(net_, "b");
  EXPECT_EQ(refusal_of([&] { identify(); }),
            net_.string() + ": its SHA-256 is " + kB + ", and this run's is " + kA +
                "; put that file back, or leave model_sha256 out for a run of this one");
  config_.model_sha256.clear();
  EXPECT_THAT(refusal_of([&] { identify(); }), HasSubstr("leave plugin_sha256 out"));
}

TEST_F(OwnPrograms, AHashIsOfAFile) {
  config_.model = "mlp";
  config_.model_sha256 = kA;
  EXPECT_EQ(refusal_of([&] { identify(); }),
            "model_sha256 \"" + kA + "\": the model \"mlp\" is no file of yours; leave it out");
  config_.model_sha256.clear();
  config_.plugin_sha256 = kA;
  EXPECT_EQ(refusal_of([&] { identify(); }),
            "plugin_sha256 \"" + kA + "\": there is no plug-in; leave it out");
}

TEST_F(OwnPrograms, AFileThatIsNotThereIsItsReadersToRefuse) {
  fs::remove(net_);
  identify();
  EXPECT_EQ(config_.model_sha256, "");
}

TEST_F(OwnPrograms, ARunKeepsItsModel) {
  identify();
  keep_model_file(config_, run_, run_);
  EXPECT_EQ(read_file(copy_), "a");
  EXPECT_EQ(changed_since(config_, run_), "");
  write_file(net_, "b");
  EXPECT_THAT(changed_since(config_, run_),
              testing::AllOf(HasSubstr(net_.string() + " has SHA-256 " + kB), HasSubstr("copy of " + kA)));
  EXPECT_EQ(of_run().model, "script:" + copy_.string());
  fs::remove(net_);
  EXPECT_EQ(of_run().model, "script:" + copy_.string());
  EXPECT_EQ(changed_since(config_, run_), "");

  const fs::path other = folder_.path() / "other";  // where the run goes on
  fs::create_directory(other);
  keep_model_file(config_, other, run_);
  EXPECT_EQ(read_file(other / "model.pt"), "a");
}

TEST_F(OwnPrograms, ACopyThatIsDamagedIsRefusedAndWrittenAnewByANewRun) {
  identify();
  write_file(copy_, "b");
  EXPECT_EQ(refusal_of([&] { of_run(); }), copy_.string() + ": its SHA-256 is " + kB +
                                               ", and this run's is " + kA +
                                               "; put that file back, or start a new run for this one");
  keep_model_file(config_, run_, run_);
  EXPECT_EQ(read_file(copy_), "a");
}

TEST_F(OwnPrograms, ARunWithoutACopyHasTheFileItself) {
  EXPECT_EQ(of_run().model, config_.model);  // of an earlier version, whatever is in it
  identify();
  EXPECT_EQ(of_run().model, config_.model);
  write_file(net_, "b");
  EXPECT_THAT(refusal_of([&] { of_run(); }), HasSubstr("net.pt: its SHA-256 is " + kB));
  EXPECT_THAT(refusal_of([&] { keep_model_file(config_, run_, run_); }),
              HasSubstr("net.pt: its SHA-256 is " + kB));
  EXPECT_FALSE(fs::exists(copy_));
}

TEST_F(OwnPrograms, APlugInIsToBeTheRuns) {
  config_.model = "mlp";
  config_.plugin = net_.string();
  identify();
  EXPECT_NO_THROW(of_run());
  write_file(net_, "b");
  EXPECT_THAT(refusal_of([&] { of_run(); }), HasSubstr("net.pt: its SHA-256 is " + kB));
}

}  // namespace
}  // namespace glidepath
