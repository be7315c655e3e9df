// tests/data/stores/tar_collections_test.cpp - ImageNet's files and WebDataset's shards, in small, read in
// place; what torchvision makes of the same files is in golden/images (make_devkit.py).
#include "data/stores/tar_collections.h"

#include <cstdlib>
#include <sys/resource.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "store_support.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string bytes_of(const ImageStore& store, std::int64_t index) {
  std::vector<unsigned char> buffer;
  const StoredImage image = store.read(index, buffer);
  EXPECT_EQ(image.kind, StoredImage::Kind::kFile);
  return {reinterpret_cast<const char*>(image.data), image.bytes};
}

/// "label name bytes" of each image; names without the folder.
std::vector<std::string> all(const ImageStore& store, const fs::path& folder) {
  std::vector<std::string> lines;
  for (std::int64_t i = 0; i < store.size(); ++i) {
    const std::string name = store.name(i).substr(folder.string().size() + 1);
    lines.push_back(fmt::format("{} {} {}", store.label(i), name, bytes_of(store, i)));
  }
  return lines;
}

class TarCollections : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    ::setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);  // indices are kept there
  }
  std::string kit() const { return (folder_ / "ILSVRC2012_devkit_t12.tar.gz").string(); }

  void make_imagenet(const std::string& change = "") {
    fs::copy_file(std::string(GLIDEPATH_TEST_DATA) + "/images/ILSVRC2012_devkit_t12.tar.gz", kit());
    python(R"(
def tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as t:
        for name, data in files:
            info = tarfile.TarInfo(name); info.size = len(data); t.addfile(info, io.BytesIO(data))
    return out.getvalue()
wnids = ['n03000247', 'n01440764', 'n02119789', 'n02100735']
train = [(w + '.tar', tar([(f'{w}_{i}.JPEG', f'{w}-{i}'.encode()) for i in (9, 10)])) for w in wnids]
val = [(f'ILSVRC2012_val_{i:08}.JPEG', f'val{i}'.encode()) for i in (3, 1, 2, 6, 5, 4)]
)" + change +
           R"(
open('ILSVRC2012_img_train.tar', 'wb').write(tar(train))
open('ILSVRC2012_img_val.tar', 'wb').write(tar(val))
)");
  }
  /// Shards by Python; `body` uses add(tar, name, text).
  void make_shards(const std::string& body) {
    python(
        "def add(t, name, text):\n"
        "    info = tarfile.TarInfo(name); info.size = len(text); t.addfile(info, "
        "io.BytesIO(text.encode()))\n" +
        body);
  }
  std::string webdataset_refusal(const std::string& train) {
    make_shards(
        "with tarfile.open('val-0.tar', 'w') as t: add(t, 'a.jpg', 'v'); add(t, 'a.cls', '0')\n"
        "with tarfile.open('train-0.tar', 'w') as t:\n    " +
        train + "\n");
    return refusal([&] { open_webdataset(folder_); });
  }
};

TEST_F(TarCollections, ImageNetsFilesGiveWhatTorchvisionSays) {
  make_imagenet();
  const auto expected =
      nlohmann::json::parse(text_of(std::string(GLIDEPATH_TEST_DATA) + "/images/devkit.json"));
  EXPECT_TRUE(holds_imagenet_tars(folder_));
  EXPECT_FALSE(holds_shards(folder_));
  const ImageCollection images = open_imagenet_tars(folder_);
  EXPECT_EQ(nlohmann::json(images.class_names), expected["class_names"]);
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < images.val->size(); ++i) {
    labels.push_back(images.val->label(i));
    EXPECT_EQ(bytes_of(*images.val, i), fmt::format("val{}", i + 1));
  }
  EXPECT_EQ(nlohmann::json(labels), expected["val_labels"]);
  EXPECT_THAT(all(*images.train, folder_),
              ElementsAre("0 ILSVRC2012_img_train.tar: n01440764/n01440764_10.JPEG n01440764-10",
                          "0 ILSVRC2012_img_train.tar: n01440764/n01440764_9.JPEG n01440764-9",
                          "1 ILSVRC2012_img_train.tar: n02100735/n02100735_10.JPEG n02100735-10",
                          "1 ILSVRC2012_img_train.tar: n02100735/n02100735_9.JPEG n02100735-9",
                          "2 ILSVRC2012_img_train.tar: n02119789/n02119789_10.JPEG n02119789-10",
                          "2 ILSVRC2012_img_train.tar: n02119789/n02119789_9.JPEG n02119789-9",
                          "3 ILSVRC2012_img_train.tar: n03000247/n03000247_10.JPEG n03000247-10",
                          "3 ILSVRC2012_img_train.tar: n03000247/n03000247_9.JPEG n03000247-9"));
}

TEST_F(TarCollections, SaysWhichOfImageNetsFilesIsMissingOrDoesNotFit) {
  const auto message = [&] { return refusal([&] { open_imagenet_tars(folder_); }); };
  make_imagenet("val.pop()\n");
  EXPECT_THAT(message(), HasSubstr("ILSVRC2012_img_val.tar: has 5 images"));
  fs::remove(folder_ / "ILSVRC2012_img_val.tar");
  EXPECT_THAT(message(), HasSubstr("ILSVRC2012_img_val.tar: missing"));
  fs::remove(kit());
  make_imagenet("train.pop()\n");
  EXPECT_THAT(message(), HasSubstr("has 3 of 4 classes, n02100735.tar is missing"));
  fs::remove(kit());
  make_imagenet("train[0] = ('n09999999.tar', train[0][1])\n");
  EXPECT_THAT(message(), HasSubstr("n09999999.tar is no class of "));
  fs::remove(kit());
  make_imagenet("train[1] = (train[1][0], train[1][1][:1600])\n");
  EXPECT_THAT(message(), HasSubstr("ILSVRC2012_img_train.tar: n01440764.tar: at byte "));
  const std::string whole = text_of(kit());
  write(kit(), whole.substr(0, whole.size() / 2));
  EXPECT_THAT(message(), HasSubstr("ILSVRC2012_devkit_t12.tar.gz: "));
}

TEST_F(TarCollections, ShardsGiveSamplesInTheOrderOfTheirNames) {
  make_shards(R"(
with tarfile.open('train-000001.tar', 'w') as t:
    add(t, 'a/2.png', 'two'); add(t, 'a/2.cls', ' 3\n'); add(t, 'a/2.json', 'not JSON')
    add(t, 'a/3.json', '{"label": 1, "width": 5}'); add(t, 'a/3.JPEG', 'three'); add(t, 'a/3.seg.png', 'not it')
with tarfile.open('train-000000.tar', 'w') as t:
    add(t, '1.jpg', 'one'); add(t, '1.cls', '0'); add(t, 'README', 'text'); add(t, '9.cls', '7')
os.mkdir('val')
with tarfile.open('val/x.tar', 'w') as t: add(t, '1.cls', '4'); add(t, '1.jpg', 'v')
)");
  EXPECT_TRUE(holds_shards(folder_));
  const ImageCollection images = open_webdataset(folder_);
  EXPECT_THAT(all(*images.train, folder_),
              ElementsAre("0 train-000000.tar: 1.jpg one", "3 train-000001.tar: a/2.png two",
                          "1 train-000001.tar: a/3.JPEG three"));
  EXPECT_THAT(all(*images.val, folder_), ElementsAre("4 val/x.tar: 1.jpg v"));
  EXPECT_THAT(images.class_names, ElementsAre("0", "1", "2", "3", "4"));
  write(folder_ / "classes.txt", "ant\nbee\ncat\ndog\neel\n");
  EXPECT_EQ(open_webdataset(folder_).class_names.back(), "eel");
  write(folder_ / "classes.txt", "ant\nbee\n");
  EXPECT_THAT(refusal([&] { open_webdataset(folder_); }),
              HasSubstr("classes.txt: 2 names, and the shards have the labels 0 to 4"));
  write(folder_ / "classes.txt", "ant\nbee\ncat\ndog\neel\nfox\n");
  EXPECT_THAT(refusal([&] { open_webdataset(folder_); }), HasSubstr("classes.txt: 6 names"));
}

// As Windows' editors leave it: with a byte-order mark, carriage returns, and blank lines.
TEST_F(TarCollections, ReadsClassesTxtAsEveryEditorLeavesIt) {
  make_shards(R"(
for name in ('train-0', 'val-0'):
    with tarfile.open(name + '.tar', 'w') as t:
        for i in range(3): add(t, f'{i}.jpg', 'x'); add(t, f'{i}.cls', str(i))
)");
  for (const char* text : {"\xEF\xBB\xBF"
                           "ant\r\nbee\r\ncat fish\r\n\r\n",
                           "ant\nbee\n\n cat fish", "ant\nbee\ncat fish\n"}) {
    write(folder_ / "classes.txt", text);
    EXPECT_THAT(open_webdataset(folder_).class_names, ElementsAre("ant", "bee", "cat fish"));
  }
  write(folder_ / "classes.txt", std::string("\xFF\xFE"
                                             "a\0n\0",
                                             6));
  EXPECT_THAT(refusal([&] { open_webdataset(folder_); }), HasSubstr("classes.txt: is no text in UTF-8"));
}

TEST_F(TarCollections, NamesMayHaveMoreDotsThanOne) {
  make_shards(R"(
with tarfile.open('train-0.tar', 'w') as t:
    add(t, 'img.v2.jpg', 'a'); add(t, 'img.v2.cls', '1')              # the name has the dot
    add(t, '17.input.png', 'b'); add(t, '17.cls', '2')                # the field has it
    add(t, 'p.1.jpg', 'c'); add(t, 'p.1.cls', '0'); add(t, 'p.2.jpg', 'd'); add(t, 'p.2.cls', '1')
    add(t, '9.seg.png', 'mask'); add(t, '9.webp', 'e'); add(t, '9.json', '{"label": 2}'); add(t, '9.txt', 'text')
    add(t, '10.avif', 'x'); add(t, '10.cls', '0'); add(t, '._11.jpg', 'x'); add(t, '__MACOSX/11.jpg', 'x')
with tarfile.open('val-0.tar', 'w') as t: add(t, 'v.JFIF', 'v'); add(t, 'v.cls', '0')
)");
  for (int i = 0; i < 2; ++i) {
    const ImageCollection images = open_webdataset(folder_);
    EXPECT_THAT(
        all(*images.train, folder_),
        ElementsAre("1 train-0.tar: img.v2.jpg a", "2 train-0.tar: 17.input.png b",
                    "0 train-0.tar: p.1.jpg c", "1 train-0.tar: p.2.jpg d", "2 train-0.tar: 9.webp e"));
    EXPECT_EQ(images.passed_by.text(), "4 files passed by: 1 .avif, 1 .cls, 1 .png, 1 .txt");
  }
  EXPECT_THAT(webdataset_refusal("add(t, '1.a.jpg', 'x'); add(t, '1.b.jpg', 'x'); add(t, '1.cls', '0')"),
              HasSubstr("train-0.tar: sample 1 has a second image, 1.b.jpg"));
}

TEST_F(TarCollections, LinksInShardsAreImages) {
  python(R"(
os.makedirs('s')
for i in range(3): open(f's/{i}.jpg', 'w').write(f'image {i}'); open(f's/{i}.cls', 'w').write(str(i))
os.link('s/0.jpg', 's/3.jpg'); os.link('s/1.cls', 's/3.cls'); os.symlink('1.jpg', 's/4.jpg'); os.symlink('0.cls', 's/4.cls')
os.symlink('gone.jpg', 's/5.jpg')
for name in ('train', 'val'): assert os.system(f'tar --sort=name -cf {name}.tar s') == 0
)");
  const ImageCollection images = open_webdataset(folder_);
  EXPECT_THAT(all(*images.train, folder_),
              testing::UnorderedElementsAre("0 train.tar: s/0.jpg image 0", "1 train.tar: s/1.jpg image 1",
                                            "2 train.tar: s/2.jpg image 2", "1 train.tar: s/3.jpg image 0",
                                            "0 train.tar: s/4.jpg image 1"));
  EXPECT_EQ(images.passed_by.text(), "2 files passed by: 2 link(s) to nothing") << "one of each split";
}

// They are unpacked once, and the copy is used as long as the file is the same.
TEST_F(TarCollections, CompressedShardsAreReadAsTheOthers) {
  const auto make = [&](const std::string& text) {
    python(fmt::format(R"(
import lzma, gzip, bz2
def tar(word):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as t:
        for i in range(2):
            for name, text in ((f'{{word}}{{i}}.jpg', f'{{word}} {{i}} {}'), (f'{{word}}{{i}}.cls', str(i))):
                info = tarfile.TarInfo(name); info.size = len(text); t.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()
open('train-0.tar.gz', 'wb').write(gzip.compress(tar('gz')))
open('train-1.tar.xz', 'wb').write(lzma.compress(tar('xz')))
open('train-2.tbz2', 'wb').write(bz2.compress(tar('bz')))
open('train-3.tar', 'wb').write(gzip.compress(tar('misnamed')))
open('train-4.tgz', 'wb').write(tar('plain'))
open('val-0.tar.gz', 'wb').write(gzip.compress(tar('v')[:700]) + gzip.compress(tar('v')[700:]))
)",
                       text));
  };
  make("one");
  std::vector<std::string> told;
  ImageChoice choice;
  choice.tell = [&](const std::string& line) { told.push_back(line); };
  const auto first = all(*open_webdataset(folder_, choice).train, folder_);
  EXPECT_THAT(first,
              ElementsAre("0 train-0.tar.gz: gz0.jpg gz 0 one", "1 train-0.tar.gz: gz1.jpg gz 1 one",
                          "0 train-1.tar.xz: xz0.jpg xz 0 one", "1 train-1.tar.xz: xz1.jpg xz 1 one",
                          "0 train-2.tbz2: bz0.jpg bz 0 one", "1 train-2.tbz2: bz1.jpg bz 1 one",
                          "0 train-3.tar: misnamed0.jpg misnamed 0 one",
                          "1 train-3.tar: misnamed1.jpg misnamed 1 one",
                          "0 train-4.tgz: plain0.jpg plain 0 one", "1 train-4.tgz: plain1.jpg plain 1 one"));
  EXPECT_EQ(told.size(), 5U);
  EXPECT_EQ(told[0], (folder_ / "train-0.tar.gz").string() +
                         " is compressed by gzip: unpacking it once into " +
                         (folder_ / "cache/glidepath/tar-unpacked").string());
  told.clear();
  EXPECT_EQ(all(*open_webdataset(folder_, choice).train, folder_), first);
  EXPECT_TRUE(told.empty());
  make("other");
  EXPECT_EQ(all(*open_webdataset(folder_, choice).train, folder_)[0], "0 train-0.tar.gz: gz0.jpg gz 0 other");
  std::size_t copies = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "cache/glidepath/tar-unpacked"))
    copies += entry.path().extension() == ".tar" ? 1 : 0;
  EXPECT_EQ(copies, 5U) << "old ones are removed";
  // Unpacked by hand, the compressed one is left where it was.
  python("import gzip; open('train-0.tar', 'wb').write(gzip.open('train-0.tar.gz').read())\n");
  EXPECT_EQ(all(*open_webdataset(folder_).train, folder_).size(), 10U);
}

TEST_F(TarCollections, SaysWhyACompressedShardCannotBeRead) {
  make_shards(R"(
import gzip
with tarfile.open('val-0.tar', 'w') as t: add(t, 'a.jpg', 'v'); add(t, 'a.cls', '0')
with tarfile.open('x', 'w') as t: add(t, 'a.jpg', os.urandom(30000).hex()); add(t, 'a.cls', '0')
open('train-0.tar.gz', 'wb').write(gzip.compress(open('x', 'rb').read())[:20000])
)");
  EXPECT_THAT(refusal([&] { open_webdataset(folder_); }),
              testing::AllOf(HasSubstr("train-0.tar.gz: is compressed by gzip, and "),
                             HasSubstr("copy or fetch it again")));
  write(folder_ / "train-0.tar.gz", std::string("\xFD"
                                                "7zXZ\0",
                                                6) +
                                        "junk");
  EXPECT_THAT(refusal([&] { open_webdataset(folder_); }), HasSubstr("train-0.tar.gz: is compressed by xz, "));
  fs::remove_all(folder_ / "cache");
  write(folder_ / "cache", "in the way of a folder");
  python("import gzip; open('train-0.tar.gz', 'wb').write(gzip.compress(open('x', 'rb').read()))\n");
  EXPECT_THAT(refusal([&] { open_webdataset(folder_); }), HasSubstr("cannot be unpacked into the cache: "));
  python("import gzip; open('train-0.tar.gz', 'wb').write(gzip.compress(bytes(200 << 20)))\n");
  fs::remove(folder_ / "cache");
  EXPECT_THAT(refusal([&] { open_webdataset(folder_); }), HasSubstr("unpacks to more than "));
}

// Kaggle's and fastai's names: tested on is the validation split, where there is one.
TEST_F(TarCollections, TestsOnValidationBeforeTest) {
  make_shards(R"(
for name in ('train-0', 'Test-0'):
    with tarfile.open(name + '.tar', 'w') as t: add(t, '1.jpg', name); add(t, '1.cls', '0')
os.mkdir('Valid')
)");
  EXPECT_EQ(open_webdataset(folder_).tested_on, "test");
  python(
      "os.rename('Test-0.tar', 'Valid/a.tar'); open('test-1.tar', 'wb').write(open('train-0.tar', "
      "'rb').read())\n");
  EXPECT_EQ(open_webdataset(folder_).tested_on, "valid");
  ImageChoice choice;
  choice.test_on = "test";
  EXPECT_EQ(open_webdataset(folder_, choice).tested_on, "test");
  choice.test_on = "dev";
  EXPECT_THAT(refusal([&] { open_webdataset(folder_, choice); }), HasSubstr("test_on \"dev\": "));
}

TEST_F(TarCollections, OpensMoreShardsThanAProcessMayHaveFiles) {
  make_shards(R"(
for name in ['val-0'] + [f'train-{i:02}' for i in range(40)]:
    with tarfile.open(name + '.tar', 'w') as t: add(t, '1.jpg', name); add(t, '1.cls', '0')
)");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 30;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_EQ(open_webdataset(folder_).train->size(), 40);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(TarCollections, SaysWhatIsWrongWithASample) {
  const std::string jpg = "add(t, 'a.jpg', 'x')", cls = "; add(t, 'a.cls', '1')";
  EXPECT_THAT(webdataset_refusal(jpg),
              HasSubstr("train-0.tar: sample a has no label: neither a.cls nor a.json"));
  EXPECT_THAT(webdataset_refusal(jpg + "; add(t, 'a.cls', 'cat')"),
              HasSubstr("train-0.tar: a.cls: label \"cat\" is not a whole number"));
  EXPECT_THAT(webdataset_refusal(jpg + "; add(t, 'a.cls', '')"),
              HasSubstr("label \"\" is not a whole number"));
  EXPECT_THAT(webdataset_refusal(jpg + "; add(t, 'a.cls', '-1')"),
              HasSubstr("label -1 is not in [0, 1000000)"));
  EXPECT_THAT(webdataset_refusal(jpg + "; add(t, 'a.cls', '1.5')"), HasSubstr("is not a whole number"));
  EXPECT_THAT(webdataset_refusal(jpg + "; add(t, 'a.json', '{\"label\": \"cat\"}')"),
              HasSubstr("a.json: is no JSON object whose \"label\" is a whole number"));
  EXPECT_THAT(webdataset_refusal(jpg + "; add(t, 'a.json', '{\"label\": 18446744073709551615}')"),
              HasSubstr("is not in [0, 1000000)"));
  EXPECT_THAT(webdataset_refusal(jpg + cls + "; add(t, 'a.png', 'x')"),
              HasSubstr("has a second image, a.png"));
  EXPECT_THAT(webdataset_refusal(jpg + cls + cls), HasSubstr("has a second label, a.cls"));
  EXPECT_THAT(webdataset_refusal(jpg + cls + "; add(t, 'b.txt', ''); " + jpg + cls),
              HasSubstr("sample a is there twice"));
  EXPECT_THAT(webdataset_refusal("add(t, 'a.txt', 'x')"),
              testing::AllOf(HasSubstr("no image (.jpg, "),
                             HasSubstr(") in the shards of train; 1 file passed by: 1 .txt")));
  EXPECT_EQ(webdataset_refusal(jpg + cls), "was not refused");
  fs::remove(folder_ / "val-0.tar");
  EXPECT_THAT(refusal([&] { open_webdataset(folder_); }), HasSubstr("no shard val*.tar and no val/*.tar"));
}

TEST_F(TarCollections, KeepsAnIndexAsLongAsTheFileIsTheSame) {
  const auto make = [&](const std::string& last) {
    make_shards(
        "with tarfile.open('val-0.tar', 'w') as t: add(t, 'a.jpg', 'v'); add(t, 'a.cls', '0')\n"
        "with tarfile.open('train-0.tar', 'w') as t:\n"
        "    for i in range(1500): add(t, f'{i:05}.jpg', f'image {i}'); add(t, f'{i:05}.cls', str(i % 7))\n"
        "    add(t, 'last.jpg', '" +
        last + "'); add(t, 'last.cls', '6')\n");
  };
  const auto indices = [&] {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder_ / "cache/glidepath/tar-index"))
      found.push_back(entry);
    return found;
  };
  make("one");
  const auto first = all(*open_webdataset(folder_).train, folder_);
  ASSERT_EQ(indices().size(), 1U) << "the small one is not kept";
  const auto made = fs::last_write_time(indices()[0]);
  EXPECT_EQ(all(*open_webdataset(folder_).train, folder_), first);
  EXPECT_EQ(fs::last_write_time(indices()[0]), made) << "used, not made again";

  std::string damaged = text_of(indices()[0]);
  damaged[damaged.size() / 2] ^= 1;
  write(indices()[0], damaged);
  EXPECT_EQ(all(*open_webdataset(folder_).train, folder_), first) << "a damaged one counts as none";
  EXPECT_NE(text_of(indices()[0]), damaged);

  make("other, longer");
  EXPECT_EQ(all(*open_webdataset(folder_).train, folder_).back(), "6 train-0.tar: last.jpg other, longer");

  fs::remove_all(folder_ / "cache");
  write(folder_ / "cache", "in the way of a folder");
  EXPECT_EQ(open_webdataset(folder_).train->size(), 1501) << "a cache that cannot be written does not matter";
}

}  // namespace
}  // namespace glidepath
