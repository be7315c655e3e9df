// tests/study/imagenet_study_test.cpp - studies/imagenet.toml from a folder of images to figure 1, by the
// program.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "data/formats/encode_jpeg.h"
#include "study/support.h"
#include "support/process.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;

class ImagenetStudy : public FolderTest {
 protected:
  /// Two classes: one bright, one dark.
  void make_images(const char* split, int count) {
    for (const int bright : {0, 1}) {
      const fs::path folder = folder_ / "images" / split / (bright == 1 ? "bright" : "dark");
      fs::create_directories(folder);
      for (int i = 0; i < count; ++i) {
        std::vector<unsigned char> pixels(80 * 60 * 4);
        for (std::size_t at = 0; at < pixels.size(); ++at) {
          pixels[at] = static_cast<unsigned char>(
              120 * bright + static_cast<int>(at * 7 + static_cast<std::size_t>(i) * 13) % 120);
        }
        const std::vector<unsigned char> jpeg = encode_jpeg(pixels.data(), 80, 60, 90);
        std::ofstream(folder / fmt::format("{}.jpg", i), std::ios::binary)
            .write(reinterpret_cast<const char*>(jpeg.data()), static_cast<std::streamsize>(jpeg.size()));
      }
    }
  }
  std::string run(const std::vector<std::string>& arguments) {
    ProcessOptions options;
    options.folder = folder_.string();
    const ProcessResult result = run_glidepath(arguments, options);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }
  std::string content(const fs::path& file) { return text_of(folder_ / file); }
};

TEST_F(ImagenetStudy, RunsOnASmallFolderAndDrawsThePapersNumbersBesideOurs) {
  make_images("train", 16);
  make_images("val", 8);
  run({"data", "pack", "imagefolder:images", "--out", "images.gpk", "--resize", "40"});
  EXPECT_THAT(run({"data", "verify", "images.gpk"}),
              HasSubstr("images.gpk: 32 training and 16 validation images, each whole"));
  EXPECT_THAT(run({"data", "info", "images.gpk"}),
              HasSubstr("48 image files and 0 images as pixels; shorter side at most 40"));
  run({"study",     GLIDEPATH_SOURCE_DIR "/studies/imagenet.toml",
       "--profile", "small",
       "--set",     "data=imagefolder:" + (folder_ / "images.gpk").string(),
       "--set",     "full=4ep",
       "--set",     "train_res=32",
       "--set",     "width=0.125",
       "--set",     "schedule=[linear, step-d2]",
       "--set",     "budget=[50%, 100%]",
       "--set",     "batch_size=8",
       "--out",     "out"});
  run({"report", "out"});
  const std::string report = content("out/report.md");
  EXPECT_THAT(report, HasSubstr("4 of 4 runs"));
  EXPECT_THAT(report, HasSubstr("| linear | paper | 30.63 | 57.26 | 62.32 | 66.34 | 68.18 | 69.33 |\n| "
                                "linear | here | - | - | - | - | "));
  EXPECT_THAT(report, HasSubstr("| step-d2 | paper | 20.39 |"));
  const std::string points = content("out/figures/fig1.csv");
  EXPECT_THAT(points, HasSubstr("paper: linear,linear,,left,1,30.63"));
  EXPECT_THAT(points, HasSubstr("linear,linear,,left,50,"));
  EXPECT_TRUE(fs::exists(folder_ / "out/figures/fig1.svg") || fs::exists(folder_ / "out/figures/fig1.png"));
}

}  // namespace
}  // namespace glidepath
