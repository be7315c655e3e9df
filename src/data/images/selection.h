// src/data/images/selection.h - some of a store's images, evenly spread over it.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "data/images/image_store.h"

namespace glidepath {

/// `count` of the images, in their order. A store has one class after the other: the first few would be of
/// one class alone.
class SpreadSelection : public ImageStore {
 public:
  SpreadSelection(std::shared_ptr<const ImageStore> all, std::int64_t count)
      : all_(std::move(all)), count_(count) {}

  std::int64_t size() const override { return count_; }
  std::int64_t label(std::int64_t index) const override { return all_->label(at(index)); }
  std::string name(std::int64_t index) const override { return all_->name(at(index)); }
  std::string local_name(std::int64_t index) const override { return all_->local_name(at(index)); }
  std::uint64_t fingerprint(std::int64_t index) const override { return all_->fingerprint(at(index)); }
  StoredImage read(std::int64_t index, std::vector<unsigned char>& buffer) const override {
    return all_->read(at(index), buffer);
  }

 private:
  std::int64_t at(std::int64_t index) const { return index * all_->size() / count_; }

  std::shared_ptr<const ImageStore> all_;
  std::int64_t count_;
};

}  // namespace glidepath
