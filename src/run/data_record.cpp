// src/run/data_record.cpp - which data a run trains on, so that it does not go on with others.
#include "run/data_record.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "config/toml.h"
#include "data/images/image_store.h"
#include "files/checksum.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "glidepath/examples.h"
#include "run/json_count.h"

namespace glidepath {
namespace {

// A folder asks its disk for each, which takes 0.5 ms on a slow one.
constexpr std::int64_t kFingerprints = 4096;
constexpr std::int64_t kImagesInMemory = 1000;
constexpr std::int64_t kOwnExamples = 64;

void add_number(Hasher& hasher, std::uint64_t number) { hasher.add(&number, sizeof number); }

void add_text(Hasher& hasher, const std::string& text) {
  add_number(hasher, text.size());
  hasher.add(text.data(), text.size());
}

void add_stored(Hasher& hasher, const ImageStore& store) {
  const std::int64_t count = store.size(), some = std::min(count, kFingerprints);
  add_number(hasher, static_cast<std::uint64_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    add_text(hasher, store.local_name(i));
    add_number(hasher, static_cast<std::uint64_t>(store.label(i)));
  }
  for (std::int64_t i = 0; i < some; ++i) add_number(hasher, store.fingerprint(i * count / some));
}

void add_held(Hasher& hasher, const Split& split) {
  const std::int64_t count = split.size(), some = std::min(count, kImagesInMemory);
  const torch::Tensor labels = split.labels.contiguous();
  hasher.add(labels.data_ptr(), labels.nbytes());
  for (std::int64_t i = 0; i < some; ++i) {
    const torch::Tensor image = split.images[i * count / some].contiguous();
    hasher.add(image.data_ptr(), image.nbytes());
  }
}

/// Some, as they are made for tests.
void add_own(Hasher& hasher, const Examples& examples) {
  const std::int64_t count = examples.size(), some = std::min(count, kOwnExamples);
  add_number(hasher, static_cast<std::uint64_t>(count));
  Examples::Request request;
  for (std::int64_t i = 0; i < some; ++i) request.numbers.push_back(i * count / some);
  const Batch batch = examples.batch(request);
  for (const Values* values : {&batch.inputs, &batch.targets}) {
    for (const torch::Tensor& each : *values) {
      const torch::Tensor bytes = each.contiguous();
      hasher.add(bytes.data_ptr(), bytes.nbytes());
    }
  }
}

/// A string as JSON and TOML both read it; what is no UTF-8 in it is replaced.
std::string quoted(const std::string& text) {
  std::string result = json_text(nlohmann::json(text));
  for (std::size_t at = result.find('\x7F'); at != result.npos; at = result.find('\x7F', at))
    result.replace(at, 1, "\\u007F");  // TOML wants it escaped, too
  return result;
}

}  // namespace

bool DataRecord::operator==(const DataRecord& other) const {
  const auto all = [](const DataRecord& record) {
    return std::tie(record.train_images, record.test_images, record.classes, record.tested_on,
                    record.class_names, record.images);
  };
  return all(*this) == all(other);
}

std::vector<std::string> names_of_classes(const Dataset& dataset) {
  std::vector<std::string> names = dataset.class_names;
  for (auto i = static_cast<std::int64_t>(names.size()); i < dataset.classes; ++i)
    names.push_back(std::to_string(i));
  return names;
}

DataRecord describe_data(const Dataset& dataset) {
  DataRecord record;
  record.train_images = dataset.train.size();
  record.test_images = dataset.test.size();
  record.classes = dataset.classes;
  // As config.toml and checkpoints can keep it: names of folders need not be UTF-8.
  record.tested_on = parse_json(quoted(dataset.tested_on)).get<std::string>();
  Hasher names("sha256"), images("sha256");
  for (const std::string& name : names_of_classes(dataset)) add_text(names, name);
  for (const Split* split : {&dataset.train, &dataset.test}) {
    if (split->examples) {
      add_own(images, *split->examples);
    } else if (split->store) {
      add_stored(images, *split->store);
    } else {
      add_held(images, *split);
    }
  }
  record.class_names = names.finish();
  record.images = images.finish();
  return record;
}

std::string difference(const DataRecord& then, const DataRecord& now,
                       const std::vector<std::string>& names_then,
                       const std::vector<std::string>& names_now) {
  std::vector<std::string> found;
  const auto compare = [&](std::int64_t before, std::int64_t after, const char* what) {
    if (before != after) found.push_back(fmt::format("{} {}, not {}", after, what, before));
  };
  compare(then.train_images, now.train_images, "training images");
  compare(then.test_images, now.test_images, "test images");
  if (then.tested_on != now.tested_on)
    found.push_back(fmt::format("tested on \"{}\", not \"{}\"", now.tested_on, then.tested_on));
  compare(then.classes, now.classes, "classes");
  if (then.class_names != now.class_names) {
    const std::size_t both = std::min(names_then.size(), names_now.size());
    const auto at = static_cast<std::size_t>(
        std::mismatch(names_then.begin(), names_then.begin() + static_cast<std::ptrdiff_t>(both),
                      names_now.begin())
            .first -
        names_then.begin());
    found.push_back(at < both
                        ? fmt::format("class {} is \"{}\", not \"{}\"", at, names_now[at], names_then[at])
                        : "classes of other names");
  }
  if (found.empty() && then.images != now.images)
    found.push_back("as many images, of other names, sizes or labels");
  return fmt::format("{}", fmt::join(found, "; "));
}

std::string to_toml(const DataRecord& record) {
  return fmt::format(
      "\n# The data that it trains on; told, and compared when it is gone on with.\n[dataset]\ntrain_images "
      "= {}\n"
      "test_images = {}\ntested_on = {}\nclasses = {}\nclass_names = \"{}\"\nimages = \"{}\"\n",
      record.train_images, record.test_images, quoted(record.tested_on), record.classes, record.class_names,
      record.images);
}

std::optional<DataRecord> data_record_in(const std::string& config_toml) {
  const toml::table config = parse_toml(config_toml, "config.toml");
  const toml::table* found = config["dataset"].as_table();
  if (found == nullptr) return std::nullopt;
  const toml::table& table = *found;
  DataRecord record;
  record.train_images = table["train_images"].value_or(std::int64_t{0});
  record.test_images = table["test_images"].value_or(std::int64_t{0});
  record.classes = table["classes"].value_or(std::int64_t{0});
  record.tested_on = table["tested_on"].value_or(std::string());
  record.class_names = table["class_names"].value_or(std::string());
  record.images = table["images"].value_or(std::string());
  return record;
}

nlohmann::json to_json(const DataRecord& record) {
  return {{"train_images", record.train_images}, {"test_images", record.test_images},
          {"classes", record.classes},           {"tested_on", record.tested_on},
          {"class_names", record.class_names},   {"images", record.images}};
}

nlohmann::json to_json(const std::optional<DataRecord>& record) {
  return record ? to_json(*record) : nlohmann::json();
}

std::optional<DataRecord> data_record_from(const nlohmann::json& json) {
  if (json.is_null()) return std::nullopt;
  DataRecord record;
  record.train_images = count_at(json, "train_images");
  record.test_images = count_at(json, "test_images");
  record.classes = count_at(json, "classes");
  record.tested_on = json.at("tested_on");
  record.class_names = json.at("class_names");
  record.images = json.at("images");
  return record;
}

std::string class_names_json(const std::vector<std::string>& names) {
  return json_text(nlohmann::json(names), 2) + "\n";
}

std::vector<std::string> class_names_from(const std::string& text) {
  const auto json = try_parse_json(text);
  std::vector<std::string> names;
  if (!json.is_array()) return names;
  for (const auto& name : json) names.push_back(name.is_string() ? name.get<std::string>() : "");
  return names;
}

}  // namespace glidepath
