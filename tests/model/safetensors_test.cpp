// tests/model/safetensors_test.cpp - files of the format's own library, round trips, and damaged files.
#include "glidepath/safetensors.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/serialize.h>

#include "glidepath/error.h"
#include "support/python.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class SafetensorsTest : public testing::Test {
 protected:
  fs::path write(const std::string& header, const std::string& data, std::uint64_t declared = 0) const {
    const std::uint64_t length = declared > 0 ? declared : header.size();
    const fs::path file = folder_ / "made.safetensors";
    std::ofstream stream(file, std::ios::binary);
    for (int i = 0; i < 8; ++i) stream.put(static_cast<char>(length >> (8 * i)));
    stream << header << data;
    return file;
  }
  static std::string message_of(const fs::path& file) {
    try {
      load_safetensors(file);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  const TemporaryFolder temporary_{"safetensors"};
  const fs::path& folder_ = temporary_.path();
};

// Written by PyPI's safetensors 0.8.0 (tests/data/golden/nn/make_safetensors.py).
TEST_F(SafetensorsTest, ReadsAFileOfTheFormatsOwnLibrary) {
  std::map<std::string, std::string> metadata;
  const TensorMap tensors = load_safetensors(GLIDEPATH_TEST_DATA "/nn/python.safetensors", &metadata);
  EXPECT_EQ(metadata.at("made_by"), "python");
  ASSERT_EQ(tensors.size(), 4U);
  EXPECT_TRUE(torch::equal(tensors.at("float"), torch::arange(6, torch::kFloat32).reshape({2, 3}) / 4));
  EXPECT_TRUE(torch::equal(tensors.at("half"), torch::arange(5, torch::kFloat32).to(torch::kBFloat16)));
  EXPECT_TRUE(torch::equal(tensors.at("whole"), torch::tensor({std::int64_t{-1}, std::int64_t{1} << 40})));
  EXPECT_TRUE(torch::equal(tensors.at("flags"), torch::tensor({true, false, true})));
}

TEST_F(SafetensorsTest, EveryDtypeAndShapeSurvives) {
  TensorMap tensors;
  for (const auto dtype : {torch::kFloat64, torch::kFloat32, torch::kFloat16, torch::kBFloat16, torch::kInt64,
                           torch::kInt32, torch::kInt16, torch::kInt8, torch::kUInt8, torch::kBool}) {
    tensors[c10::toString(dtype)] = torch::randint(0, 2, {3, 2}, torch::kFloat32).to(dtype);
  }
  tensors["scalar"] = torch::tensor(2.5);
  tensors["empty"] = torch::empty({0, 4});
  tensors["last"] = torch::randn({2, 3, 4, 5}).contiguous(torch::MemoryFormat::ChannelsLast);
  save_safetensors(folder_ / "a", tensors, {{"note", "ünïcode"}});
  std::map<std::string, std::string> metadata;
  const TensorMap back = load_safetensors(folder_ / "a", &metadata);
  ASSERT_EQ(back.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(back.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(back.at(name), tensor)) << name;
  }
  EXPECT_EQ(metadata.at("note"), "ünïcode");
  EXPECT_FALSE(fs::exists(folder_ / "a.part"));
}

TEST_F(SafetensorsTest, DamagedFilesAreRefusedBeforeAnythingIsAllocated) {
  const std::string one = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string data(8, '\0');
  EXPECT_EQ(message_of(write(one, data)), "no error");
  struct Damage {
    std::string header, data, message;
    std::uint64_t declared = 0;
  };
  for (const Damage& d : {
           Damage{one, "1234567", "lies at bytes 0 to 8 of 7"},
           {one, data + "x", "1 bytes follow the last tensor"},
           {one, data, "a header of 99999999999 bytes", 99999999999},
           {"[]", "", "the header is not a JSON object"},
           {"{\"a\":", "", "the header is not a JSON object"},
           {R"({"a":{"dtype":"F32","shape":[2]}})", data, "lacks dtype, shape or data_offsets"},
           {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", data,
            "lacks dtype, shape or data_offsets"},
           {R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", data, "unknown dtype F31"},
           {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", data, "needs 12 bytes and has 8"},
           {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", data,
            "a shape too large to exist"},
           {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", data, "leaves a gap or overlaps"},
           {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", data, "lies at bytes 8 to 0"},
           {R"({"__metadata__":{"a":1}})", "", "__metadata__ \"a\" is not a text"},
           {" " + one, data, "the header is not a JSON object"},
           {R"({"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}})", "",
            "a shape too large to exist"},
           {R"({"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", "\x01\x02",
            "tensor \"a\" has the value 2 where BOOL has 0 or 1"},
       }) {
    EXPECT_THAT(message_of(write(d.header, d.data, d.declared)), testing::HasSubstr(d.message)) << d.header;
  }
  std::ofstream(folder_ / "short", std::ios::binary) << "1234";
  EXPECT_THAT(message_of(folder_ / "short"), testing::HasSubstr("4 bytes, too short for a header"));
  EXPECT_THAT(message_of(folder_ / "missing"), testing::HasSubstr("cannot be read"));
  EXPECT_THAT(message_of(folder_), testing::HasSubstr("cannot be read"));
}

TEST_F(SafetensorsTest, TheFormatsOwnNameIsRefused) {
  EXPECT_THROW(save_safetensors(folder_ / "a", {{"__metadata__", torch::ones({2})}}), InputError);
  EXPECT_FALSE(fs::exists(folder_ / "a"));
}

// Three bytes come first by name: int64 after them would lie where PyTorch cannot look at it.
TEST_F(SafetensorsTest, ThePythonPackageReadsOurFiles) {
  GLIDEPATH_NEED_PYTHON("torch");
  GLIDEPATH_NEED_PYTHON("safetensors");
  save_safetensors(folder_ / "ours.safetensors",
                   {{"a", torch::tensor({true, false, true})},
                    {"b", torch::tensor({std::int64_t{-5}, std::int64_t{1} << 40})},
                    {"c", torch::tensor({0.5, 1.5, -2.0}).to(torch::kBFloat16)},
                    {"d", torch::tensor(0.1F)},
                    {"e", torch::empty({0, 2})}},
                   {{"made_by", "glidepath"}});
  const PythonResult read = run_python(folder_, R"(
import sys
from safetensors import safe_open
from safetensors.torch import load_file
with safe_open(sys.argv[1], "pt") as file:
    print(file.metadata())
for name, tensor in sorted(load_file(sys.argv[1]).items()):
    print(name, tensor.dtype, tuple(tensor.shape), tensor.tolist())
)",
                                       (folder_ / "ours.safetensors").string());
  EXPECT_EQ(read.status, 0);
  EXPECT_EQ(read.output,
            "{'made_by': 'glidepath'}\n"
            "a torch.bool (3,) [True, False, True]\n"
            "b torch.int64 (2,) [-5, 1099511627776]\n"
            "c torch.bfloat16 (3,) [0.5, 1.5, -2.0]\n"
            "d torch.float32 () 0.10000000149011612\n"
            "e torch.float32 (0, 2) []\n");
}

// A pickle runs code when it is read, and LibTorch's archives hold pickles.
TEST_F(SafetensorsTest, APickleIsRefusedAndNoSourceReadsOne) {
  for (const std::string start : {"\x80\x02}q", "PK\x03\x04", "cos\nsystem\n(S'true'\ntR."}) {
    std::ofstream(folder_ / "weights.pt", std::ios::binary) << start << std::string(64, '\0');
    EXPECT_THROW(load_safetensors(folder_ / "weights.pt"), InputError);
  }
  int sources = 0;
  for (const char* part : {"/src", "/include"}) {
    for (const auto& entry : fs::recursive_directory_iterator(std::string(GLIDEPATH_SOURCE_DIR) + part)) {
      if (!entry.is_regular_file()) continue;
      // The one place for programs, which --model script:FILE asks for by name, and which refuses pickles.
      if (entry.path().stem() == "script_model") continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      ++sources;
      for (const char* reader : {"torch::load(", "pickle.h", "pickle_load", "unpickle(", "Unpickler",
                                 "jit::load(", "InputArchive", "PyTorchStreamReader"}) {
        EXPECT_EQ(text.str().find(reader), std::string::npos) << entry.path() << " names " << reader;
      }
    }
  }
  EXPECT_GT(sources, 50);
}

TEST_F(SafetensorsTest, AFileThatCannotBeWrittenLeavesTheOldOne) {
  save_safetensors(folder_ / "a", {{"x", torch::ones({2})}});
  EXPECT_THROW(save_safetensors(folder_ / "a", {{"x", torch::ones({2}, torch::kComplexFloat)}}), InputError);
  EXPECT_THROW(save_safetensors(folder_ / "no folder" / "a", {{"x", torch::ones({2})}}), RunError);
  EXPECT_TRUE(torch::equal(load_safetensors(folder_ / "a").at("x"), torch::ones({2})));
}

}  // namespace
}  // namespace glidepath
