// tests/cli/export_test.cpp - `glidepath export` from the command line: files that tell all a reader needs.
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"
#include "data/image_folder.h"
#include "support/mask_set.h"
#include "support/python.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ExportCommand : public CliTest {
 protected:
  ExportCommand() {
    EXPECT_EQ(shell("glidepath train --data " + images_.data() +
                    " --model resnet8 --width 0.25 --train-res 32 --batch-size 8 --full 1ep --threads 1 "
                    "--eval-every end --quiet --budget 3it --out run")
                  .exit_status,
              0);
  }
  ImageFolder images_{12};
};

TEST_F(ExportCommand, WritesThreeFormatsAndReplacesItsOwn) {
  for (int turn = 0; turn < 2; ++turn) {
    for (const char* format : {"safetensors", "torchscript", "onnx"}) {
      const ProcessResult done = shell(std::string("glidepath export run --format ") + format);
      EXPECT_EQ(done.exit_status, 0) << done.err;
    }
  }
  EXPECT_THAT(read("run/export.safetensors"), HasSubstr("\\\"classes\\\": [\\n    \\\"cat\\\","));
  EXPECT_THAT(read("run/export.pt"), StartsWith("PK"));
  EXPECT_THAT(read("run/export.onnx"), HasSubstr("glidepath"));
  const ProcessResult other = shell("glidepath export run/checkpoint --format onnx --opset 20 --out a.onnx");
  ASSERT_EQ(other.exit_status, 0) << other.err;
  EXPECT_THAT(other.out, StartsWith("a.onnx: onnx, "));
  EXPECT_THAT(other.out,
              HasSubstr(" bytes, of the checkpoint of update 3; opset 20: Add, BatchNormalization, "));
  const std::string before = read("a.onnx");
  const ProcessResult again = shell("glidepath export run --out a.onnx");
  EXPECT_EQ(again.exit_status, 2);
  EXPECT_EQ(again.err, "glidepath export: a.onnx: is there already; remove it, or give another --out\n");
  EXPECT_EQ(read("a.onnx"), before);
}

// As docs/models.md shows it: the file alone says how an image becomes numbers.
constexpr const char* kPredict = R"(
import json, sys
import numpy, onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("MODEL", providers=["CPUExecutionProvider"])
about = json.loads(session.get_modelmeta().custom_metadata_map["preprocessing"])
image = Image.open(sys.argv[1]).convert(about["input"]["channels"])
ratio = about["resize_shorter_side"] / min(image.size)
image = image.resize([int(side * ratio) for side in image.size], Image.BILINEAR)
side = about["centre_crop"]
left, top = [round((length - side) / 2) for length in image.size]
pixels = numpy.asarray(image.crop((left, top, left + side, top + side)), "float32").reshape(side, side, -1)
pixels = (pixels / about["divide_by"] - about["mean"]) / about["std"]
logits = session.run(None, {"images": pixels.transpose(2, 0, 1)[None].astype("float32")})[0][0]
shares = numpy.exp(logits - logits.max()) / numpy.exp(logits - logits.max()).sum()
print(json.dumps(dict(zip(about["classes"], shares.tolist()))))
)";

TEST_F(ExportCommand, OnnxAndItsPreprocessingPredictAsTheRunDoes) {
  GLIDEPATH_NEED_PYTHON("onnxruntime, PIL");
  ASSERT_EQ(shell("glidepath export run --format onnx").exit_status, 0);
  std::string script = kPredict;
  script.replace(script.find("MODEL"), 5, (folder_ / "run/export.onnx").string());
  for (const char* name : {"val/cat/100", "val/cat/101", "val/dog/102"}) {
    std::string image = (images_.path() / name).string() + ".jpg";
    if (!fs::exists(image)) image = (images_.path() / name).string() + ".png";
    const ProcessResult ours = shell("glidepath predict run " + image + " --top 2 --format json");
    const PythonResult theirs = run_python(folder_, script, image);
    ASSERT_EQ(theirs.status, 0) << theirs.output;
    const auto shares = nlohmann::json::parse(theirs.output);
    for (const auto& one : nlohmann::json::parse(ours.out).at("classes")) {
      EXPECT_NEAR(one.at("probability").get<double>(),
                  shares.at(one.at("name").get<std::string>()).get<double>(), 2e-3)
          << image;  // pixels of resized images differ by 1
    }
  }
}

TEST_F(ExportCommand, TorchScriptIsReadByPython) {
  GLIDEPATH_NEED_PYTHON("torch");
  ASSERT_EQ(shell("glidepath export run --format torchscript").exit_status, 0);
  const PythonResult found = run_python(folder_, R"(
import json, sys, torch
about = {"preprocessing.json": ""}
network = torch.jit.load(sys.argv[1], _extra_files=about)
about = json.loads(about["preprocessing.json"])
images = torch.zeros([4] + about["input"]["shape"][1:])
print(list(network(images).shape), about["classes"], len(network.state_dict()))
)",
                                        (folder_ / "run/export.pt").string());
  EXPECT_EQ(found.status, 0) << found.output;
  EXPECT_THAT(found.output, HasSubstr("[4, 2] ['cat', 'dog'] 56\n"));
}

using OwnDataExport = CliTest;

// As docs/models.md shows it.
constexpr const char* kContinue = R"(
import json, os, sys
os.chdir(sys.argv[1])
import numpy, onnxruntime

session = onnxruntime.InferenceSession("run/export.onnx", providers=["CPUExecutionProvider"])
about = json.loads(session.get_modelmeta().custom_metadata_map["preprocessing"])
characters = about["classes"]
tokens = [characters.index(character) for character in "abcab"]
for _ in range(30):
    logits = session.run(None, {"tokens": [tokens[-about["input"]["most_tokens"]:]]})[0][0, -1]
    tokens.append(int(logits.argmax()))
print("".join(characters[token] for token in tokens[5:]))
)";

TEST_F(OwnDataExport, ATextGoesOnInOnnxruntimeAsTheRunPredicts) {
  std::string text;
  for (int i = 0; i < 900; ++i) text += i % 7 < 4 ? "abc" : "ab";
  write("text.txt", text);
  ASSERT_EQ(
      shell("glidepath train --data tokens:text.txt --model gpt --width 0.25 --context 12 --optimizer adamw "
            "--base-lr 0.01 --batch-size 16 --budget 40it --threads 1 --eval-every end --quiet --out run")
          .exit_status,
      0);
  const ProcessResult ours = shell("glidepath predict run abcab --tokens 30 --temperature 0 --format json");
  ASSERT_EQ(ours.exit_status, 0) << ours.err;
  const ProcessResult older = shell("glidepath export run --format onnx --opset 16");
  EXPECT_EQ(older.exit_status, 2);
  EXPECT_EQ(older.err,
            "glidepath export: opset \"16\": the network needs LayerNormalization, which came with 17\n");
  EXPECT_FALSE(fs::exists(folder_ / "run/export.onnx"));
  const ProcessResult done = shell("glidepath export run --format onnx");
  ASSERT_EQ(done.exit_status, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("opset 17: Add, Div, Erf, Expand, Gather, LayerNormalization, "));
  GLIDEPATH_NEED_PYTHON("onnxruntime");
  const PythonResult theirs = run_python(folder_, kContinue, folder_.string());
  ASSERT_EQ(theirs.status, 0) << theirs.output;
  EXPECT_EQ(theirs.output, nlohmann::json::parse(ours.out).at("text").get<std::string>() + "\n");
}

TEST_F(OwnDataExport, PixelsAreLabelledInOnnxruntimeAsTheRunPredicts) {
  write_mask_set(folder_ / "set");
  ASSERT_EQ(
      shell("glidepath train --data segmentation:set --model unet --width 0.0625 --batch-size 1 --budget 5it "
            "--threads 1 --eval-every end --quiet --out run")
          .exit_status,
      0);
  ASSERT_EQ(shell("glidepath predict run set/val/images/a.png --masks out").exit_status, 0);
  const ProcessResult done = shell("glidepath export run --format onnx");
  ASSERT_EQ(done.exit_status, 0) << done.err;
  EXPECT_EQ(shell("glidepath export run --format torchscript").exit_status, 0);
  GLIDEPATH_NEED_PYTHON("onnxruntime, PIL");
  const PythonResult theirs = run_python(folder_, R"(
import json, os, sys
os.chdir(sys.argv[1])
import numpy, onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("run/export.onnx", providers=["CPUExecutionProvider"])
about = json.loads(session.get_modelmeta().custom_metadata_map["preprocessing"])
pixels = numpy.asarray(Image.open("set/val/images/a.png").convert(about["input"]["channels"]), "float32")
pixels = (pixels / about["divide_by"] - about["mean"]) / about["std"]
logits = session.run(None, {"images": pixels.transpose(2, 0, 1)[None].astype("float32")})[0][0]
wrong = (logits.argmax(0) != numpy.asarray(Image.open("out/a.png"))).sum()
print("of", logits.argmax(0).size, "wrong", wrong, len(about["classes"]) == len(logits))
)",
                                         folder_.string());
  EXPECT_EQ(theirs.status, 0) << theirs.output;
  EXPECT_THAT(theirs.output,
              testing::MatchesRegex("of 851 wrong [0-9] True\n"));  // predict computes in bfloat16
}

}  // namespace
}  // namespace glidepath
