// src/data/dataset.cpp - data sets by name. A new one is a line here, an entry of catalogue.cpp that says
// where it comes from and, for a new format, a reader of its own.
#include "glidepath/dataset.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/images/corrupt_images.h"
#include "data/images/open_images.h"
#include "data/locations.h"
#include "data/readers.h"
#include "glidepath/error.h"
#include "glidepath/fetch.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

void load_cifar10(Dataset& dataset, const fs::path& data_dir) {
  const fs::path folder = need_folder(data_source(dataset.name), data_dir);
  std::vector<fs::path> batches;
  for (int i = 1; i <= 5; ++i) batches.push_back(folder / fmt::format("data_batch_{}.bin", i));
  dataset.classes = 10;
  dataset.class_names = {"airplane", "automobile", "bird",  "cat",  "deer",
                         "dog",      "frog",       "horse", "ship", "truck"};
  dataset.mean = {0.4914F, 0.4822F, 0.4465F};
  dataset.stddev = {0.2470F, 0.2435F, 0.2616F};
  dataset.train = read_cifar(batches, 1, 10000, 10);
  dataset.test = read_cifar({folder / "test_batch.bin"}, 1, 10000, 10);
}

void load_cifar100(Dataset& dataset, const fs::path& data_dir) {
  const fs::path folder = need_folder(data_source(dataset.name), data_dir);
  dataset.classes = 100;
  dataset.mean = {0.5071F, 0.4865F, 0.4409F};
  dataset.stddev = {0.2673F, 0.2564F, 0.2762F};
  dataset.train = read_cifar({folder / "train.bin"}, 2, 50000, 100);
  dataset.test = read_cifar({folder / "test.bin"}, 2, 10000, 100);
}

fs::path plain_or_gz(const fs::path& file) {
  std::error_code error;
  return fs::exists(file, error) ? file : fs::path(file.string() + ".gz");
}

void load_mnist_like(Dataset& dataset, const fs::path& data_dir) {
  const fs::path folder = need_folder(data_source(dataset.name), data_dir);
  dataset.classes = 10;
  dataset.train = read_idx(plain_or_gz(folder / "train-images-idx3-ubyte"),
                           plain_or_gz(folder / "train-labels-idx1-ubyte"), 60000, 28, 10);
  dataset.test = read_idx(plain_or_gz(folder / "t10k-images-idx3-ubyte"),
                          plain_or_gz(folder / "t10k-labels-idx1-ubyte"), 10000, 28, 10);
}

void load_mnist(Dataset& dataset, const fs::path& data_dir) {
  load_mnist_like(dataset, data_dir);
  dataset.mean = {0.1307F};
  dataset.stddev = {0.3081F};
  dataset.flip = false;  // a mirrored digit is another sign
}

void load_fashion_mnist(Dataset& dataset, const fs::path& data_dir) {
  load_mnist_like(dataset, data_dir);
  dataset.class_names = {"T-shirt/top", "trouser", "pullover", "dress", "coat",
                         "sandal",      "shirt",   "sneaker",  "bag",   "ankle boot"};
  dataset.mean = {0.2860F};
  dataset.stddev = {0.3530F};
}

void load_digits(Dataset& dataset, const fs::path&) {
  dataset.classes = 10;
  dataset.mean = {0.3053F};
  dataset.stddev = {0.3760F};
  dataset.flip = false;
  std::tie(dataset.train, dataset.test) = read_digits();
}

Split stored_split(std::shared_ptr<const ImageStore> store, const char* name) {
  Split split;
  split.corrupt = std::make_shared<CorruptImages>(name);
  split.corrupt->set_limit((store->size() + 99) / 100, "1%");
  split.labels = torch::empty({store->size()}, torch::kInt64);
  auto* labels = split.labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < store->size(); ++i) labels[i] = store->label(i);
  split.store = std::move(store);
  return split;
}

void load_image_folder(Dataset& dataset, const fs::path& data_dir) {
  ImageCollection images = open_images(images_path(dataset.name, data_dir));
  dataset.classes = static_cast<std::int64_t>(images.class_names.size());
  dataset.class_names = std::move(images.class_names);
  dataset.mean = {0.485F, 0.456F, 0.406F};  // ImageNet's, as everyone uses them
  dataset.stddev = {0.229F, 0.224F, 0.225F};
  dataset.train = stored_split(std::move(images.train), "training");
  dataset.test = stored_split(std::move(images.val), "test");
}

using Loader = std::function<void(Dataset&, const fs::path&)>;

const std::vector<std::pair<std::string, Loader>>& loaders() {
  static const std::vector<std::pair<std::string, Loader>> list = {{"cifar10", load_cifar10},
                                                                   {"cifar100", load_cifar100},
                                                                   {"mnist", load_mnist},
                                                                   {"fashion-mnist", load_fashion_mnist},
                                                                   {"digits", load_digits}};
  return list;
}

[[noreturn]] void refuse_name(const std::string& name) {
  throw InputError(fmt::format("data \"{}\": must be one of {}, or imagefolder:PATH", name,
                               fmt::join(dataset_names(), ", ")));
}

}  // namespace

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& loader : loaders()) list.push_back(loader.first);
    return list;
  }();
  return names;
}

Split Split::first(std::int64_t count) const {
  return {images.defined() ? images.narrow(0, 0, count) : images, labels.narrow(0, 0, count), store, corrupt};
}

Dataset load_dataset(const std::string& name, const fs::path& data_dir) {
  if (is_images_path(name)) {
    Dataset dataset;
    dataset.name = name;
    load_image_folder(dataset, data_dir);
    return dataset;
  }
  for (const auto& [known, load] : loaders()) {
    if (known != name) continue;
    Dataset dataset;
    dataset.name = name;
    load(dataset, data_dir);
    return dataset;
  }
  refuse_name(name);
}

void require_dataset(const std::string& name, const fs::path& data_dir) {
  if (is_images_path(name)) return require_images(images_path(name, data_dir));
  const auto& names = dataset_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) refuse_name(name);
  if (name != "digits") need_folder(data_source(name), data_dir);
}

}  // namespace glidepath
