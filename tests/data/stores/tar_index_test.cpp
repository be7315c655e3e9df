// tests/data/stores/tar_index_test.cpp - offsets against Python's tarfile and GNU tar; damaged tars.
#include "data/stores/tar_index.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "store_support.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

class TarIndex : public StoreTest {
 protected:
  std::string listing(const std::string& name) {
    const InputFile file(folder_ / name);
    std::string text;
    index_tar(
        file, whole_file(file),
        [&](const TarEntry& entry) {
          text +=
              fmt::format("{} {} {}{}\n", entry.name, entry.offset, entry.size, entry.is_link ? " link" : "");
        },
        [&](const std::string& name) { text += name + " lost\n"; });
    return text;
  }
  std::string refusal_of(const std::string& name) {
    return refusal([&] { listing(name); });
  }
  /// Two files of 600 and 10 bytes, headers at 0 and 1536.
  std::string small_tar() {
    python(
        "with tarfile.open('a.tar', 'w') as t:\n"
        "    for n, s in (('one', 600), ('two', 10)):\n"
        "        i = tarfile.TarInfo(n); i.size = s; t.addfile(i, io.BytesIO(b'x' * s))\n");
    return text_of(folder_ / "a.tar");
  }
};

TEST_F(TarIndex, OffsetsAreThoseOfPythonsTarfileInEveryFormat) {
  for (const char* format : {"USTAR", "GNU", "PAX"}) {
    SCOPED_TRACE(format);
    const std::string expected = python(fmt::format(R"(
with tarfile.open('a.tar', 'w', format=tarfile.{}_FORMAT) as t:
    def add(name, size, **fields):
        info = tarfile.TarInfo(name); info.size = size
        for k, v in fields.items(): setattr(info, k, v)
        t.addfile(info, io.BytesIO(os.urandom(size)) if info.isreg() else None)
    add('d', 0, type=tarfile.DIRTYPE)
    for i, size in enumerate((0, 1, 511, 512, 513, 100000)): add(f'd/{{i}}.jpg', size, mtime=1.5 if '{}' == 'PAX' else 1)
    add('link', 0, type=tarfile.SYMTYPE, linkname='d/1.jpg')
    add('hard', 0, type=tarfile.LNKTYPE, linkname='d/1.jpg')
    add('e/' * 70 + 'x' * 60, 700)
    if '{}' != 'USTAR': add('y' * 300, 5); add('caf\u00e9/\u2603.png', 6)
    add('last', 3)
sys.stdout.reconfigure(encoding='utf-8')
for i in tarfile.open('a.tar'):
    if i.isreg(): print(i.name, i.offset_data, i.size)
    if i.issym() or i.islnk(): print(i.name, one.offset_data, one.size, 'link')
    if i.name == 'd/1.jpg': one = i
)",
                                                    format, format, format));
    EXPECT_EQ(listing("a.tar"), expected);
    EXPECT_THAT(expected, HasSubstr("last "));
  }
}

// As GNU tar stores a folder in which two names are one file, and links: their bytes are elsewhere in the
// tar.
TEST_F(TarIndex, LinksLeadToTheBytesOfTheirTarget) {
  const std::string expected = python(R"(
os.makedirs('d/e')
for name, text in (('d/one', 'first'), ('d/e/two', 'second one')): open(name, 'w').write(text)
os.link('d/one', 'd/hard')
for target, name in (('e/two', 'd/soft'), ('../one', 'd/e/up'), ('soft', 'd/chain'), ('round', 'd/round'),
                     ('/etc/passwd', 'd/out'), ('../../x', 'd/above'), ('nothing', 'd/missing')): os.symlink(target, name)
for way in ('gnu', 'posix', 'ustar'):
    assert os.system(f'tar --format={way} --sort=name -cf {way}.tar d') == 0
    assert os.system(f'tar --format={way} -cf {way}-2.tar ./d/soft d/chain d/e/two ./d/one d/hard') == 0
)");
  for (const char* way : {"gnu", "posix", "ustar"}) {
    SCOPED_TRACE(way);
    const InputFile file(folder_ / (std::string(way) + ".tar"));
    std::map<std::string, std::string> contents;
    std::set<std::string> lost;
    index_tar(
        file, whole_file(file),
        [&](const TarEntry& entry) {
          std::string& text = contents[entry.name];
          text.resize(entry.size);
          file.read(text.data(), entry.size, entry.offset);
        },
        [&](const std::string& name) { lost.insert(name); });
    const std::map<std::string, std::string> all = {{"d/one", "first"},       {"d/hard", "first"},
                                                    {"d/e/up", "first"},      {"d/e/two", "second one"},
                                                    {"d/soft", "second one"}, {"d/chain", "second one"}};
    EXPECT_EQ(contents, all);
    EXPECT_EQ(lost, (std::set<std::string>{"d/round", "d/out", "d/above", "d/missing"}));
    // Links before their targets, and names that begin with "./".
    const std::string other = listing(std::string(way) + "-2.tar");
    EXPECT_THAT(other, testing::Not(HasSubstr("lost")));
    EXPECT_EQ(std::count(other.begin(), other.end(), '\n'), 5);
  }
}

TEST_F(TarIndex, SaysWhatAFileIsThatIsNoTar) {
  write(folder_ / "page.tar", "<!DOCTYPE html><html>log in</html>");
  EXPECT_THAT(refusal_of("page.tar"), HasSubstr("page.tar: at byte 0: is no tar, but an HTML page"));
  write(folder_ / "lfs.tar", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n");
  EXPECT_THAT(refusal_of("lfs.tar"), HasSubstr("is no tar, but a git-lfs pointer; get the file itself"));
}

TEST_F(TarIndex, ReadsSizesInBase256) {
  const std::string plain = small_tar();
  const std::string expected = listing("a.tar");
  // The size of `one` as GNU tar writes those above 8 GiB, with the checksum made again.
  std::string tar = plain;
  tar.replace(124, 12, std::string("\x80\0\0\0\0\0\0\0\0\0\x02\x58", 12));
  unsigned sum = 8 * ' ';
  for (int i = 0; i < 512; ++i) {
    if (i < 148 || i >= 156) sum += static_cast<unsigned char>(tar[static_cast<std::size_t>(i)]);
  }
  tar.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  write(folder_ / "b.tar", tar);
  EXPECT_EQ(listing("b.tar"), expected);
}

TEST_F(TarIndex, IndexesATarInsideATar) {
  small_tar();
  python("with tarfile.open('outer.tar', 'w') as t: t.add('a.tar')\n");
  const InputFile file(folder_ / "outer.tar");
  TarEntry inner;
  index_tar(file, whole_file(file), [&](const TarEntry& entry) { inner = entry; });
  std::vector<TarEntry> entries;
  index_tar(file, {"outer.tar: a.tar", inner.offset, inner.size},
            [&](const TarEntry& entry) { entries.push_back(entry); });
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1].name, "two");
  EXPECT_EQ(entries[1].offset, inner.offset + 2048);
  std::string bytes(10, ' ');
  file.read(bytes.data(), 10, entries[1].offset);
  EXPECT_EQ(bytes, "xxxxxxxxxx");
}

TEST_F(TarIndex, RefusesATarThatEndsAnywhereBeforeItsEndMark) {
  const std::string tar = small_tar();
  constexpr std::size_t kData = 2560;  // then the end mark
  for (std::size_t length : {1, 511, 512, 700, 1111, 1112, 1535, 1536, 2047, 2048, 2058, 2559, 2560, 2700}) {
    SCOPED_TRACE(length);
    write(folder_ / "cut.tar", tar.substr(0, length));
    const std::string message = refusal_of("cut.tar");
    const std::string before = "cut.tar: at byte ";
    ASSERT_THAT(message, HasSubstr(before));
    EXPECT_LE(std::stoull(message.substr(message.find(before) + before.size())), length);
    EXPECT_THAT(message, HasSubstr("copy or fetch it again"));
  }
  write(folder_ / "cut.tar", tar.substr(0, kData));
  EXPECT_THAT(refusal_of("cut.tar"), HasSubstr("at byte 2560: ends without a tar's end mark"));
}

TEST_F(TarIndex, NamesTheByteOfADamagedHeader) {
  std::string tar = small_tar();
  tar[1536 + 3] = '!';
  write(folder_ / "bad.tar", tar);
  EXPECT_THAT(refusal_of("bad.tar"), HasSubstr("bad.tar: at byte 1536: "));
}

TEST_F(TarIndex, RefusesWhatIsNoTar) {
  write(folder_ / "empty.tar", "");
  EXPECT_THAT(refusal_of("empty.tar"), HasSubstr("at byte 0: an empty file is no tar"));
  write(folder_ / "text.tar", std::string(2000, 'x'));
  EXPECT_THAT(refusal_of("text.tar"), HasSubstr("text.tar: at byte 0: "));
  EXPECT_THAT(refusal([&] { InputFile file(folder_ / "none.tar"); }), HasSubstr("none.tar: cannot be read"));
  EXPECT_THAT(refusal([&] { InputFile file{folder_}; }), HasSubstr("is no regular file"));
}

TEST_F(TarIndex, RefusesSparseFiles) {
  python("with open('holes', 'wb') as f: f.seek(1 << 20); f.write(b'x'); f.seek(1 << 22); f.write(b'y')\n");
  for (const char* format : {"gnu", "posix"}) {
    SCOPED_TRACE(format);
    python(fmt::format("assert os.system('tar --format={} --sparse -cf s.tar holes') == 0\n", format));
    EXPECT_LT(std::filesystem::file_size(folder_ / "s.tar"), 1U << 20) << "GNU tar stored the holes";
    EXPECT_THAT(refusal_of("s.tar"), HasSubstr("stored as a sparse file"));
  }
}

TEST_F(TarIndex, AFileCutOffLaterIsAnErrorAndNoCrash) {
  small_tar();
  const InputFile file(folder_ / "a.tar");
  std::filesystem::resize_file(folder_ / "a.tar", 1000);
  std::string bytes(600, ' ');
  EXPECT_THAT(refusal([&] { file.read(bytes.data(), 600, 512); }),
              HasSubstr("ends at byte 1000, 112 bytes short"));
}

}  // namespace
}  // namespace glidepath
