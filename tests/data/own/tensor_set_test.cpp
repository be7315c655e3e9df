// tests/data/own/tensor_set_test.cpp - data sets of tensors: what they are for, and what is wrong with them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "data/own/own_support.h"
#include "data/own/tensor_files.h"
#include "glidepath/loader.h"
#include "glidepath/safetensors.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;
using torch::Tensor;

constexpr auto kInt = torch::kInt64;

class TensorSet : public testing::Test {
 protected:
  TensorSet() : temporary_("tensors"), file_(temporary_.path() / "set.safetensors") {}

  /// Eight rows to train on and four to test on, of these inputs and targets.
  std::string of(const Tensor& inputs, const Tensor& targets) {
    return saved({{"train.inputs", inputs.narrow(0, 0, 8)},
                  {"train.targets", targets.narrow(0, 0, 8)},
                  {"test.inputs", inputs.narrow(0, 8, 4)},
                  {"test.targets", targets.narrow(0, 8, 4)}});
  }
  std::string saved(const TensorMap& tensors) {
    save_safetensors(file_, tensors);
    return "tensors:" + file_.string();
  }
  std::string refused(const Tensor& inputs, const Tensor& targets) {
    const std::string message = refusal_of(of(inputs, targets));
    const std::string begin = file_.string() + ": ";
    EXPECT_EQ(message.rfind(begin, 0), 0U) << message;
    return message.substr(std::min(begin.size(), message.size()));
  }

  TemporaryFolder temporary_;
  fs::path file_;
};

TEST_F(TensorSet, LabelsAreClassified) {
  const Tensor inputs = torch::arange(36, torch::kFloat64).view({12, 3}),
               labels = torch::arange(12, torch::kInt32) % 4;
  const Dataset set = load_dataset(of(inputs, labels));
  EXPECT_EQ(set.task, "classify");
  EXPECT_EQ(set.classes, 4);
  EXPECT_TRUE(set.is_own());
  EXPECT_THAT(set.notes, testing::ElementsAre("8 and 4 examples of float64 [3], targets int64 []: classify"));
  const Batch batch = examples_of(set.test, {3, 0});
  EXPECT_TRUE(
      torch::equal(batch.inputs[0], inputs.to(torch::kFloat32).index_select(0, torch::tensor({11, 8}))));
  EXPECT_TRUE(torch::equal(batch.targets[0], torch::tensor({3, 0}, kInt)));
}

TEST_F(TensorSet, FloatsAreToldAsNumbers) {
  const Tensor numbers = torch::arange(12, torch::kFloat32);
  const Dataset one = load_dataset(of(torch::ones({12, 3}), numbers));
  EXPECT_EQ(one.task, "regress");
  EXPECT_EQ(one.classes, 0);
  EXPECT_TRUE(torch::equal(examples_of(one.train, {5}).targets[0], torch::tensor({{5.F}})));
  const Dataset two =
      load_dataset(of(torch::ones({12, 3}), numbers.unsqueeze(1).repeat({1, 2}).to(torch::kFloat16)));
  EXPECT_EQ(two.task, "regress");
  EXPECT_TRUE(torch::equal(examples_of(two.train, {5}).targets[0], torch::tensor({{5.F, 5.F}})));
}

TEST_F(TensorSet, ZerosAndOnesAreSeveralLabels) {
  const Tensor targets = torch::tensor({1, 0, 1}, torch::kUInt8).repeat({12, 1});
  for (const Tensor& each : {targets, targets.to(torch::kBool)}) {
    const Dataset set = load_dataset(of(torch::ones({12, 3}), each));
    EXPECT_EQ(set.task, "multilabel");
    EXPECT_EQ(set.classes, 3);
    EXPECT_TRUE(torch::equal(examples_of(set.train, {0}).targets[0], torch::tensor({{1.F, 0.F, 1.F}})));
  }
}

TEST_F(TensorSet, MasksAreSegmentedAndTheirImagesNormalised) {
  const Tensor bytes = torch::randint(256, {12, 2, 4, 6}, torch::kInt64).to(torch::kUInt8);
  Tensor masks = torch::arange(12 * 24, kInt).view({12, 4, 6}) % 5;
  masks[3][1].fill_(255);
  const Dataset set = load_dataset(of(bytes, masks.to(torch::kUInt8)));
  EXPECT_EQ(set.task, "segment");
  EXPECT_EQ(set.classes, 5);
  EXPECT_EQ(set.ignored_label, 255);
  const Batch batch = examples_of(set.train, {3, 1});
  EXPECT_TRUE(torch::equal(batch.targets[0], masks.index_select(0, torch::tensor({3, 1}))));
  const Tensor of_train = bytes.narrow(0, 0, 8).to(torch::kFloat64) / 255;
  const Tensor expected = (bytes[3].to(torch::kFloat64) / 255 - of_train.mean({0, 2, 3}).view({2, 1, 1})) /
                          of_train.transpose(0, 1).reshape({2, -1}).std(1, false).view({2, 1, 1});
  EXPECT_TRUE(torch::allclose(batch.inputs[0][0].to(torch::kFloat64), expected, 1e-5, 1e-5));
  DataChoice choice;
  choice.ignored_label = "4";
  EXPECT_THAT(refusal_of(of(bytes, masks), choice), testing::Eq(""));
  EXPECT_EQ(load_dataset(of(bytes, masks), {}, choice).classes, 256);
}

TEST_F(TensorSet, TokensArePredicted) {
  const Tensor tokens = torch::arange(12 * 5, kInt).view({12, 5}) % 7;
  const Dataset set = load_dataset(of(tokens.to(torch::kUInt8), ((tokens + 1) % 7).to(torch::kInt32)));
  EXPECT_EQ(set.task, "language");
  EXPECT_EQ(set.classes, 7);
  EXPECT_EQ(set.tokens, 5);
  EXPECT_TRUE(torch::equal(examples_of(set.train, {2}).inputs[0], tokens.narrow(0, 2, 1)));
  EXPECT_TRUE(torch::equal(examples_of(set.train, {2}).targets[0], (tokens.narrow(0, 2, 1) + 1) % 7));
}

// All that is built in works on them.
TEST_F(TensorSet, LabelledBytesAreAnImageDataSet) {
  const Tensor bytes = torch::randint(256, {12, 3, 8, 8}, torch::kInt64).to(torch::kUInt8);
  const Dataset set = load_dataset(of(bytes, torch::arange(12, kInt) % 3));
  EXPECT_FALSE(set.is_own());
  EXPECT_TRUE(set.in_memory());
  EXPECT_EQ(set.classes, 3);
  EXPECT_EQ(set.image_size(), 8);
  const DatasetStatistics measured = measure_statistics(set);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    EXPECT_NEAR(set.mean[channel], measured.mean[channel], 1e-6);
    EXPECT_NEAR(set.stddev[channel], measured.stddev[channel], 1e-6);
  }
  const DataInfo info = data_info("tensors:" + file_.string(), {}, {});
  EXPECT_THAT(info.train_per_class, testing::ElementsAre(3, 3, 2));
  EXPECT_FALSE(info.is_own);
}

TEST_F(TensorSet, WhatIsWrongIsToldWithTensorAndRow) {
  const Tensor inputs = torch::ones({12, 3}), labels = torch::arange(12, kInt) % 4;
  Tensor holed = inputs.clone();
  holed[9][1] = std::nan("");
  EXPECT_EQ(refused(holed, labels), "test.inputs float32 [4, 3]: row 1 has nan; all must be finite");
  Tensor endless = torch::ones({12, 2}, torch::kFloat64);
  endless[2][0] = 1e300;  // is no float32
  EXPECT_EQ(refused(inputs, endless), "train.targets float64 [8, 2]: row 2 has 1e+300; all must be finite");
  Tensor negative = labels.clone(), beyond = labels.clone(), many = labels.clone();
  negative[5] = -1;
  beyond[10] = 4;
  many[0] = 1'000'000;
  EXPECT_EQ(refused(inputs, negative), "train.targets int64 [8]: row 5 has the label -1, expected 0 to 3");
  EXPECT_EQ(refused(inputs, beyond),
            "test.targets int64 [4]: row 2 has the label 4, expected 0 to 3, as in training");
  EXPECT_EQ(
      refused(inputs, many),
      "train.targets int64 [8]: has the label 1000000, and there are 1000000 classes at most; numbers to be "
      "told are given as float32");
  EXPECT_EQ(refused(inputs, labels.view({12, 1}).repeat({1, 2})),
            "train.targets int64 [8, 2]: several labels of a row must each be 0 or 1");
  EXPECT_THAT(refused(inputs, torch::zeros({12, 2, 2}, kInt)), HasSubstr("masks must be [N, H, W]"));
  EXPECT_THAT(
      refused(torch::ones({12, 3, 4, 4}), torch::zeros({12, 4, 5}, kInt)),
      HasSubstr("train.targets int64 [8, 4, 5]: masks must be [N, H, W], and images [N, C, H, W] of the "
                "same size; they are float32 [8, 3, 4, 4]"));
  EXPECT_THAT(refused(torch::ones({12, 3}, kInt), torch::zeros({12, 2}, kInt)),
              HasSubstr("are tokens [N, T]"));
  EXPECT_EQ(refused(torch::ones({12, 3, 4, 4}, kInt), labels),
            "train.inputs int64 [8, 3, 4, 4]: images must be uint8 or float32");
  EXPECT_THAT(refused(inputs, torch::ones({12, 2, 2})), HasSubstr("must be [N] or [N, k]"));
}

TEST_F(TensorSet, PartsThatDoNotFitEachOtherAreRefused) {
  const Tensor inputs = torch::ones({8, 3}), labels = torch::zeros({8}, kInt);
  const auto refused_set = [&](const Tensor& test_inputs, const Tensor& test_targets) {
    const std::string name = saved({{"train.inputs", inputs},
                                    {"train.targets", labels},
                                    {"test.inputs", test_inputs},
                                    {"test.targets", test_targets}});
    return refusal_of(name).substr(file_.string().size() + 2);
  };
  EXPECT_EQ(
      refused_set(torch::ones({4, 3}), torch::zeros({5}, kInt)),
      fmt::format("test.targets int64 [5]: has other rows than {}: test.inputs float32 [4, 3]; each input "
                  "needs a target",
                  file_.string()));
  EXPECT_THAT(refused_set(torch::ones({4, 2}), torch::zeros({4}, kInt)),
              HasSubstr("test.inputs float32 [4, 2]: has rows of another type or shape"));
  EXPECT_THAT(refused_set(torch::ones({4, 3}, kInt), torch::zeros({4}, kInt)), HasSubstr("of another type"));
  EXPECT_THAT(refused_set(torch::ones({0, 3}), torch::zeros({0}, kInt)), HasSubstr("is empty"));
  EXPECT_EQ(refusal_of(saved({{"train.inputs", inputs}, {"train.targets", labels}})),
            file_.string() +
                ": has no tensor test.inputs; must have train.inputs, train.targets, test.inputs and "
                "test.targets");
  write_bytes(file_, "text");
  EXPECT_THAT(refusal_of("tensors:" + file_.string()), HasSubstr("it is not a whole safetensors file"));
  EXPECT_THAT(refusal_of("tensors:/nowhere/x"),
              testing::Eq("/nowhere/x: is not there; give the data set's file or folder"));
  EXPECT_EQ(refusal_of("tensors:"), "data \"tensors:\": a path must follow");
}

fs::path numpy_file(const std::string& name) {
  return fs::path(GLIDEPATH_TEST_DATA) / "own/npy" / (name + ".npy");
}

// tests/data/golden/own/make_arrays.py: by numpy.save().
TEST(Npy, EveryTypeIsReadAsNumpyWroteIt) {
  const Tensor i = torch::arange(12, kInt).view({2, 3, 2});
  const std::map<std::string, torch::ScalarType> types{
      {"bool", torch::kBool},      {"int8", torch::kInt8},       {"int16", torch::kInt16},
      {"int32", torch::kInt32},    {"int64", torch::kInt64},     {"uint8", torch::kUInt8},
      {"uint16", torch::kInt32},   {"float16", torch::kFloat16}, {"float32", torch::kFloat32},
      {"float64", torch::kFloat64}};
  for (const auto& [name, type] : types) {
    const Tensor expected = name == "bool" ? i % 2 == 1 : name[0] == 'u' ? 3 * i : 3 * i - 5;
    const Tensor found = read_npy(numpy_file(name));
    EXPECT_EQ(found.scalar_type(), type) << name;
    EXPECT_TRUE(torch::equal(found.to(kInt), expected.to(kInt))) << name;
  }
  EXPECT_TRUE(torch::equal(read_npy(numpy_file("large")), torch::tensor({0, 40000, 65535}, torch::kInt32)));
  EXPECT_EQ(read_npy(numpy_file("scalar")).item<float>(), 4);
  EXPECT_EQ(read_npy(numpy_file("none")).sizes(), (std::vector<std::int64_t>{0, 5}));
  EXPECT_TRUE(torch::equal(read_npy(numpy_file("version3")), torch::arange(4, torch::kInt32)));
}

TEST(Npy, OthersAndDamagedOnesAreRefused) {
  const TemporaryFolder temporary("npy");
  const auto refusal = [](const fs::path& file) -> std::string {
    try {
      read_npy(file);
    } catch (const InputError& error) {
      return std::string(error.what()).substr(file.string().size());
    }
    return "";
  };
  EXPECT_EQ(refusal(numpy_file("big-endian")), ": is big-endian (>f4); save it with .astype('<f4')");
  EXPECT_EQ(refusal(numpy_file("fortran")), ": is in Fortran order; save numpy.ascontiguousarray() of it");
  EXPECT_THAT(refusal(numpy_file("complex")), HasSubstr("has the type \"<c8\"; must be bool"));
  EXPECT_EQ(refusal(numpy_file("nothing")), ": cannot be read; give a .npy file");
  std::ifstream whole(numpy_file("float32"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(whole), {}};
  const fs::path file = temporary.path() / "x.npy";
  for (const std::size_t length : {0, 7, 9, 60, 130, 175}) {
    write_bytes(file, bytes.substr(0, length));
    EXPECT_NE(refusal(file), "") << length;
  }
  write_bytes(file, bytes.substr(0, 175));
  EXPECT_EQ(refusal(file), ": holds 47 bytes, and its shape (2, 3, 2) takes 48; it is truncated");
  write_bytes(file, bytes + "x");
  EXPECT_EQ(refusal(file), ": holds 49 bytes, and its shape (2, 3, 2) takes 48; it is damaged");
}

TEST(Npy, AFolderOfFourIsADataSet) {
  const TemporaryFolder temporary("npy-set");
  const fs::path& folder = temporary.path();
  for (const char* part : {"train", "test"}) {
    fs::copy_file(numpy_file("float32"), folder / fmt::format("{}_inputs.npy", part));
    write_bytes(folder / fmt::format("{}_targets.npy", part), "");
  }
  EXPECT_THAT(refusal_of("tensors:" + folder.string()), HasSubstr("train_targets.npy: is no .npy file"));
  for (const char* part : {"train", "test"}) {
    const fs::path targets = folder / fmt::format("{}_targets.npy", part);
    fs::remove(targets);
    fs::copy_file(numpy_file("float64"), targets);
  }
  EXPECT_EQ(refusal_of("tensors:" + folder.string()),
            (folder / "train_targets.npy").string() +
                " float64 [2, 3, 2]: numbers to be told must be [N] or [N, k]");
  fs::remove(folder / "test_inputs.npy");
  EXPECT_THAT(refusal_of("tensors:" + folder.string()),
              HasSubstr("test_inputs.npy: is not there; the folder must"));
}

}  // namespace
}  // namespace glidepath
