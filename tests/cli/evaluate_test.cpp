// tests/cli/evaluate_test.cpp - `glidepath evaluate` and image folders, from the command line.
#include <algorithm>
#include <cstdint>
#include <numeric>

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

class EvaluateCommand : public CliTest {
 protected:
  ImageFolder images_{12};
};

// What torchvision itself makes of its weights and a folder, with ImageFolder and its transforms.
TEST_F(EvaluateCommand, EvaluatesTorchvisionsCheckpoint) {
  GLIDEPATH_NEED_PYTHON("torchvision");
  GLIDEPATH_NEED_PYTHON("safetensors");
  const PythonResult made = run_python(folder_, R"(
import json, pathlib, sys, torch, torchvision
import torchvision.transforms as T
folder = pathlib.Path(__file__).parent
torch.manual_seed(0)
model = torchvision.models.resnet18(num_classes=2).eval()
torch.save(model.state_dict(), folder / "resnet18.pth")
images = torchvision.datasets.ImageFolder(sys.argv[1] + "/val", T.Compose([T.Resize(128), T.CenterCrop(112), T.ToTensor(),
    T.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]))
batch, labels = torch.stack([image for image, _ in images]), torch.tensor(images.targets)
with torch.no_grad():
    logits = model(batch)
print(json.dumps({"loss": torch.nn.functional.cross_entropy(logits, labels).item(),
                  "accuracy": (logits.argmax(1) == labels).double().mean().item(), "images": len(images)}))
)",
                                       images_.path().string());
  ASSERT_EQ(made.status, 0) << made.output;
  const auto expected = nlohmann::json::parse(made.output.substr(made.output.rfind('{')));
  const std::string python =
      "'" + python_program() + "' " GLIDEPATH_SOURCE_DIR "/examples/export_torchvision.py ";
  const ProcessResult exported = shell(python + "resnet18 resnet18.safetensors resnet18.pth");
  ASSERT_EQ(exported.exit_status, 0) << exported.err;
  const ProcessResult found =
      shell("glidepath evaluate --weights resnet18.safetensors --model resnet18 --data " + images_.data() +
            " --eval-res 112 --precision fp32 --json");
  ASSERT_EQ(found.exit_status, 0) << found.err;
  const auto ours = nlohmann::json::parse(found.out);
  EXPECT_NEAR(ours.at("loss").get<double>(), expected.at("loss").get<double>(), 1e-5);
  EXPECT_EQ(ours.at("accuracy"), expected.at("accuracy"));
  EXPECT_EQ(ours.at("images"), expected.at("images"));
}

TEST_F(EvaluateCommand, GivesTheAccuracyOfTheRunThatLeftTheWeights) {
  const std::string bad = images_.damage("val/dog/101", 100);
  const std::string common = " --model resnet8 --width 0.25 --precision fp32 --data " + images_.data();
  const ProcessResult run =
      shell("glidepath train --train-res 32 --batch-size 8 --budget 4it --no-progress --out a" + common);
  ASSERT_EQ(run.exit_status, 0) << run.err;
  EXPECT_THAT(run.err,
              HasSubstr("glidepath train: warning: " + bad + ": is truncated; the image is skipped"));
  EXPECT_THAT(run.out,
              HasSubstr("could not be decoded: 0 training and 1 test images; the accuracy is over the rest"));
  const auto summary = nlohmann::json::parse(read("a/summary.json"));
  const ProcessResult found =
      shell("glidepath evaluate --weights a/model.safetensors --eval-res 32 --json" + common);
  ASSERT_EQ(found.exit_status, 0) << found.err;
  EXPECT_EQ(nlohmann::json::parse(found.out).at("loss"), summary.at("test_loss"));
  EXPECT_THAT(found.err, HasSubstr("glidepath evaluate: warning: " + bad + ": is truncated"));
  const ProcessResult text = shell("glidepath evaluate --weights a/model.safetensors --eval-res 32" + common);
  EXPECT_THAT(text.out, testing::MatchesRegex("accuracy [0-9.]+ %  loss [0-9.]+  11 images of val, 1 left "
                                              "out that could not be decoded\n(.|\n)*"));
  // As a run it is tested as it was: no width, size or folder is given again.
  const ProcessResult as_run = shell("glidepath evaluate a --json");
  ASSERT_EQ(as_run.exit_status, 0) << as_run.err;
  EXPECT_EQ(nlohmann::json::parse(as_run.out).at("loss"), summary.at("test_loss"));
  EXPECT_EQ(nlohmann::json::parse(as_run.out).at("accuracy"), summary.at("test_accuracy"));
}

// The confusions of scikit-learn's definition: rows are classes, columns what they were taken for.
TEST_F(EvaluateCommand, TellsOfEachClassOfARun) {
  ASSERT_EQ(
      shell("glidepath train --data digits --model mlp --width 0.5 --full 10ep --budget 20% --threads 1 "
            "--checkpoint-every 1ep --keep-checkpoints 9 --quiet --out a")
          .exit_status,
      0);
  const ProcessResult told = shell("glidepath evaluate a --json --confusion confusion.csv");
  ASSERT_EQ(told.exit_status, 0) << told.err;
  const auto json = nlohmann::json::parse(told.out);
  EXPECT_EQ(json.at("accuracy"), nlohmann::json::parse(read("a/summary.json")).at("test_accuracy"));
  ASSERT_EQ(json.at("classes").size(), 10U);
  std::int64_t images = 0, correct = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const auto& one = json.at("classes")[i];
    const auto counts = json.at("confusion")[i].get<std::vector<std::int64_t>>();
    EXPECT_EQ(one.at("name"), std::to_string(i));
    EXPECT_EQ(one.at("correct"), counts[i]);
    EXPECT_EQ(one.at("images"), std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    images += one.at("images").get<std::int64_t>();
    correct += one.at("correct").get<std::int64_t>();
  }
  EXPECT_EQ(images, json.at("images"));
  EXPECT_DOUBLE_EQ(static_cast<double>(correct) / static_cast<double>(images), json.at("accuracy"));
  EXPECT_THAT(read("confusion.csv"), testing::StartsWith("class,0,1,2,3,4,5,6,7,8,9\n0,"));

  const std::string text = shell("glidepath evaluate a").out;
  EXPECT_THAT(text, HasSubstr("\nclass  images  accuracy  mostly taken for\n0  "));
  // Its checkpoints, one after the other.
  const std::string all = shell("glidepath evaluate a/checkpoint").out;
  EXPECT_GE(std::count(all.begin(), all.end(), '\n'), 2);
  EXPECT_THAT(all, HasSubstr(", after update "));
  // Options that are given replace the run's.
  EXPECT_EQ(nlohmann::json::parse(shell("glidepath evaluate a --test-limit 50 --json").out).at("images"), 50);

  const ProcessResult other =
      shell("glidepath evaluate --weights a/model.safetensors --data digits --model mlp");
  EXPECT_EQ(other.exit_status, 2);
  EXPECT_THAT(other.err, testing::EndsWith("; they are of a run: glidepath evaluate a takes its options\n"));
  const ProcessResult moved = shell(
      "cp a/model.safetensors w.safetensors; glidepath evaluate --weights w.safetensors --data digits "
      "--model mlp");
  EXPECT_EQ(moved.exit_status, 2);
  EXPECT_THAT(moved.err,
              testing::EndsWith("; is its --model, --width, --stem or number of classes another?\n"));
}

TEST_F(EvaluateCommand, NamesWhatIsWrong) {
  const auto error_of = [&](const std::string& options) {
    const ProcessResult result = shell("glidepath evaluate " + options);
    EXPECT_EQ(result.exit_status, 2);
    return result.err;
  };
  EXPECT_EQ(error_of("--weights none.safetensors --data digits --model nothing"),
            "glidepath evaluate: --model \"nothing\": must be one of resnet18, resnet34, resnet50, resnet8, "
            "resnet20, "
            "resnet32, resnet56, airbench, convnet, mlp, unet, gpt\n");
  EXPECT_THAT(error_of("--weights none.safetensors --data digits --model mlp"),
              HasSubstr("glidepath evaluate: none.safetensors: "));
  write("bad.safetensors", "hello");
  EXPECT_THAT(error_of("--weights bad.safetensors --data digits --model mlp"),
              HasSubstr("glidepath evaluate: bad.safetensors: "));
  EXPECT_THAT(error_of("--weights bad.safetensors --data imagefolder:nowhere"),
              HasSubstr("--data \"imagefolder:nowhere\": there is nothing at this path"));
  EXPECT_EQ(error_of("--weights bad.safetensors --data digits --eval-res 4"),
            "glidepath evaluate: --eval-res \"4\": must be auto or a whole number of pixels in [8, 2048]\n");
}

}  // namespace
}  // namespace glidepath
