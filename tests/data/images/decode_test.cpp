// tests/data/images/decode_test.cpp - every kind of file, whole and damaged, against Pillow's pixels.
#include "data/images/decode.h"

#include <cstring>

#include <gmock/gmock.h>

#include "images/golden_pictures.h"

namespace glidepath {
namespace {

StoredImage stored(const std::vector<unsigned char>& bytes) {
  return {StoredImage::Kind::kFile, bytes.data(), bytes.size()};
}

std::string corruption(const std::vector<unsigned char>& bytes) {
  ImageDecoder decoder;
  try {
    const ImageSize size = decoder.open(stored(bytes));
    decoder.decode({0, 0, size.width, size.height});
  } catch (const CorruptImage& error) {
    return error.what();
  }
  return "no error";
}

class OddFile : public testing::TestWithParam<const char*> {};

// Pillow's pixels to the bit: colour spaces, subsampling, palettes, depths. 16-bit grey is the exception that
// make_images.py tells of.
TEST_P(OddFile, DecodesAsInPillow) {
  const std::string name = GetParam();
  const Picture expected = read_png(golden_image("odd/expected/" + name + ".png"));
  const auto bytes = bytes_of(golden_image("odd/" + name));
  ImageDecoder decoder;
  const ImageSize size = decoder.open(stored(bytes));
  ASSERT_EQ(size.width, expected.width);
  ASSERT_EQ(size.height, expected.height);
  const DecodedArea all = decoder.decode({0, 0, size.width, size.height});
  EXPECT_EQ(all.area.width, size.width);
  EXPECT_EQ(difference(all.pixels, all.row_bytes, expected).most, 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, OddFile,
                         testing::Values("420.jpg", "422.jpg", "444.jpg", "progressive.jpg", "grey.jpg",
                                         "cmyk.jpg", "rgb.png", "palette.png", "grey.png", "bits.png",
                                         "rgba.png", "la.png", "rgb16.png", "grey16.png"));

TEST(ImageDecoder, TurnsPhotographsWhereAsked) {
  const Picture upright = read_png(golden_image("odd/expected/420.jpg.png"));
  for (int orientation = 2; orientation <= 8; ++orientation) {
    const std::string name = "turned" + std::to_string(orientation) + ".jpg";
    SCOPED_TRACE(name);
    const auto bytes = bytes_of(golden_image("odd/" + name));
    EXPECT_EQ(exif_orientation_of(bytes.data(), bytes.size()), orientation);
    const Picture expected = read_png(golden_image("odd/expected/" + name + ".png"));
    ImageDecoder turning(/*exif_orientation=*/true);
    const ImageSize size = turning.open(stored(bytes));
    ASSERT_EQ(size.width, expected.width);
    ASSERT_EQ(size.height, expected.height);
    const DecodedArea turned = turning.decode({0, 0, 1, 1});
    EXPECT_EQ(difference(turned.pixels, turned.row_bytes, expected).most, 0);
    // Not asked: as torchvision's loader has it.
    ImageDecoder plain;
    EXPECT_EQ(plain.open(stored(bytes)).width, 61);
  }
}

// A part of a picture has the pixels that the whole one has there, whatever columns and rows it begins at.
TEST(ImageDecoder, PartsAreAsInTheWhole) {
  for (const char* name : {"photo.jpg", "odd/422.jpg", "odd/444.jpg", "odd/progressive.jpg"}) {
    const auto bytes = bytes_of(golden_image(name));
    ImageDecoder whole_decoder, part_decoder;
    const ImageSize size = whole_decoder.open(stored(bytes));
    for (const int eighths : {8, 4, 2, 1}) {
      whole_decoder.open(stored(bytes));
      const DecodedArea whole = whole_decoder.decode({0, 0, size.width, size.height}, eighths);
      ASSERT_EQ(whole.area.width, (size.width * eighths + 7) / 8);
      for (int i = 0; i < 40; ++i) {
        const int left = i * 37 % (size.width - 8), top = i * 53 % (size.height - 8);
        const Rectangle wanted{left, top, 1 + i * 11 % (size.width - left), 1 + i * 29 % (size.height - top)};
        part_decoder.open(stored(bytes));
        const DecodedArea part = part_decoder.decode(wanted, eighths);
        const int first_x = wanted.left * eighths / 8, first_y = wanted.top * eighths / 8;
        const int end_x = ((wanted.left + wanted.width) * eighths + 7) / 8;
        const int end_y = ((wanted.top + wanted.height) * eighths + 7) / 8;
        ASSERT_LE(part.area.left, first_x);
        ASSERT_LE(part.area.top, first_y);
        ASSERT_GE(part.area.left + part.area.width, end_x);
        ASSERT_GE(part.area.top + part.area.height, end_y);
        for (int y = first_y; y < end_y; ++y) {
          for (int x = first_x; x < end_x; ++x) {
            const unsigned char* ours = part.pixels +
                                        static_cast<std::size_t>(y - part.area.top) * part.row_bytes +
                                        4 * (x - part.area.left);
            ASSERT_EQ(
                std::memcmp(ours, whole.pixels + static_cast<std::size_t>(y) * whole.row_bytes + 4 * x, 3), 0)
                << name << " " << eighths << "/8 at " << x << "," << y << " of " << wanted.left << ","
                << wanted.top << " " << wanted.width << "x" << wanted.height;
          }
        }
      }
    }
  }
}

TEST(ImageDecoder, TellsDamagedFilesFromWholeOnes) {
  EXPECT_EQ(corruption({}), "is empty");
  EXPECT_EQ(corruption({'h', 'e', 'l', 'l', 'o'}), "is neither a JPEG nor a PNG image");
  for (const char* name : {"odd/420.jpg", "odd/progressive.jpg", "odd/rgb.png", "odd/palette.png"}) {
    const auto whole = bytes_of(golden_image(name));
    EXPECT_EQ(corruption(whole), "no error");
    // Wherever it is cut off, but for the last few bytes of a JPEG, which say no more than that it ends.
    for (std::size_t bytes = 9; bytes + 40 < whole.size(); bytes += 7) {
      const std::string found =
          corruption({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes)});
      EXPECT_NE(found, "no error") << name << " cut to " << bytes;
    }
  }
  EXPECT_EQ(corruption({0xFF, 0xD8, 0xFF}), "is truncated");
}

// Cut off below the part that is looked at: it is damaged all the same, or a run would find it so by chance.
TEST(ImageDecoder, ATruncatedFileIsDamagedWhateverPartIsWanted) {
  auto bytes = bytes_of(golden_image("photo.jpg"));
  bytes.resize(bytes.size() * 3 / 4);
  ImageDecoder decoder;
  decoder.open(stored(bytes));
  EXPECT_THROW(decoder.decode({0, 0, 64, 64}), CorruptImage);
  // The next image is not the worse for it.
  const auto whole = bytes_of(golden_image("photo.jpg"));
  decoder.open(stored(whole));
  EXPECT_NO_THROW(decoder.decode({0, 0, 64, 64}));
}

// 60,000 x 60,000 pixels by the header alone, as of a file that would take 14 GB.
TEST(ImageDecoder, RefusesHugePicturesByTheirHeader) {
  auto jpeg = bytes_of(golden_image("odd/420.jpg"));
  for (std::size_t i = 0; i + 8 < jpeg.size(); ++i) {
    if (jpeg[i] != 0xFF || jpeg[i + 1] != 0xC0) continue;
    for (const std::size_t at : {i + 5, i + 7}) {
      jpeg[at] = 60000 >> 8;
      jpeg[at + 1] = 60000 & 255;
    }
    break;
  }
  EXPECT_EQ(corruption(jpeg), "has 60000 x 60000 pixels, more than 178956970");
  std::vector<unsigned char> none;
  StoredImage plain{StoredImage::Kind::kRgb, none.data(), 0, 0, 5};
  ImageDecoder decoder;
  EXPECT_THROW(decoder.open(plain), CorruptImage);
}

TEST(ImageDecoder, SurvivesFlippedBytes) {
  for (const char* name :
       {"odd/420.jpg", "odd/progressive.jpg", "odd/cmyk.jpg", "odd/palette.png", "odd/la.png"}) {
    const auto whole = bytes_of(golden_image(name));
    for (std::size_t at = 0; at < whole.size(); at += 3) {
      auto bytes = whole;
      bytes[at] ^= static_cast<unsigned char>(1 + at % 255);
      corruption(bytes);  // pixels or an error: no crash, no endless loop
    }
  }
}

TEST(ImageDecoder, TakesPixelsAsTheyAre) {
  std::vector<unsigned char> rgb(5 * 4 * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<unsigned char>(i * 3);
  ImageDecoder decoder;
  const StoredImage image{StoredImage::Kind::kRgb, rgb.data(), rgb.size(), 4, 5};
  EXPECT_EQ(decoder.open(image).width, 5);
  const DecodedArea area = decoder.decode({1, 2, 3, 2}, 4);
  EXPECT_EQ(area.eighths, 8);
  EXPECT_EQ(area.pixels[area.row_bytes + 4 + 2], rgb[(3 * 5 + 2) * 3 + 2]);
  EXPECT_THROW(decoder.open({StoredImage::Kind::kRgb, rgb.data(), rgb.size() - 1, 4, 5}), CorruptImage);
}

}  // namespace
}  // namespace glidepath
