// tests/data/formats/orientation_test.cpp - which way up a photograph is, wherever its file says so, as
// Pillow's ImageOps.exif_transpose finds it (golden/images/make_kinds.py).
#include <fstream>

#include <gtest/gtest.h>

#include "data/formats/decode.h"
#include "images/golden_pictures.h"

namespace glidepath {
namespace {

TEST(Orientation, IsFoundWherePillowFindsIt) {
  std::ifstream list(golden_image("turned/expected.csv"));
  std::string line;
  int files = 0;
  for (std::getline(list, line); std::getline(list, line); ++files) {
    const std::string name = line.substr(0, line.find(','));
    const int expected = std::stoi(line.substr(line.find(',') + 1));
    SCOPED_TRACE(name);
    const auto bytes = bytes_of(golden_image("turned/" + name));
    EXPECT_EQ(exif_orientation_of(bytes.data(), bytes.size()), expected);
    ImageDecoder turning(/*exif_orientation=*/true), plain;
    EXPECT_EQ(turning.open(stored(bytes)).width, expected >= 5 ? 5 : 7);
    EXPECT_EQ(plain.open(stored(bytes)).width, 7) << "as torchvision's loader has it";
  }
  EXPECT_GT(files, 35);
}

// Metadata may say anything: cut off anywhere and with any byte changed, there is an answer from 1 to 8.
TEST(Orientation, SurvivesDamagedMetadata) {
  for (const char* name : {"turned/long.jpg", "turned/rational.jpg", "turned/xmp.jpg", "turned/exif6.png",
                           "turned/raw-profile.png", "turned/xmp-deflated.png", "turned/xmp.webp"}) {
    const auto whole = bytes_of(golden_image(name));
    for (std::size_t i = 0; i < whole.size(); ++i) {
      auto changed = whole;
      changed[i] ^= static_cast<unsigned char>(1 + i % 255);
      for (const int found : {exif_orientation_of(changed.data(), changed.size()),
                              exif_orientation_of(std::vector(whole.data(), whole.data() + i).data(), i)}) {
        ASSERT_GE(found, 1);
        ASSERT_LE(found, 8);
      }
    }
  }
}

}  // namespace
}  // namespace glidepath
