// tests/data/own/token_set_test.cpp - text as tokens: vocabulary, windows, and files of uint16.
#include <cstring>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "data/own/own_support.h"
#include "glidepath/loader.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;
using torch::Tensor;

DataChoice with_context(std::int64_t context) {
  DataChoice choice;
  choice.context = context;
  return choice;
}

/// tests/data/golden/own/make_tokens.py: by nanoGPT's own way.
struct GoldenText {
  fs::path file = fs::path(GLIDEPATH_TEST_DATA) / "own/text.txt";
  nlohmann::json json;
  GoldenText() { std::ifstream(fs::path(GLIDEPATH_TEST_DATA) / "own/text.json") >> json; }
  Tensor tokens(const char* part) const {
    return torch::tensor(json.at(part).get<std::vector<std::int64_t>>(), torch::kInt64);
  }
  std::string name() const { return "tokens:" + file.string(); }
};

TEST(TokenSet, ATextsCharactersAndPartsAreNanoGpts) {
  const GoldenText golden;
  const Dataset set = load_dataset(golden.name(), {}, with_context(5));
  EXPECT_EQ(set.task, "language");
  EXPECT_EQ(set.class_names, golden.json.at("characters").get<std::vector<std::string>>());
  EXPECT_EQ(set.classes, static_cast<std::int64_t>(set.class_names.size()));
  EXPECT_EQ(set.tokens, 5);
  EXPECT_DOUBLE_EQ(set.bytes_per_token, golden.json.at("bytes_per_token").get<double>());
  // Windows that follow each other, of tests and of training examples that are looked at.
  for (const auto& [split, part] : {std::pair(&set.train, "train"), {&set.test, "val"}}) {
    const Tensor tokens = golden.tokens(part);
    const std::int64_t count = (tokens.size(0) - 1) / 5;
    ASSERT_EQ(split->size(), count);
    const Batch first = examples_of(*split, {0, 1, count - 1});
    for (const auto& [row, number] : {std::pair<std::int64_t, std::int64_t>{0, 0}, {1, 1}, {2, count - 1}}) {
      EXPECT_TRUE(torch::equal(first.inputs[0][row], tokens.narrow(0, 5 * number, 5)));
      EXPECT_TRUE(torch::equal(first.targets[0][row], tokens.narrow(0, 5 * number + 1, 5)));
    }
  }
}

TEST(TokenSet, TrainingWindowsAreAFunctionOfSeedEpochAndNumber) {
  const TemporaryFolder temporary("windows");
  const fs::path folder = temporary.path();
  std::string bytes(2 * 1000, '\0');
  for (std::uint16_t i = 0; i < 1000; ++i) std::memcpy(&bytes[2 * i], &i, 2);
  write_bytes(folder / "train.bin", bytes);
  write_bytes(folder / "val.bin", bytes.substr(0, 200));
  const Dataset set = load_dataset("tokens:" + folder.string(), {}, with_context(9));
  EXPECT_EQ(set.classes, 1000);
  ASSERT_EQ(set.train.size(), 111);
  std::set<std::int64_t> offsets;
  for (std::int64_t epoch = 0; epoch < 40; ++epoch) {
    for (const std::int64_t number : {0, 7, 110}) {
      const Batch batch = examples_of(set.train, {number}, true, 3, epoch);
      const auto begin = batch.inputs[0][0][0].item<std::int64_t>();
      EXPECT_TRUE(torch::equal(batch.inputs[0][0], torch::arange(begin, begin + 9)));
      EXPECT_TRUE(torch::equal(batch.targets[0][0], torch::arange(begin + 1, begin + 10)));
      EXPECT_GE(begin, 9 * number);
      EXPECT_LT(begin, 9 * number + 9);
      if (number == 7) offsets.insert(begin - 63);
      EXPECT_TRUE(
          torch::equal(examples_of(set.train, {5, number}, true, 3, epoch).inputs[0][1], batch.inputs[0][0]));
    }
  }
  EXPECT_EQ(offsets.size(), 9U);
  const auto one = [&](std::uint64_t seed) {
    return examples_of(set.train, {1, 2, 3, 4}, true, seed, 0).inputs[0];
  };
  EXPECT_FALSE(torch::equal(one(1), one(2)));
}

TEST(TokenSet, FilesOfTokensMayHaveAMeta) {
  const TemporaryFolder temporary("meta");
  const fs::path folder = temporary.path();
  const std::string name = "tokens:" + folder.string();
  const std::string tokens("\x01\0\x02\0\x00\x01\x03\0", 8);
  write_bytes(folder / "train.bin", tokens);
  EXPECT_EQ(refusal_of(name),
            (folder / "val.bin").string() +
                ": is not there; the folder must have train.bin and val.bin of uint16 tokens");
  write_bytes(folder / "val.bin", tokens);
  EXPECT_EQ(load_dataset(name, {}, with_context(2)).classes, 257);
  EXPECT_EQ(load_dataset(name, {}, with_context(2)).bytes_per_token, 0);
  write_bytes(folder / "meta.json", R"({"vocab_size": 300, "bytes_per_token": 3.5})");
  EXPECT_EQ(load_dataset(name, {}, with_context(2)).classes, 300);
  EXPECT_EQ(load_dataset(name, {}, with_context(2)).bytes_per_token, 3.5);
  write_bytes(folder / "meta.json", R"({"vocab_size": 256})");
  EXPECT_EQ(refusal_of(name, with_context(2)),
            (folder / "train.bin").string() + ": token 2 is 256, and vocab_size in meta.json is 256");
  for (const char* wrong :
       {"{", "3", R"({"vocab_size": 0})", R"({"vocab_size": 70000})", R"({"bytes_per_token": -1})"}) {
    write_bytes(folder / "meta.json", wrong);
    EXPECT_THAT(refusal_of(name, with_context(2)), HasSubstr("meta.json: must be {\"vocab_size\"")) << wrong;
  }
  fs::remove(folder / "meta.json");
  EXPECT_EQ(
      refusal_of(name, with_context(4)),
      folder.string() + ": 4 tokens to train on; a context of 4 takes 5 at least; give a smaller --context");
  write_bytes(folder / "val.bin", tokens.substr(0, 5));
  EXPECT_EQ(
      refusal_of(name, with_context(2)),
      (folder / "val.bin").string() + ": has 5 bytes, no whole number of uint16 tokens; it is truncated");
}

TEST(TokenSet, WhatIsNoTextIsRefused) {
  const TemporaryFolder temporary("no-text");
  const fs::path file = temporary.path() / "x.txt";
  write_bytes(file, "abc\xff\xfe");
  EXPECT_EQ(refusal_of("tokens:" + file.string()),
            file.string() + ": is no UTF-8 text; give one, or a folder of train.bin and val.bin");
  write_bytes(file, "");
  EXPECT_THAT(refusal_of("tokens:" + file.string()), HasSubstr("0 tokens to train on"));
  write_bytes(file, std::string(100, 'a'));
  EXPECT_THAT(refusal_of("tokens:" + file.string(), with_context(10)), HasSubstr("10 tokens to test on"));
}

}  // namespace
}  // namespace glidepath
