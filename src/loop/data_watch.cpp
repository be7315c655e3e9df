// src/loop/data_watch.cpp - what a run tells of its data, and does while they cannot be read.
#include "loop/data_watch.h"

#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "files/patience.h"

namespace glidepath {

DataWatch::DataWatch(const Dataset& dataset, Tell warn)
    : patience_(dataset.train.patience), warn_(std::move(warn)) {
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
  if (!patience_ || !warn_) return;
  for (const std::string& line : patience_->take_news()) warn_(line);
}

std::string told_data(const Dataset& dataset) {
  return fmt::format("{} training images of {} classes; tested on the {} of {}", dataset.train.size(),
                     dataset.classes, dataset.test.size(), dataset.tested_on);
}

}  // namespace glidepath
