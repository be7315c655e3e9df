// tests/cli/predict_test.cpp - `glidepath predict`, and fine-tuning, from the command line.
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"
#include "data/image_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class PredictCommand : public CliTest {
 protected:
  PredictCommand() {
    line_ = "glidepath train --data " + images_.data() +
            " --model resnet8 --width 0.25 --train-res 32 --batch-size 8 --full 1ep --threads 1 "
            "--eval-every end --quiet ";
    EXPECT_EQ(shell(line_ + "--budget 3it --out run").exit_status, 0);
    first_ = first_in("val/cat");
  }
  std::string first_in(const std::string& folder) const {
    std::string first;
    for (const auto& entry : fs::directory_iterator(images_.path() / folder)) {
      if (first.empty() || entry.path().string() < first) first = entry.path().string();
    }
    return first;
  }
  ImageFolder images_{12};
  std::string line_, first_;
};

TEST_F(PredictCommand, TellsInTextCsvAndJson) {
  const std::string val = (images_.path() / "val").string();
  const ProcessResult text = shell("glidepath predict run " + val + " --top 2 --threads 1");
  ASSERT_EQ(text.exit_status, 0) << text.err;
  EXPECT_EQ(std::count(text.out.begin(), text.out.end(), '\n'), 12);
  EXPECT_THAT(text.out, HasSubstr(first_ + "  "));
  EXPECT_THAT(text.out, ContainsRegex("  (cat|dog) [0-9.]+ %  (cat|dog) [0-9.]+ %\n"));

  const ProcessResult csv = shell("glidepath predict run " + first_ + " --top 5 --format csv");
  ASSERT_EQ(csv.exit_status, 0) << csv.err;
  EXPECT_THAT(csv.out, testing::StartsWith("image,rank,label,class,probability\n" + first_ + ",1,"));
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 3);  // of two classes

  const ProcessResult json = shell("printf '%s\\n\\n%s\\n' " + first_ + " " + first_in("val/dog") +
                                   " | glidepath predict run - --format json");
  std::istringstream lines(json.out);
  std::vector<nlohmann::json> images;
  for (std::string line; std::getline(lines, line);) images.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(images.size(), 2U) << json.err;
  EXPECT_EQ(images[0].at("image"), first_);
  EXPECT_EQ(images[0].at("classes").size(), 1U);
}

TEST_F(PredictCommand, SaysWhatCannotBeReadAndTellsTheRest) {
  write("broken.png", "no picture");
  const ProcessResult found = shell("glidepath predict run broken.png gone.png " + first_ + " --format json");
  EXPECT_EQ(found.exit_status, 1);
  EXPECT_THAT(found.err, HasSubstr("glidepath predict: warning: broken.png: "));
  EXPECT_THAT(found.err, HasSubstr("gone.png"));
  EXPECT_THAT(found.err, HasSubstr("glidepath predict: 2 of 3 images could not be read\n"));
  EXPECT_EQ(std::count(found.out.begin(), found.out.end(), '\n'), 3);
  EXPECT_THAT(found.out, HasSubstr("\"error\":"));
  EXPECT_THAT(found.out, HasSubstr("\"classes\":"));
}

// A network that had learnt ten classes goes on with two.
TEST_F(PredictCommand, FineTunesAnotherRunsWeights) {
  const std::string tuned = line_ + "--budget 2it --init run --freeze 'conv1.*,bn1.*' --lr-scale 'fc.*=10' ";
  std::string loud = tuned;
  loud.replace(loud.find("--quiet"), 7, "--verbose");
  const ProcessResult shown = shell(loud + "--out tuned");
  ASSERT_EQ(shown.exit_status, 0) << shown.err;
  EXPECT_THAT(shown.err, HasSubstr("begins with the weights of run/model.safetensors\n"));
  EXPECT_THAT(shown.err, HasSubstr("  conv1.weight [4, 3, 3, 3]: of the file\n"));
  EXPECT_THAT(read("tuned/config.toml"), HasSubstr("init = \"run\"\n"));
  EXPECT_EQ(shell("glidepath predict tuned " + first_).exit_status, 0);
  EXPECT_EQ(shell("glidepath evaluate tuned").exit_status, 0);

  fs::rename(images_.path() / "train/dog", images_.path() / "train/bird");
  fs::rename(images_.path() / "val/dog", images_.path() / "val/bird");
  fs::copy(images_.path() / "train/bird", images_.path() / "train/owl");
  fs::copy(images_.path() / "val/bird", images_.path() / "val/owl");
  const ProcessResult other = shell(loud + "--out other");
  ASSERT_EQ(other.exit_status, 0) << other.err;
  EXPECT_THAT(other.err, HasSubstr("begins with the weights of run/model.safetensors; anew for 3 classes: "
                                   "fc.bias, fc.weight\n"));
  EXPECT_THAT(other.err, HasSubstr("  fc.weight [3, 16]: anew, the file's is [2, 16]\n"));
}

}  // namespace
}  // namespace glidepath
