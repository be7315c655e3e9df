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
    add(t, 'a/1.5.jpg', 'not the field jpg')
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
  EXPECT_THAT(refusal([&] { open_webdataset(folder_); }), HasSubstr("classes.txt: 2 lines"));
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
              HasSubstr("no image (.jpg, .jpeg, .png) in the shards of train"));
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
