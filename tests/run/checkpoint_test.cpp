// tests/run/checkpoint_test.cpp - checkpoints on the disk: kept, verified, replaced by the one before.
#include "run/checkpoint.h"

#include <cstdlib>
#include <fstream>
#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "run/metrics_file.h"
#include "run/run_directory.h"
#include "support/files.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CheckpointTest : public testing::Test {
 protected:
  CheckpointFolder open(std::int64_t keep) {
    return {folder_ / "checkpoint", keep, [this](const std::string& text) { warnings_.push_back(text); }};
  }
  static StateMap at(std::int64_t step, std::int64_t rewind_step = -1) {
    StateMap state;
    state.put(CheckpointPlace{step, rewind_step});
    return state;
  }
  static std::int64_t step_of(const std::optional<StateMap>& state) {
    return state ? state->get<CheckpointPlace>().step : -1;
  }
  static TensorMap tensors(std::int64_t step) {
    return {{"w", torch::full({3, 2}, static_cast<double>(step))}};
  }
  static void write(const fs::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }

  const TemporaryFolder temporary_{"checkpoint"};
  const fs::path& folder_ = temporary_.path();
  std::vector<std::string> warnings_;
};

TEST_F(CheckpointTest, StateAndTensorsComeBack) {
  StateMap state = at(7);
  state.put(DirectoryState{1234567890123, {}});
  const CheckpointFolder folder = open(1);
  folder.save(tensors(7), state);
  TensorMap read;
  const auto back = folder.load(read);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->text(), state.text());
  EXPECT_EQ(back->get<DirectoryState>().metrics_bytes, 1234567890123);
  EXPECT_TRUE(torch::equal(read.at("w"), tensors(7).at("w")));
}

TEST_F(CheckpointTest, AStateThatIsRefusedCountsAsDamaged) {
  CheckpointFolder folder = open(2);
  for (const std::int64_t step : {1, 2}) folder.save(tensors(step), at(step));
  folder.save_branch(tensors(2), at(2));
  folder.set_check([](const StateMap& state) {
    if (state.get<CheckpointPlace>().step == 2) throw InputError("not this one");
  });
  TensorMap read;
  EXPECT_EQ(step_of(folder.load(read)), 1);
  EXPECT_FALSE(folder.load_branch(read).has_value());
  ASSERT_EQ(warnings_.size(), 2U);
  EXPECT_THAT(warnings_[0], HasSubstr("step-000000002.safetensors: not this one"));
}

TEST_F(CheckpointTest, TheLastKAndTheOneToGoBackToAreKept) {
  const CheckpointFolder folder = open(2);
  for (const std::int64_t step : {1, 2, 3, 4, 5}) folder.save(tensors(step), at(step, 2));
  EXPECT_THAT(folder.steps(), ElementsAre(5, 4, 2));
  folder.save(tensors(1'000'000'007), at(1'000'000'007));  // longer than the names are padded to
  EXPECT_THAT(folder.steps(), ElementsAre(1'000'000'007, 5));
  folder.remove_after(5);
  EXPECT_THAT(folder.steps(), ElementsAre(5));
}

TEST_F(CheckpointTest, NothingToLoadIsNoError) {
  TensorMap read;
  EXPECT_FALSE(open(2).load(read).has_value());
  const CheckpointFolder folder = open(2);
  folder.save(tensors(5), at(5));
  EXPECT_FALSE(folder.load(read, 4).has_value());
  EXPECT_EQ(step_of(folder.load(read, 5)), 5);
}

// Every single bit counts: header, state and tensors.
TEST_F(CheckpointTest, AnyChangedByteIsSeenAndTheOneBeforeIsUsed) {
  const CheckpointFolder folder = open(2);
  folder.save(tensors(1), at(1));
  folder.save(tensors(2), at(2));
  const std::string good = text_of(folder.file(2));
  ASSERT_GT(good.size(), 200U);
  TensorMap read;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    write(folder.file(2), damaged);
    warnings_.clear();
    const auto state = folder.load(read);
    ASSERT_TRUE(state.has_value()) << "byte " << i;
    ASSERT_EQ(step_of(state), 1) << "byte " << i << " was changed and nobody saw it";
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_THAT(warnings_[0], HasSubstr("step-000000002.safetensors"));
  }
  write(folder.file(2), good);
  EXPECT_EQ(step_of(folder.load(read)), 2);
}

TEST_F(CheckpointTest, AnEmptyCutOrForeignFileIsPassedOver) {
  const CheckpointFolder folder = open(4);
  for (const std::int64_t step : {1, 2, 3}) folder.save(tensors(step), at(step));
  save_safetensors(folder.file(4), tensors(4), {{"run_state", "{}"}});  // no SHA-256
  write(folder.file(3), "");
  write(folder.file(2), text_of(folder.file(2)).substr(0, 100));
  TensorMap read;
  EXPECT_EQ(step_of(folder.load(read)), 1);
  ASSERT_EQ(warnings_.size(), 3U);
  EXPECT_THAT(warnings_[0], HasSubstr("carries no SHA-256"));
  // Out of the way: the next checkpoints are not taken for older ones and deleted.
  EXPECT_THAT(folder.steps(), ElementsAre(1));
  EXPECT_TRUE(fs::exists(folder.file(3).string() + ".damaged"));
}

TEST_F(CheckpointTest, WhenNoneIsWholeTheRunDoesNotSilentlyStartAgain) {
  const CheckpointFolder folder = open(2);
  folder.save(tensors(1), at(1));
  write(folder.file(1), "not a checkpoint");
  TensorMap read;
  try {
    folder.load(read);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("none of its checkpoints can be read"));
  }
  EXPECT_THAT(folder.steps(), ElementsAre(1));  // nor when it is resumed once more
  EXPECT_THROW(folder.load(read), InputError);
}

TEST_F(CheckpointTest, AnEarlierStateReplacesLaterOnes) {
  const CheckpointFolder folder = open(2);
  for (const std::int64_t step : {3, 8, 9}) folder.save(tensors(step), at(step));
  folder.save_branch(tensors(4), at(4));
  folder.save_and_drop_later(tensors(5), at(5));
  EXPECT_THAT(folder.steps(), ElementsAre(5));
  TensorMap read;
  EXPECT_EQ(step_of(folder.load(read)), 5);
  EXPECT_EQ(step_of(folder.load_branch(read)), 4);
  EXPECT_TRUE(torch::equal(read.at("w"), tensors(4).at("w")));
}

TEST_F(CheckpointTest, ADamagedBranchIsToldOfAndDoneWithout) {
  const CheckpointFolder folder = open(2);
  TensorMap read;
  EXPECT_FALSE(folder.load_branch(read).has_value());
  folder.save_branch(tensors(4), at(4));
  write(folder_ / "checkpoint/branch.safetensors", "not a checkpoint");
  EXPECT_FALSE(folder.load_branch(read).has_value());
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], HasSubstr("branch.safetensors"));
}

TEST_F(CheckpointTest, WhatAKilledWriterLeftIsNotReadAndIsCleanedUp) {
  const CheckpointFolder folder = open(2);
  folder.save(tensors(1), at(1));
  const fs::path part = folder.file(2).string() + ".0badcafe.part";
  write(part, text_of(folder.file(1)).substr(0, 50));
  TensorMap read;
  EXPECT_EQ(step_of(folder.load(read)), 1);
  EXPECT_TRUE(warnings_.empty());
  folder.save(tensors(3), at(3));
  EXPECT_FALSE(fs::exists(part));
}

TEST_F(CheckpointTest, ADiskThatRefusesLeavesTheOldOnes) {
  const CheckpointFolder folder = open(1);
  folder.save(tensors(1), at(1));
  fs::create_directory(folder.file(2));  // where the new one would be put
  EXPECT_THROW(folder.save(tensors(2), at(2)), RunError);
  fs::remove(folder.file(2));
  EXPECT_THAT(folder.steps(), ElementsAre(1));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.file(1).parent_path()), fs::directory_iterator()), 1);
}

// Whoever hands a run over may have put a link in it: nothing is written or deleted where that leads.
TEST_F(CheckpointTest, ALinkInThePlaceOfItsFolderIsRefused) {
  const CheckpointFolder folder = open(1);
  const fs::path inside = folder.file(1).parent_path(), elsewhere = folder_ / "elsewhere";
  fs::create_directory(elsewhere);
  write(elsewhere / "step-000000009.safetensors", "precious");
  write(elsewhere / "mine.part", "precious");
  fs::create_directories(inside.parent_path());
  fs::create_directory_symlink(elsewhere, inside);
  TensorMap read;
  EXPECT_THROW(folder.save(tensors(1), at(1)), LinkInTheWay);
  EXPECT_THROW(folder.load(read), LinkInTheWay);
  EXPECT_THROW(folder.remove_after(0), LinkInTheWay);
  EXPECT_EQ(std::distance(fs::directory_iterator(elsewhere), fs::directory_iterator()), 2);
}

TEST_F(CheckpointTest, ALinkUnderACheckpointsNameIsReplaced) {
  const CheckpointFolder folder = open(2);
  folder.save(tensors(1), at(1));
  write(folder_ / "precious", "precious");
  fs::create_symlink(folder_ / "precious", folder.file(2));
  folder.save(tensors(2), at(2));
  EXPECT_EQ(text_of(folder_ / "precious"), "precious");
  TensorMap read;
  EXPECT_EQ(step_of(folder.load(read)), 2);
}

// 60 GB that take no room on the disk, under a header that is whole.
TEST_F(CheckpointTest, OneThatIsLargerThanTheRunsOwnIsRefusedUnread) {
  CheckpointFolder folder = open(2);
  folder.save(tensors(1), at(1));
  const std::string header =
      R"({"__metadata__":{"run_state":"{}","sha256":")" + std::string(64, '0') +
      R"("},"w":{"dtype":"F32","shape":[15000000000],"data_offsets":[0,60000000000]}})";
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
  write(folder.file(2), length + header);
  fs::resize_file(folder.file(2), 8 + header.size() + 60'000'000'000);
  folder.set_most_bytes(1 << 20);
  TensorMap read;
  EXPECT_EQ(step_of(folder.load(read)), 1);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], HasSubstr("its tensors have 60000000000 bytes"));
}

TEST_F(CheckpointTest, MetricsAreWrittenIntoNoFileThatALinkLeadsTo) {
  write(folder_ / "precious", "precious");
  const fs::path file = folder_ / "metrics.jsonl";
  MetricsFile metrics(file, 0);
  metrics.append("1");
  for (const bool hard : {false, true}) {
    if (hard) {
      fs::create_hard_link(folder_ / "precious", file);
    } else {
      fs::create_symlink(folder_ / "precious", file);
    }
    metrics.flush();
    EXPECT_EQ(text_of(file), "1\n");
    EXPECT_EQ(text_of(folder_ / "precious"), "precious");
    fs::remove(file);
  }
  fs::create_symlink("/dev/zero", file);
  EXPECT_EQ(MetricsFile(file, 1000).size(), 0U);
}

TEST_F(CheckpointTest, MetricsWaitForTheDiskAndAreWrittenWhole) {
  const fs::path file = folder_ / "gone" / "metrics.jsonl";
  MetricsFile metrics(file, 0);
  metrics.append("1");
  EXPECT_THROW(metrics.write(), RunError);
  metrics.append("2");
  fs::create_directory(folder_ / "gone");
  metrics.write();
  EXPECT_EQ(text_of(file), "1\n2\n");
  fs::remove_all(folder_ / "gone");  // while running
  metrics.append("3");
  EXPECT_THROW(metrics.write(), RunError);
  fs::create_directory(folder_ / "gone");
  metrics.flush();
  EXPECT_EQ(text_of(file), "1\n2\n3\n");
  std::ofstream(file, std::ios::app) << "a session that was killed wrote this";
  MetricsFile resumed(file, 4);
  resumed.append("4");
  resumed.write();
  EXPECT_EQ(text_of(file), "1\n2\n4\n");
  EXPECT_EQ(MetricsFile(file, 100).size(), 6U);  // shorter than its checkpoint says
}

}  // namespace
}  // namespace glidepath
