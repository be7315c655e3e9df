// tests/data/images/image_pack_test.cpp - images packed and read back, against Pillow where pixels change.
#include "glidepath/image_pack.h"

#include <csignal>
#include <sys/resource.h>

#include <fmt/format.h>

#include "../stores/store_support.h"
#include "data/formats/decode.h"
#include "data/formats/encode_jpeg.h"
#include "data/images/open_images.h"
#include "glidepath/error.h"
#include "support/files.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ImagePack : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    for (const char* split : {"train", "val"}) {
      for (const char* label : {"ant", "bee"}) {
        fs::create_directories(source() / split / label);
        for (int i = 0; i < 5; ++i) {
          write(source() / split / label / fmt::format("{}.jpg", i),
                text(picture(40 + i, 30 + 20 * (i % 2), i)));
        }
      }
    }
  }
  fs::path source() const { return folder_ / "source"; }
  fs::path pack() const { return folder_ / "a.gpk"; }
  static std::string text(const std::vector<unsigned char>& bytes) { return {bytes.begin(), bytes.end()}; }

  /// A smooth picture, another for each seed.
  static std::vector<unsigned char> picture(int width, int height, int seed) {
    std::vector<unsigned char> pixels;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        for (const int value : {x * 5 + seed * 20, y * 4, x + y + seed, 0}) {
          pixels.push_back(static_cast<unsigned char>(value));
        }
      }
    }
    return encode_jpeg(pixels.data(), width, height, 95);
  }
  static std::string bytes(const ImageStore& store, std::int64_t index) {
    std::vector<unsigned char> buffer;
    const StoredImage image = store.read(index, buffer);
    return {reinterpret_cast<const char*>(image.data), image.bytes};
  }
  static std::string sizes(const ImageStore& store) {
    std::string result;
    std::vector<unsigned char> buffer;
    ImageDecoder decoder;
    for (std::int64_t i = 0; i < store.size(); ++i) {
      const ImageSize size = decoder.open(store.read(i, buffer));
      result += fmt::format("{}x{} ", size.width, size.height);
    }
    return result;
  }
};

// Every image counts the same, whatever its size; what cannot be decoded is left out.
TEST_F(ImagePack, MeasuresTheColoursOfTrainingImages) {
  const auto ppm = [&](const std::string& name, int side, std::string colour) {
    std::string pixels;
    for (int i = 0; i < side * side; ++i) pixels += colour;
    write(folder_ / "colours/train" / name, fmt::format("P6 {} {} 255\n", side, side) + pixels);
  };
  for (const char* folder : {"train/ant", "train/bee"}) fs::create_directories(folder_ / "colours" / folder);
  fs::copy(source() / "val", folder_ / "colours/val", fs::copy_options::recursive);
  ppm("ant/1.ppm", 4, {'\xFF', '\0', '\x33'});
  ppm("bee/1.ppm", 300, {'\0', '\0', '\x33'});
  write(folder_ / "colours/train/bee/2.ppm", "P6 4 4 255\n");
  const ImageStatistics found = measure_images(folder_ / "colours", {});
  EXPECT_THAT(found.mean, ElementsAre(testing::DoubleEq(0.5), 0, testing::DoubleNear(0.2, 1e-12)));
  EXPECT_THAT(found.stddev, ElementsAre(testing::DoubleEq(0.5), 0, testing::DoubleNear(0, 1e-7)));
  EXPECT_EQ(found.images, 2);
  EXPECT_EQ(found.corrupt, 1);
}

TEST_F(ImagePack, KeepsImagesThatAreSmallEnoughByteForByte) {
  PackOptions options;
  options.resize = 50;
  const PackResult result = pack_images(source(), pack(), options);
  EXPECT_EQ(result.train, 10);
  EXPECT_EQ(result.val, 10);
  EXPECT_EQ(result.classes, 2);
  EXPECT_EQ(result.corrupt, 0);
  EXPECT_EQ(result.bytes, static_cast<std::int64_t>(fs::file_size(pack())));
  const ImageCollection from = open_images(source()), to = open_images(pack());
  EXPECT_EQ(to.class_names, from.class_names);
  for (const auto& [a, b] : {std::pair(from.train, to.train), {from.val, to.val}}) {
    ASSERT_EQ(a->size(), b->size());
    for (std::int64_t i = 0; i < a->size(); ++i) {
      EXPECT_EQ(bytes(*a, i), bytes(*b, i));
      EXPECT_EQ(a->label(i), b->label(i));
      EXPECT_EQ(b->name(i),
                fmt::format("{}: {}", pack().string(), a->name(i).substr(source().string().size() + 1)));
    }
  }
}

TEST_F(ImagePack, ReducesTheSideAskedForAndEnlargesNothing) {
  PackOptions options;
  options.resize = 36;
  pack_images(source(), pack(), options);
  EXPECT_EQ(sizes(*open_images(pack()).val), "40x30 36x43 42x30 36x41 44x30 40x30 36x43 42x30 36x41 44x30 ");
  options.resize = 0;
  options.max_side = 42;
  pack_images(source(), pack(), options);
  EXPECT_EQ(sizes(*open_images(pack()).val), "40x30 34x42 42x30 36x42 42x28 40x30 34x42 42x30 36x42 42x28 ");
}

TEST_F(ImagePack, IsTheSameFileWhateverTheNumberOfThreads) {
  PackOptions options;
  options.resize = 20;
  std::string first;
  for (const int jobs : {1, 2, 5}) {
    options.jobs = jobs;
    pack_images(source(), pack(), options);
    if (first.empty()) first = text_of(pack());
    EXPECT_EQ(text_of(pack()), first) << jobs;
  }
}

TEST_F(ImagePack, PixelsAreThoseOfPillow) {
  GLIDEPATH_NEED_PYTHON("PIL");
  PackOptions options;
  options.rgb = true;
  options.resize = 20;
  pack_images(source(), pack(), options);
  // Without torchvision: its Resize(20) is Pillow's resize to these sizes.
  python(R"(
from PIL import Image
for i in range(5):
    image = Image.open(f'source/train/ant/{i}.jpg').convert('RGB')
    w, h = image.size
    short = min(w, h)

    open(f'{i}.rgb', 'wb').write(image.resize((w * 20 // short, h * 20 // short), Image.BILINEAR).tobytes())
)");
  const ImageCollection images = open_images(pack());
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(bytes(*images.train, i), text_of(folder_ / fmt::format("{}.rgb", i))) << i;
}

TEST_F(ImagePack, ImagesMadeSmallerStayCloseToThePixels) {
  PackOptions options;
  options.resize = 20;
  pack_images(source(), folder_ / "jpeg.gpk", options);
  options.rgb = true;
  pack_images(source(), folder_ / "rgb.gpk", options);
  const ImageCollection jpeg = open_images(folder_ / "jpeg.gpk"), rgb = open_images(folder_ / "rgb.gpk");
  ImageDecoder decoder;
  std::vector<unsigned char> buffer;
  for (std::int64_t i = 0; i < jpeg.train->size(); ++i) {
    const std::string exact = bytes(*rgb.train, i);
    const ImageSize size = decoder.open(jpeg.train->read(i, buffer));
    const DecodedArea area = decoder.decode({0, 0, size.width, size.height});
    double sum = 0;
    for (std::size_t pixel = 0; pixel < exact.size() / 3; ++pixel) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        sum += std::abs(area.pixels[4 * pixel + channel] -
                        static_cast<unsigned char>(exact[3 * pixel + channel]));
      }
    }
    EXPECT_LT(sum / static_cast<double>(exact.size()), 4) << i << ": mean difference of a byte";
  }
}

TEST_F(ImagePack, LeavesOutWhatIsCorruptUpToALimit) {
  const std::string whole = text_of(source() / "train/bee/2.jpg");
  write(source() / "train/bee/2.jpg", whole.substr(0, whole.size() / 2));
  write(source() / "train/ant/4.jpg", "");
  PackOptions options;
  std::vector<std::string> notes;
  options.on_note = [&](const std::string& note) { notes.push_back(note); };
  options.max_corrupt = "20%";
  const PackResult result = pack_images(source(), pack(), options);
  EXPECT_EQ(result.train, 8);
  EXPECT_EQ(result.corrupt, 2);
  EXPECT_THAT(
      notes, ElementsAre(HasSubstr("train/ant/4.jpg: is empty"), HasSubstr("train/bee/2.jpg: is truncated")));
  EXPECT_EQ(open_images(pack()).train->size(), 8);
  EXPECT_EQ(open_images(pack()).train->label(4), 1);

  fs::remove(pack());
  options.max_corrupt = "1";
  EXPECT_THAT(refusal([&] { pack_images(source(), pack(), options); }),
              HasSubstr("train/bee/2.jpg: is truncated"));
  EXPECT_TRUE(fs::is_empty(folder_) || !fs::exists(pack()));
  EXPECT_FALSE(fs::exists(pack().string() + ".part"));
}

TEST_F(ImagePack, StopsWhenAskedAndLeavesNothingBehind) {
  PackOptions options;
  options.stop_signal = [] { return 15; };
  EXPECT_THROW(pack_images(source(), pack(), options), Interrupted);
  EXPECT_FALSE(fs::exists(pack()));
  EXPECT_FALSE(fs::exists(pack().string() + ".part"));
}

TEST_F(ImagePack, ChecksEveryImage) {
  EXPECT_THAT(check_images(source(), {}).problems, ElementsAre());
  const std::string whole = text_of(source() / "val/bee/2.jpg");
  write(source() / "val/bee/2.jpg", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(check_images(source(), {}).problems, ElementsAre(HasSubstr("val/bee/2.jpg: is truncated")));

  fs::remove(source() / "val/bee/2.jpg");
  pack_images(source(), pack(), {});
  EXPECT_THAT(check_images(pack(), {}).problems, ElementsAre());
  std::string damaged = text_of(pack());
  damaged[200] ^= 1;
  write(pack(), damaged);
  EXPECT_THAT(check_images(pack(), {}).problems,
              ElementsAre(HasSubstr("train/ant/0.jpg: damaged in the pack at byte 16")));
}

TEST_F(ImagePack, RefusesWrongOptions) {
  const auto message = [&](const std::function<void(PackOptions&)>& change) {
    PackOptions options;
    change(options);
    return refusal([&] { pack_images(source(), pack(), options); });
  };
  EXPECT_EQ(message([](PackOptions& o) { o.quality = 101; }), "quality \"101\": must be in [1, 100]");
  EXPECT_EQ(message([](PackOptions& o) { o.resize = -1; }),
            "resize \"-1\": must be in [1, 65500], or 0: none");
  EXPECT_EQ(message([](PackOptions& o) { o.resize = o.max_side = 9; }),
            "resize and max_side: give one of them, the shorter side or the longer");
  EXPECT_THAT(message([](PackOptions& o) { o.max_corrupt = "much"; }),
              HasSubstr("max_corrupt \"much\": must be"));
  pack_images(source(), pack(), {});
  EXPECT_THAT(refusal([&] { pack_images(pack(), pack(), {}); }), HasSubstr("is the source itself"));
}

TEST_F(ImagePack, AFullDiskIsAnErrorThatNamesTheFile) {
  // A file that may not grow stands in for a disk that is full.
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handled = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{100, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const std::string told = refusal([&] { pack_images(source(), pack(), {}); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handled);
  EXPECT_THAT(told, HasSubstr("a.gpk: cannot write: File too large"));
  EXPECT_FALSE(fs::exists(pack()));
  EXPECT_FALSE(fs::exists(pack().string() + ".part"));
}

TEST_F(ImagePack, IsWrittenIntoNoFileThatALinkLeadsTo) {
  write(source() / "precious", "precious");
  for (const fs::path& link : {pack(), fs::path(pack().string() + ".part")}) {
    fs::create_symlink(source() / "precious", link);
    pack_images(source(), pack(), {});
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(pack())));
    EXPECT_FALSE(fs::exists(pack().string() + ".part"));
    EXPECT_EQ(text_of(source() / "precious"), "precious");
    fs::remove(pack());
  }
}

TEST_F(ImagePack, NeedsAnImageInEachSplit) {
  for (const char* label : {"ant", "bee"}) {
    for (int i = 0; i < 5; ++i) write(source() / "val" / label / fmt::format("{}.jpg", i), "");
  }
  PackOptions options;
  options.max_corrupt = "100%";
  EXPECT_EQ(refusal([&] { pack_images(source(), pack(), options); }),
            source().string() + ": no validation image can be decoded");
  EXPECT_FALSE(fs::exists(pack()));
  EXPECT_FALSE(fs::exists(pack().string() + ".part"));
}

// Said before the work, and not when the file is given its name.
TEST_F(ImagePack, IsNoFolder) {
  fs::create_directory(pack());
  int asked = 0;
  PackOptions options;
  options.stop_signal = [&] { return asked++, 0; };
  EXPECT_EQ(
      refusal([&] { pack_images(source(), pack(), options); }),
      pack().string() + ": is a folder; a pack is one file, for example " + (pack() / "images.gpk").string());
  EXPECT_EQ(asked, 0);
}

TEST_F(ImagePack, IsTheSameFileFromAPathThatEndsInASlash) {
  pack_images(source(), pack(), {});
  const std::string plain = text_of(pack());
  pack_images(source() / "", pack(), {});
  EXPECT_EQ(text_of(pack()), plain);
}

}  // namespace
}  // namespace glidepath
