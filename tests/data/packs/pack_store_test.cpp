// tests/data/packs/pack_store_test.cpp - a pack gives back what went in; damaged packs are refused.
#include "data/packs/pack_store.h"

#include <cstring>

#include <fmt/format.h>

#include "data/packs/pack_file_writer.h"
#include "data/stores/store_support.h"
#include "files/read_failed.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<unsigned char> bytes(const std::string& text) { return {text.begin(), text.end()}; }

class PackStoreTest : public StoreTest {
 protected:
  fs::path file() const { return folder_ / "a.gpk"; }
  /// Two training images and one for validation, of 11, 24 and 1 bytes.
  void make() {
    PackFileWriter writer(file(), "as they were", {"ant", "bee"});
    writer.add(PackFileWriter::kTrain, {bytes("first image"), false, 5, 7}, 1, "train/bee/1.jpg");
    writer.add(PackFileWriter::kVal, {bytes("v"), false, 1, 1}, 0, "val/ant/1.jpg");
    writer.add(PackFileWriter::kTrain, {bytes("24 bytes of pixels, RGB."), true, 2, 4}, 0, "train/ant/2.png");
    writer.finish();
  }
  std::string open_refusal() {
    return refusal([&] { open_pack(file()); });
  }
};

TEST_F(PackStoreTest, GivesBackWhatWentIn) {
  make();
  EXPECT_FALSE(fs::exists(file().string() + ".part"));
  EXPECT_TRUE(is_pack(file()));
  const ImageCollection images = open_pack(file());
  EXPECT_THAT(images.class_names, ElementsAre("ant", "bee"));
  ASSERT_EQ(images.train->size(), 2);
  ASSERT_EQ(images.val->size(), 1);
  std::vector<unsigned char> buffer, other;
  const StoredImage first = images.train->read(0, buffer), second = images.train->read(1, other);
  EXPECT_EQ(std::string(first.data, first.data + first.bytes), "first image");
  EXPECT_EQ(first.kind, StoredImage::Kind::kFile);
  EXPECT_EQ(std::string(second.data, second.data + second.bytes), "24 bytes of pixels, RGB.");
  EXPECT_EQ(second.kind, StoredImage::Kind::kRgb);
  EXPECT_EQ(second.height, 2);
  EXPECT_EQ(second.width, 4);
  EXPECT_EQ(images.train->label(0), 1);
  EXPECT_EQ(images.train->label(1), 0);
  EXPECT_EQ(images.train->name(1), file().string() + ": train/ant/2.png");
  EXPECT_EQ(images.val->name(0), file().string() + ": val/ant/1.jpg");
  const PackInfo info = read_pack_info(file());
  EXPECT_EQ(info.settings, "as they were");
  EXPECT_EQ(info.rgb, 1);
  EXPECT_EQ(info.files, 2);
  EXPECT_EQ(info.file_bytes, fs::file_size(file()));
}

// Python's zlib and struct, which are not ours, read the file as pack_format.h describes it.
TEST_F(PackStoreTest, IsLaidOutAsDescribed) {
  make();
  EXPECT_EQ(python(R"(
import zlib
b = open('a.gpk', 'rb').read()
assert b[:16] == b'GPKIMAGE' + struct.pack('<II', 1, 0) and b[-8:] == b'GPKIMEND'
offset, size, crc, version, zero, own = struct.unpack('<QQIIII', b[-40:-8])
assert version == 1 and zero == 0 and own == zlib.crc32(b[-40:-12]) and offset + size + 40 == len(b)
index = b[offset:offset + size]
assert crc == zlib.crc32(index)
at = 0
def take(form):
    global at
    values = struct.unpack_from('<' + form, index, at); at += struct.calcsize('<' + form)
    return values if len(values) > 1 else values[0]
print(take(f'{take("I")}s').decode(), [take(f'{take("I")}s').decode() for _ in range(take('Q'))])
for split in range(2):
    records = [take('QIIIIIIII') for _ in range(take('Q'))]
    names = take(f'{take("Q")}s').decode()
    for o, n, label, c, length, h, w, kind, zero in records:
        assert o % 8 == 0 and c == zlib.crc32(b[o:o + n]) and zero == 0
        print(split, b[o:o + n].decode(), label, names[:length], h, w, kind); names = names[length:]
assert at == size
)"),
            "as they were ['ant', 'bee']\n"
            "0 first image 1 train/bee/1.jpg 5 7 0\n"
            "0 24 bytes of pixels, RGB. 0 train/ant/2.png 2 4 1\n"
            "1 v 0 val/ant/1.jpg 1 1 0\n");
}

TEST_F(PackStoreTest, RefusesAPackThatIsCutOffAnywhere) {
  make();
  const std::string whole = text_of(file());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    write(file(), whole.substr(0, length));
    EXPECT_THAT(open_refusal(),
                HasSubstr(length < 16 ? "at byte 0: is no pack"
                                      : fmt::format("at byte {}: the file is cut off", length)));
  }
}

TEST_F(PackStoreTest, FindsEveryByteThatWasChanged) {
  make();
  const std::string whole = text_of(file());
  std::vector<unsigned char> unused;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    SCOPED_TRACE(at);
    std::string damaged = whole;
    damaged[at] ^= 0x10;
    write(file(), damaged);
    const std::string message = refusal([&] {
      const ImageCollection images = open_pack(file());
      for (const auto& split : {images.train, images.val}) {
        for (std::int64_t i = 0; i < split->size(); ++i) split->read(i, unused);
      }
    });
    // What lies between images, and the zero of the header, is not looked at.
    const bool is_padding = (at >= 12 && at < 16) || (at >= 27 && at < 32) || (at >= 33 && at < 40);
    EXPECT_THAT(message, is_padding ? HasSubstr("was not refused") : HasSubstr("a.gpk: "));
  }
}

TEST_F(PackStoreTest, NamesTheImageThatIsDamaged) {
  make();
  std::string damaged = text_of(file());
  damaged[damaged.find("24 bytes")] = 'x';
  write(file(), damaged);
  const ImageCollection images = open_pack(file());
  std::vector<unsigned char> unused;
  images.train->read(0, unused);
  for (int time = 0; time < 2; ++time) {
    EXPECT_THAT(refusal([&] { images.train->read(1, unused); }),
                HasSubstr("a.gpk: train/ant/2.png: damaged in the pack at byte 40: "));
  }
}

TEST_F(PackStoreTest, RefusesNumbersThatCannotBeThoughTheChecksumIsRight) {
  make();
  const std::string whole = text_of(file());
  PackFooter footer;
  std::memcpy(&footer, whole.data() + whole.size() - sizeof footer, sizeof footer);
  // After "as they were" (4 + 12 bytes), "ant" and "bee" (8 + 2 * 7) and the count of records.
  const std::size_t record = footer.index_offset + 16 + 22 + 8;
  const auto with = [&](std::size_t at, std::uint64_t value, std::size_t bytes) {
    std::string changed = whole;
    std::memcpy(changed.data() + at, &value, bytes);
    PackFooter fresh = footer;
    fresh.index_checksum = pack_checksum(changed.data() + footer.index_offset, footer.index_bytes);
    fresh.checksum = pack_checksum(&fresh, offsetof(PackFooter, checksum));
    std::memcpy(changed.data() + changed.size() - sizeof fresh, &fresh, sizeof fresh);
    write(file(), changed);
    return open_refusal();
  };
  EXPECT_THAT(with(record, 1U << 30, 8), HasSubstr("an image at byte 1073741824, 11 long"));
  EXPECT_THAT(with(record, ~0ULL - 4, 8), HasSubstr("an image at byte"));
  EXPECT_THAT(with(record + 8, 4000000000, 4), HasSubstr("an image at byte 16, 4000000000 long"));
  EXPECT_THAT(with(record + 12, 2, 4), HasSubstr("label 2 of 2 classes"));
  EXPECT_THAT(with(record + 20, 1000, 4), HasSubstr("names that are longer or shorter than told"));
  EXPECT_THAT(with(record + 32, 1, 4), HasSubstr("an image of 7 x 5 pixels in 11 bytes"));
  EXPECT_THAT(with(record + 32, 2, 4), HasSubstr("an image of kind 2"));
  EXPECT_THAT(with(record - 8, ~0ULL, 8), HasSubstr("18446744073709551615 entries"));
  EXPECT_THAT(with(footer.index_offset, 1U << 31, 4), HasSubstr("the index ends within an entry"));
}

TEST_F(PackStoreTest, LeavesNothingBehindWhenItIsNotFinished) {
  write(file(), "an older file");
  {
    PackFileWriter writer(file(), "", {"ant"});
    writer.add(PackFileWriter::kTrain, {bytes("x"), false, 1, 1}, 0, "x");
  }
  EXPECT_EQ(text_of(file()), "an older file");
  EXPECT_FALSE(fs::exists(file().string() + ".part"));
  EXPECT_THAT(refusal([&] { PackFileWriter("/dev/null/a.gpk", "", {}); }),
              HasSubstr("/dev/null/a.gpk: cannot write"));
}

TEST_F(PackStoreTest, SaysWhichVersionItKnows) {
  make();
  std::string other = text_of(file());
  other[8] = 9;
  write(file(), other);
  EXPECT_THAT(open_refusal(), HasSubstr("at byte 8: version 9 of the format, this program knows 1"));
}

// Touching what is no longer there would end the process by a signal.
TEST_F(PackStoreTest, NoticesThatItIsCutOffWhileInUse) {
  make();
  const ImageCollection images = open_pack(file());
  std::vector<unsigned char> unused;
  images.train->read(0, unused);
  fs::resize_file(file(), 0);
  EXPECT_THROW(images.train->read(0, unused), ReadFailed);
  EXPECT_EQ(refusal([&] { images.train->read(0, unused); }),
            file().string() + ": ends at byte 16, 11 bytes short of what was there when it was opened");
}

TEST_F(PackStoreTest, IsMadeByOneAtATime) {
  PackFileWriter first(file(), "", {"ant"});
  for (const auto split : {PackFileWriter::kTrain, PackFileWriter::kVal})
    first.add(split, {bytes("x"), false, 1, 1}, 0, "1.jpg");
  EXPECT_EQ(refusal([&] { PackFileWriter second(file(), "", {"bee"}); }),
            file().string() + ": another process is making it; wait for that, or give another name");
  first.finish();
  EXPECT_THAT(open_pack(file()).class_names, ElementsAre("ant"));
  make();  // over it: the lock went with its writer's file
  EXPECT_THAT(open_pack(file()).class_names, ElementsAre("ant", "bee"));
}

TEST_F(PackStoreTest, WithoutAnImageOfASplitIsRefused) {
  PackFileWriter writer(file(), "", {"ant"});
  writer.add(PackFileWriter::kTrain, {bytes("x"), false, 1, 1}, 0, "1.jpg");
  writer.finish();
  EXPECT_THAT(open_refusal(), HasSubstr("a.gpk: at byte "));
  EXPECT_THAT(open_refusal(), HasSubstr("a split without an image"));
}

}  // namespace
}  // namespace glidepath
