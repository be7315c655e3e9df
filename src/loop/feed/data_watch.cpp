// src/loop/feed/data_watch.cpp - what a run tells of its data, and does while they cannot be read.
#include "loop/feed/data_watch.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "data/images/corrupt_images.h"
#include "files/patience.h"

namespace glidepath {

DataWatch::DataWatch(const Dataset& dataset, Tell warn, Tell warn_of_images)
    : train_(dataset.train.corrupt),
      test_(dataset.test.corrupt),
      patience_(dataset.train.patience),
      warn_(std::move(warn)),
      warn_of_images_(std::move(warn_of_images)) {
  if (!patience_) return;
  patience_->set_while_waiting([this] {
    tell();
    if (may_stop_ > 0 && stop_if_asked_) stop_if_asked_();
  });
}

DataWatch::~DataWatch() {
  if (patience_) patience_->set_while_waiting({});
}

void DataWatch::tell() const {
  if (patience_ && warn_) {
    for (const std::string& line : patience_->take_news()) warn_(line);
  }
  for (const auto& images : {train_, test_}) {
    if (!images || !warn_of_images_) continue;
    for (const std::string& line : images->take_news()) warn_of_images_(line);
  }
}

bool DataWatch::has_news() const { return train_ && (train_->has_unshared() || test_->has_unshared()); }

void DataWatch::share(const Ranks& ranks) {
  for (const auto& images : {train_, test_}) {
    if (!images) continue;
    auto found = nlohmann::json::array();
    for (const SkippedImage& image : images->take_unshared())
      found.push_back({image.index, image.name, image.reason});
    const auto cbor =
        nlohmann::json::to_cbor(found);  // names of files need not be UTF-8, which JSON asks for
    for (const std::string& theirs : ranks.gather({cbor.begin(), cbor.end()})) {
      for (const auto& image : nlohmann::json::from_cbor(theirs))
        images->add(image[0].get<std::int64_t>(), image[1].get<std::string>(), image[2].get<std::string>());
    }
    images->take_unshared();  // of the others
  }
  tell();
}

void DataWatch::Kept::fields(StateFields& fields) {
  if (fields.has("corrupt_train")) fields.counts("corrupt_train", train);
  if (fields.has("corrupt_test")) fields.counts("corrupt_test", test);
}

void DataWatch::save(Saved& saved) const {
  const auto known = [](const std::shared_ptr<CorruptImages>& images) {
    return images ? std::vector<std::int64_t>(images->known().begin(), images->known().end())
                  : std::vector<std::int64_t>();
  };
  saved.state.put(Kept{known(train_), known(test_)});
}

void DataWatch::load(const Saved& saved) {
  if (!train_) return;
  const Kept kept = saved.state.get<Kept>();
  train_->set_known({kept.train.begin(), kept.train.end()});
  test_->set_known({kept.test.begin(), kept.test.end()});
}

std::string told_data(const Dataset& dataset) {
  return fmt::format("{} training images of {} classes; tested on the {} of {}", dataset.train.size(),
                     dataset.classes, dataset.test.size(), dataset.tested_on);
}

}  // namespace glidepath
