// tests/data/images/transforms_test.cpp - crops and sizes against torchvision's.
#include "data/images/transforms.h"

#include <cmath>
#include <sstream>

#include "images/golden_pictures.h"

namespace glidepath {
namespace {

struct GoldenCrop {
  std::string kind;
  Rectangle crop;
  int size = 0;
};

std::vector<GoldenCrop> golden_crops() {
  std::vector<GoldenCrop> crops;
  std::ifstream file(golden_image("crops.csv"));
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream words(line);
    GoldenCrop crop;
    words >> crop.kind >> crop.crop.left >> crop.crop.top >> crop.crop.width >> crop.crop.height >> crop.size;
    crops.push_back(crop);
  }
  EXPECT_EQ(crops.size(), 8U);
  return crops;
}

Difference difference_of(const GoldenCrop& golden, std::size_t number, bool exact) {
  const auto bytes = bytes_of(golden_image("photo.jpg"));
  ImageTransformer transformer;
  transformer.open({StoredImage::Kind::kFile, bytes.data(), bytes.size()});
  const unsigned char* pixels = golden.kind == "centre"
                                    ? transformer.centre_crop(golden.crop.left, golden.size)
                                    : transformer.resized_crop(golden.crop, golden.size, exact);
  return difference(pixels, static_cast<std::size_t>(4 * golden.size),
                    read_png(golden_image("crops/" + std::to_string(number) + ".png")));
}

// Every pixel is torchvision's: of what is tested on always, of what is trained on where a JPEG is decoded at
// its full size.
TEST(Transforms, AreTorchvisionsToTheBit) {
  const auto crops = golden_crops();
  for (std::size_t i = 0; i < crops.size(); ++i) EXPECT_EQ(difference_of(crops[i], i, true).most, 0) << i;
}

// The tolerances that docs/images.md states, for a photograph decoded at a half or less: it has been smoothed
// block by block, not by a triangle.
TEST(Transforms, ScaledDecodingStaysWithinItsTolerance) {
  const auto crops = golden_crops();
  int scaled = 0;
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const Difference found = difference_of(crops[i], i, false);
    EXPECT_LE(found.mean, 2.5) << i;
    EXPECT_LE(found.most, 40) << i;
    if (found.most > 0) ++scaled;
  }
  EXPECT_EQ(scaled, 4);  // the crops of at least twice the size they become
}

TEST(RandomResizedCrop, LiesInThePictureAndHasTheSharesAskedFor) {
  for (const ImageSize picture : {ImageSize{500, 375}, {375, 500}, {64, 64}, {1000, 200}, {3, 90}, {1, 1}}) {
    for (std::uint64_t i = 0; i < 500; ++i) {
      KeyedRandom random{1, i};
      const Rectangle crop = random_resized_crop(picture, random);
      ASSERT_GE(crop.left, 0);
      ASSERT_GE(crop.top, 0);
      ASSERT_GE(crop.width, 1);
      ASSERT_GE(crop.height, 1);
      ASSERT_LE(crop.left + crop.width, picture.width);
      ASSERT_LE(crop.top + crop.height, picture.height);
    }
  }
}

// Area and shape are uniform in (0.08, 1) and in the logarithm of (3/4, 4/3): for a square picture, as far as
// tries that do not fit leave them so, which none below half the picture does.
TEST(RandomResizedCrop, HasTorchvisionsDistribution) {
  constexpr int kTries = 20000;
  const ImageSize picture{2000, 2000};
  double below_half = 0, below_quarter = 0, wide = 0, small = 0, left = 0;
  for (std::uint64_t i = 0; i < kTries; ++i) {
    KeyedRandom random{7, i};
    const Rectangle crop = random_resized_crop(picture, random);
    const double share = static_cast<double>(crop.width) * crop.height / (4e6);
    below_half += share < 0.5;
    below_quarter += share < 0.25;
    if (share >= 0.5) continue;
    ++small;
    wide += std::log(static_cast<double>(crop.width) / crop.height) > std::log(4.0 / 3) / 2;
    left += crop.left < (picture.width - crop.width) / 2.0;
  }
  EXPECT_NEAR(below_quarter / below_half, (0.25 - 0.08) / (0.5 - 0.08), 0.02);
  EXPECT_NEAR(wide / small, 0.25, 0.02);
  EXPECT_NEAR(left / small, 0.5, 0.02);
}

// A picture ten times as wide as high fits no try: torchvision then takes the middle, 4/3 as wide as high.
TEST(RandomResizedCrop, FallsBackToTheMiddle) {
  KeyedRandom random{3};
  int middle = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    KeyedRandom random{3, i};
    const Rectangle crop = random_resized_crop({100, 3}, random);
    if (crop.height == 3 && crop.width == 4 && crop.left == 48 && crop.top == 0) ++middle;
  }
  EXPECT_GT(middle, 0);
}

// 256 times its longer side is more than an int holds.
TEST(Transforms, RefuseALineThatIsTooLong) {
  constexpr int kLong = 8'400'000;
  const std::vector<unsigned char> pixels(3 * static_cast<std::size_t>(kLong), 100);
  ImageTransformer transformer;
  transformer.open({StoredImage::Kind::kRgb, pixels.data(), pixels.size(), 1, kLong});
  try {
    transformer.centre_crop(256, 224);
    FAIL();
  } catch (const CorruptImage& error) {
    EXPECT_STREQ(error.what(), "8400000 x 1 pixels are too narrow to be resized");
  }
  EXPECT_EQ(transformer.resized_crop({0, 0, 1, 1}, 8)[0], 100);
}

}  // namespace
}  // namespace glidepath
