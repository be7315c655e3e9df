// src/data/sets/dataset.cpp - data sets by name. A new one is a line here, one in set_facts.cpp, an entry of
// catalogue.cpp that says where it comes from and, for a new format, a reader of its own.
#include "glidepath/dataset.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/data_names.h"
#include "core/own_name.h"
#include "data/fetch/locations.h"
#include "data/images/corrupt_images.h"
#include "data/images/open_images.h"
#include "data/own/own_sets.h"
#include "data/sets/readers.h"
#include "data/sets/set_facts.h"
#include "files/patience.h"
#include "glidepath/error.h"
#include "glidepath/examples.h"
#include "glidepath/fetch.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

void load_cifar10(Dataset& dataset, const fs::path& data_dir) {
  const fs::path folder = need_folder(data_source(dataset.name), data_dir);
  std::vector<fs::path> batches;
  for (int i = 1; i <= 5; ++i) batches.push_back(folder / fmt::format("data_batch_{}.bin", i));
  dataset.train = read_cifar(batches, 1, 10000, 10);
  dataset.test = read_cifar({folder / "test_batch.bin"}, 1, 10000, 10);
}

void load_cifar100(Dataset& dataset, const fs::path& data_dir) {
  const fs::path folder = need_folder(data_source(dataset.name), data_dir);
  dataset.train = read_cifar({folder / "train.bin"}, 2, 50000, 100);
  dataset.test = read_cifar({folder / "test.bin"}, 2, 10000, 100);
}

fs::path plain_or_gz(const fs::path& file) {
  std::error_code error;
  return fs::exists(file, error) ? file : fs::path(file.string() + ".gz");
}

void load_mnist_like(Dataset& dataset, const fs::path& data_dir) {
  const fs::path folder = need_folder(data_source(dataset.name), data_dir);
  dataset.train = read_idx(plain_or_gz(folder / "train-images-idx3-ubyte"),
                           plain_or_gz(folder / "train-labels-idx1-ubyte"), 60000, 28, 10);
  dataset.test = read_idx(plain_or_gz(folder / "t10k-images-idx3-ubyte"),
                          plain_or_gz(folder / "t10k-labels-idx1-ubyte"), 10000, 28, 10);
}

void load_digits(Dataset& dataset, const fs::path&) { std::tie(dataset.train, dataset.test) = read_digits(); }

Split stored_split(std::shared_ptr<const ImageStore> store, const char* name,
                   const std::shared_ptr<Patience>& patience) {
  Split split;
  split.patience = patience;
  split.corrupt = std::make_shared<CorruptImages>(name);
  split.corrupt->set_limit((store->size() + 99) / 100, "1%");
  split.labels = torch::empty({store->size()}, torch::kInt64);
  auto* labels = split.labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < store->size(); ++i) labels[i] = store->label(i);
  split.store = std::move(store);
  return split;
}

ImageChoice image_choice(const DataChoice& choice) { return {choice.split, choice.test_on, choice.tell}; }

void load_image_folder(Dataset& dataset, const fs::path& data_dir, const DataChoice& choice) {
  const fs::path path = images_path(dataset.name, data_dir);
  ImageCollection images = open_images(path, image_choice(choice));
  dataset.classes = static_cast<std::int64_t>(images.class_names.size());
  dataset.class_names = std::move(images.class_names);
  const auto patience = std::make_shared<Patience>(choice.wait_seconds);
  dataset.train = stored_split(std::move(images.train), "training", patience);
  dataset.test = stored_split(std::move(images.val), "test", patience);
  dataset.tested_on = images.tested_on;
  dataset.notes = std::move(images.notes);
}

/// Tells what a disk in trouble makes one wait for.
class TellingPatience {
 public:
  explicit TellingPatience(const DataChoice& choice) : choice_(choice), patience_(choice.wait_seconds) {
    patience_.set_on_news([this] { tell_news(); });
  }
  template <typename Load>
  auto load(const Load& load) {
    static const std::atomic<bool> kNever{false};
    return patience_.read(load, kNever);
  }

 private:
  void tell_news() {
    for (const std::string& line : patience_.take_news()) {
      if (choice_.tell) choice_.tell(line);
    }
  }

  const DataChoice& choice_;
  Patience patience_;
};

Dataset load_own(const std::string& name, const fs::path& data_dir, const DataChoice& choice) {
  Dataset dataset;
  dataset.name = name;
  load_own_set(dataset, own_path(name, data_dir), choice);
  const auto patience = std::make_shared<Patience>(choice.wait_seconds);
  for (Split* split : {&dataset.train, &dataset.test}) {
    if (split->examples) split->patience = patience;  // what is all in memory needs none, and asks nobody
  }
  return dataset;
}

using Loader = std::function<void(Dataset&, const fs::path&)>;

const std::vector<std::pair<std::string, Loader>>& loaders() {
  static const std::vector<std::pair<std::string, Loader>> list = {{"cifar10", load_cifar10},
                                                                   {"cifar100", load_cifar100},
                                                                   {"mnist", load_mnist_like},
                                                                   {"fashion-mnist", load_mnist_like},
                                                                   {"digits", load_digits}};
  return list;
}

/// What looks like a path, or lies there, was meant as one.
[[noreturn]] void refuse_name(const std::string& name) {
  if (name == kOwnName)
    throw InputError("data \"own\": a program's own, given to glidepath::train(); only that program has it");
  std::error_code error;
  if (name.find('/') != name.npos || fs::exists(name, error)) {
    throw InputError(
        fmt::format("data \"{}\": a folder or pack of images is given as imagefolder:{}", name, name));
  }
  throw InputError(
      fmt::format("data \"{}\": must be one of {}, or imagefolder:PATH, tensors:PATH, tokens:PATH or "
                  "segmentation:PATH",
                  name, fmt::join(dataset_names(), ", ")));
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

std::int64_t Split::size() const { return examples ? examples->size() : labels.size(0); }

Split Split::first(std::int64_t count) const {
  if (examples) {
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    Split part = *this;
    part.examples = selected_examples(examples, std::move(numbers));
    return part;
  }
  return {images.defined() ? images.narrow(0, 0, count) : images, labels.narrow(0, 0, count), store, corrupt,
          patience};
}

DatasetStatistics measure_statistics(const Dataset& dataset) {
  if (!dataset.in_memory())
    throw InputError(fmt::format("data \"{}\": its images are not in memory", dataset.name));
  DatasetStatistics statistics;
  for (std::int64_t channel = 0; channel < dataset.channels(); ++channel) {
    const torch::Tensor values = dataset.train.images.select(1, channel).to(torch::kFloat64) / 255;
    statistics.mean.push_back(values.mean().item<double>());
    statistics.stddev.push_back(values.std(/*unbiased=*/false).item<double>());
  }
  return statistics;
}

std::vector<std::int64_t> images_per_class(const Split& split, std::int64_t classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  const torch::Tensor labels = split.labels.cpu().contiguous();
  const auto* values = labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < labels.size(0); ++i) ++counts[static_cast<std::size_t>(values[i])];
  return counts;
}

Dataset load_dataset(const std::string& name, const fs::path& data_dir, const DataChoice& choice) {
  const bool is_stored = is_images_path(name), is_own = is_own_path(name);
  const auto& known = loaders();
  const auto loader =
      std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.first == name; });
  if (!is_stored && !is_own && loader == known.end()) refuse_name(name);
  if (!is_stored && !choice.split.empty())
    throw InputError(
        fmt::format("split \"{}\": for image folders alone; {} has splits of its own", choice.split, name));
  if (!is_stored && choice.test_on != "auto")
    throw InputError(fmt::format("test_on \"{}\": for image folders alone", choice.test_on));
  return TellingPatience(choice).load([&] {
    if (is_own) return load_own(name, data_dir, choice);
    const SetFacts facts = set_facts(is_stored ? "imagefolder:" : name).value();
    Dataset dataset;
    dataset.name = name;
    dataset.classes = facts.classes;
    dataset.class_names = facts.class_names;
    dataset.mean = facts.mean;
    dataset.stddev = facts.stddev;
    dataset.flip = facts.flip;
    if (is_stored) {
      load_image_folder(dataset, data_dir, choice);
    } else {
      loader->second(dataset, data_dir);
    }
    return dataset;
  });
}

void require_dataset(const std::string& name, const fs::path& data_dir, const DataChoice& choice) {
  if (is_images_path(name)) return require_images(images_path(name, data_dir), image_choice(choice));
  if (is_own_path(name)) return require_own_set(own_path(name, data_dir));
  const auto& names = dataset_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) refuse_name(name);
  if (name != "digits") need_folder(data_source(name), data_dir);
}

}  // namespace glidepath
