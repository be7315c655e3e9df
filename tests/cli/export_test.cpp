// tests/cli/export_test.cpp - `glidepath export` from the command line: files that tell all a reader needs.
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"
#include "data/image_folder.h"
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

}  // namespace
}  // namespace glidepath
