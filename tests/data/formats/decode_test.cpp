// tests/data/formats/decode_test.cpp - every kind of file, whole and damaged, against Pillow's pixels.
#include "data/formats/decode.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <jpeglib.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "images/golden_pictures.h"

namespace glidepath {
namespace {

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

/// Lines of a CSV file of two columns, without its head.
std::vector<std::pair<std::string, std::string>> pairs_in(const std::string& name) {
  std::ifstream file(golden_image(name));
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string line;
  for (std::getline(file, line); std::getline(file, line);)
    pairs.emplace_back(line.substr(0, line.find(',')), line.substr(line.find(',') + 1));
  EXPECT_FALSE(pairs.empty()) << name;
  return pairs;
}

void expect_picture(const std::vector<unsigned char>& bytes, const Picture& expected) {
  ImageDecoder decoder;
  const ImageSize size = decoder.open(stored(bytes));
  ASSERT_EQ(size.width, expected.width);
  ASSERT_EQ(size.height, expected.height);
  const DecodedArea all = decoder.decode({0, 0, size.width, size.height});
  ASSERT_EQ(all.area.width, size.width);
  ASSERT_EQ(all.area.height, size.height);
  EXPECT_EQ(difference(all.pixels, all.row_bytes, expected).most, 0);
}

// TIFF, WebP, BMP, PBM, PGM and PPM: Pillow's pixels to the bit, but where make_kinds.py says what is meant.
TEST(ImageDecoder, ReadsEveryKindAsPillowDoes) {
  for (const auto& [file, picture] : pairs_in("kinds/expected.csv")) {
    SCOPED_TRACE(file);
    const auto bytes = bytes_of(golden_image("kinds/" + file));
    ASSERT_NO_THROW(expect_picture(bytes, read_png(golden_image("kinds/expected/" + picture))));
  }
}

// As Pillow, browsers and viewers do; libpng by itself says "invalid distance too far back".
TEST(ImageDecoder, ReadsAPngThatDeclaresASmallerWindowThanItUses) {
  Picture expected;
  expected.width = 40;
  expected.height = 24;
  expected.rgb = bytes_of(golden_image("small-window.rgb"));
  expect_picture(bytes_of(golden_image("small-window.png")), expected);
}

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

/// What is wrong with parts of a picture, which must have the pixels that the whole one has there.
std::string wrong_parts(const std::vector<unsigned char>& bytes, int parts) {
  ImageDecoder whole_decoder, part_decoder;
  const ImageSize size = whole_decoder.open(stored(bytes));
  for (const int eighths : {8, 4, 2, 1}) {
    whole_decoder.open(stored(bytes));
    const DecodedArea whole = whole_decoder.decode({0, 0, size.width, size.height}, eighths);
    for (int i = 0; i < parts; ++i) {
      const int left = i * 37 % (size.width - 8), top = i * 53 % (size.height - 8);
      const Rectangle wanted{left, top, 1 + i * 11 % (size.width - left), 1 + i * 29 % (size.height - top)};
      part_decoder.open(stored(bytes));
      const DecodedArea part = part_decoder.decode(wanted, eighths);
      const auto place =
          fmt::format("{}/8 of {},{} {}x{}", eighths, wanted.left, wanted.top, wanted.width, wanted.height);
      const int first_x = wanted.left * eighths / 8, first_y = wanted.top * eighths / 8;
      const int end_x = ((wanted.left + wanted.width) * eighths + 7) / 8;
      const int end_y = ((wanted.top + wanted.height) * eighths + 7) / 8;
      const bool is_there = part.area.left <= first_x && part.area.top <= first_y &&
                            part.area.left + part.area.width >= end_x &&
                            part.area.top + part.area.height >= end_y;
      if (!is_there) return place + ": not all is there";
      for (int y = first_y; y < end_y; ++y) {
        for (int x = first_x; x < end_x; ++x) {
          const unsigned char* ours = part.pixels +
                                      static_cast<std::size_t>(y - part.area.top) * part.row_bytes +
                                      4 * (x - part.area.left);
          if (std::memcmp(ours, whole.pixels + static_cast<std::size_t>(y) * whole.row_bytes + 4 * x, 3) != 0)
            return fmt::format("{}: at {},{}", place, x, y);
        }
      }
    }
  }
  return "";
}

// Whatever columns and rows it begins at.
TEST(ImageDecoder, PartsAreAsInTheWhole) {
  for (const char* name : {"photo.jpg", "odd/422.jpg", "odd/444.jpg", "odd/progressive.jpg",
                           "kinds/tiles-MM.tif", "kinds/lossy.webp", "kinds/palette4.bmp"}) {
    EXPECT_EQ(wrong_parts(bytes_of(golden_image(name)), 40), "") << name;
  }
}

/// A JPEG whose luminance has across x down samples where chrominance has other_across x other_down.
std::vector<unsigned char> subsampled(int across, int down, int other_across, int other_down) {
  constexpr int kWidth = 203, kHeight = 157;
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* data = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&info, &data, &bytes);
  info.image_width = kWidth;
  info.image_height = kHeight;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  info.comp_info[0].h_samp_factor = across, info.comp_info[0].v_samp_factor = down;
  for (int i = 1; i < 3; ++i)
    info.comp_info[i].h_samp_factor = other_across, info.comp_info[i].v_samp_factor = other_down;
  jpeg_start_compress(&info, TRUE);
  std::vector<unsigned char> row(3 * kWidth);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      row[static_cast<std::size_t>(3 * x)] = static_cast<unsigned char>(x * 7 + y * 3);
      row[static_cast<std::size_t>(3 * x + 1)] = static_cast<unsigned char>(x * y / 16);
      row[static_cast<std::size_t>(3 * x + 2)] = static_cast<unsigned char>((x ^ y) * 5);
    }
    JSAMPROW rows = row.data();
    jpeg_write_scanlines(&info, &rows, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::vector<unsigned char> result(data, data + bytes);
  std::free(data);
  return result;
}

// 4:1:0 at 4/8 was not, nor are some that nobody has a name for: there the library merges or smooths rows
// that a part does not have.
TEST(ImageDecoder, PartsAreAsInTheWholeWithEverySubsampling) {
  for (int across = 1; across <= 4; ++across) {
    for (int down = 1; down <= 4; ++down) {
      for (const auto& [other_across, other_down] : {std::pair(1, 1), {2, 1}, {1, 2}, {2, 2}}) {
        if (across * down + 2 * other_across * other_down > 10) continue;    // the format's limit
        if (across % other_across != 0 || down % other_down != 0) continue;  // no library reads it
        EXPECT_EQ(wrong_parts(subsampled(across, down, other_across, other_down), 12), "")
            << across << "x" << down << " and " << other_across << "x" << other_down;
      }
    }
  }
}

TEST(ImageDecoder, TellsDamagedFilesFromWholeOnes) {
  EXPECT_EQ(corruption({}), "is empty");
  EXPECT_EQ(corruption({1, 2, 3, 4, 5}), "is no image of a kind that is read");
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
