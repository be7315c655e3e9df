// tests/model/exported_damage_test.cpp - programs of torch.export that are damaged, or not what can be
// trained.
#include <fstream>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "files/read_file.h"
#include "glidepath/error.h"
#include "glidepath/exported_model.h"
#include "model/pt2/archive.h"
#include "model/stored_zip.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kMixed = std::string(GLIDEPATH_TEST_DATA) + "/pt2/mixed.pt2";

class ExportedDamage : public testing::Test {
 protected:
  /// What is said of it; "taken" of one that is.
  std::string told_of(const std::string& bytes) {
    const auto file = folder_.path() / "net.pt2";
    std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    try {
      exported_model(file);
    } catch (const InputError& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      EXPECT_THAT(error.what(), StartsWith(file.string() + ": "));
      return error.what();
    }
    return "taken";
  }

  static std::map<std::string, std::string> entries() {
    const pt2::Archive archive(kMixed);
    std::map<std::string, std::string> entries;
    for (const std::string& name : archive.names()) entries[name] = archive.text(name);
    return entries;
  }
  /// With the first `from` in an entry become `to`.
  std::string told_with(const std::string& entry, const std::string& from, const std::string& to) {
    auto all = entries();
    std::string& text = all.at("mixed/" + entry);
    const std::size_t at = text.find(from);
    if (at == std::string::npos) return "no " + from;
    text.replace(at, from.size(), to);
    return told_of(stored_zip(all));
  }

  TemporaryFolder folder_{"exported"};
};

const std::string kGraph = "models/model.json", kWeights = "data/weights/model_weights_config.json";

TEST_F(ExportedDamage, AnArchiveOfTheSameEntriesIsTaken) {
  EXPECT_EQ(told_of(stored_zip(entries())), "taken");
}

TEST_F(ExportedDamage, OneThatIsCutOffIsRefused) {
  const std::string whole = *try_read_file(kMixed);
  for (std::size_t i = 0; i < 300; ++i) {
    const std::size_t bytes = i < 100   ? i
                              : i < 200 ? whole.size() - (i - 99)
                                        : whole.size() * (i - 200) / 100;
    EXPECT_NE(told_of(whole.substr(0, bytes)), "taken") << bytes;
  }
}

TEST_F(ExportedDamage, NoByteThatIsAnotherDoesHarm) {
  const std::string whole = *try_read_file(kMixed);
  std::mt19937 random(7);
  std::size_t refused = 0;
  for (int i = 0; i < 600; ++i) {
    std::string bytes = whole;
    // Half of them in the directory, where sizes and places are.
    const std::size_t from = i % 2 == 0 ? 0 : whole.size() - whole.size() / 16;
    const std::size_t at = from + random() % (whole.size() - from);
    bytes[at] = static_cast<char>(bytes[at] ^ (1U << random() % 8));
    refused += told_of(bytes) != "taken" ? 1 : 0;
  }
  EXPECT_GT(refused, 300U);  // others are in what is not read
}

TEST_F(ExportedDamage, WeightsThatDoNotFitAreTold) {
  EXPECT_THAT(told_with(kWeights, "\"fc.bias\": {", "\"fc.bios\": {"),
              HasSubstr("has no tensor \"fc.bias\"; it is no whole program of torch.export.save()"));
  EXPECT_THAT(
      told_with(kWeights, "\"sizes\": [{\"as_int\": 6}, {\"as_int\": 1}",
                "\"sizes\": [{\"as_int\": 1}, {\"as_int\": 6}"),
      HasSubstr("tensor \"conv.weight\" is Float [1, 6, 3, 3], and its graph takes Float [6, 1, 3, 3]"));
  EXPECT_THAT(
      told_with(kWeights, "\"sizes\": [{\"as_int\": 6}", "\"sizes\": [{\"as_int\": 4611686018427387904}"),
      HasSubstr("in an entry of 216 bytes"));
  EXPECT_THAT(told_with(kWeights, "\"sizes\": [{\"as_int\": 6}", "\"sizes\": [{\"as_int\": -6}"),
              HasSubstr("tensor \"conv.weight\" is Float [-6, 1, 3, 3]"));
  EXPECT_THAT(told_with(kWeights, "\"as_int\": 0}", "\"as_int\": 1}"),
              HasSubstr("from 1 on, in an entry of 216 bytes"));
  EXPECT_THAT(told_with(kWeights, "\"dtype\": 7", "\"dtype\": 10"), HasSubstr("dtype 10 of the schema"));
  EXPECT_THAT(told_with(kWeights, "\"dtype\": 7", "\"dtype\": 99"), HasSubstr("dtype 99 of the schema"));
  EXPECT_THAT(told_with(kWeights, "weight_1\"", "weight_0\""),
              HasSubstr("shares a part of its numbers with"));
  EXPECT_THAT(told_with(kWeights, "weight_0", "../../etc/passwd"), HasSubstr("has no entry"));
  EXPECT_THAT(told_with(kWeights, "\"use_pickle\": false", "\"use_pickle\": true"),
              HasSubstr("is pickled, and nothing is unpickled here"));
}

TEST_F(ExportedDamage, GraphsThatAreNoneAreTold) {
  const auto with = [&](const std::string& from, const std::string& to) {
    return told_with(kGraph, from, to);
  };
  EXPECT_THAT(with("{\"name\": \"conv2d\"}}, \"kind\"", "{\"name\": \"relu\"}}, \"kind\""),
              HasSubstr("uses \"relu\" before it is defined"));
  EXPECT_THAT(with("{\"name\": \"p_conv_weight\"}}, \"kind\"", "{\"name\": \"nobody\"}}, \"kind\""),
              HasSubstr("aten.conv2d.default: uses \"nobody\" before it is defined"));
  EXPECT_THAT(with("\"outputs\": [{\"as_tensor\": {\"name\": \"conv2d\"}}]",
                   "\"outputs\": [{\"as_tensor\": {\"name\": \"x\"}}]"),
              HasSubstr("defines \"x\" twice"));
  EXPECT_THAT(with("\"name\": \"weight\", \"arg\"", "\"name\": \"weigth\", \"arg\""),
              HasSubstr("aten.conv2d.default"));
  EXPECT_THAT(with("{\"as_int\": 1}", "{\"as_int\": 1e300}"), HasSubstr("where a whole number should be"));
  EXPECT_THAT(with("\"major\": 8", "\"major\": 9"),
              HasSubstr("with version 9 of its schema; 8 is read here"));
  EXPECT_THAT(with("\"nodes\": [", "\"nodes\": [" + std::string(5000, '[')), HasSubstr("too deep"));
  EXPECT_THAT(with("\"nodes\": [", "\"nodes\": {"), HasSubstr("is no JSON object"));
  EXPECT_THAT(with("\"parameter\": {", "\"custom_obj\": {"),
              HasSubstr("has an input of the kind \"custom_obj\""));
}

// All at once, so that nobody has to ask several times.
TEST_F(ExportedDamage, OperatorsThatCannotBeCalledAreNamed) {
  auto all = entries();
  std::string& graph = all.at("mixed/" + kGraph);
  const auto put = [&](const std::string& from, const std::string& to) {
    const std::size_t at = graph.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    graph.replace(at, from.size(), to);
  };
  put("torch.ops.aten.relu.default", "torch.ops.aten.soft_plumber.default");
  put("torch.ops.aten.sigmoid.default", "torch.ops.torchvision.nms.default");
  put("torch.ops.aten.softmax.int", "torch.ops.higher_order.cond");
  put("torch.ops.aten.square.default", "torch.ops.aten.from_file.default");
  put("torch.ops.aten.masked_fill.Scalar", "torch.ops.aten._sparse_sum.default");
  EXPECT_THAT(told_of(stored_zip(all)),
              AllOf(HasSubstr("calls what LibTorch "), HasSubstr("aten.soft_plumber.default"),
                    HasSubstr("torchvision.nms.default"), HasSubstr("higher_order.cond"),
                    HasSubstr("aten.from_file.default (it opens files)"),
                    HasSubstr("aten._sparse_sum.default (it is of tensors that are not dense)")));
}

TEST_F(ExportedDamage, ProgramsOfOtherFormsAreTold) {
  auto all = entries();
  all["mixed/models/other.json"] = "{}";
  EXPECT_THAT(told_of(stored_zip(all)), HasSubstr("has 2 programs, and one is trained"));
  EXPECT_THAT(told_of(stored_zip({{"version", "3"}, {"serialized_exported_program.json", "{}"}})),
              HasSubstr("its weights are pickled, as PyTorch before 2.9 writes them"));
  all = entries();
  all.erase("mixed/" + kWeights);
  all["mixed/data/weights/model.pt"] = "";
  EXPECT_THAT(told_of(stored_zip(all)), HasSubstr("its weights are pickled"));
  EXPECT_THAT(told_of("GIF89a"), HasSubstr("is no program of torch.export.save(), but a GIF image"));
  EXPECT_THAT(told_of(""), HasSubstr("has no directory of a zip archive at its end"));
}

}  // namespace
}  // namespace glidepath
