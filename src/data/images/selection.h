// src/data/images/selection.h - some of a store's images.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/images/image_store.h"

namespace glidepath {

/// In the order of `indices`.
class Selection : public ImageStore {
 public:
  Selection(std::shared_ptr<const ImageStore> all, std::vector<std::int64_t> indices)
      : all_(std::move(all)), indices_(std::move(indices)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  std::int64_t label(std::int64_t index) const override { return all_->label(at(index)); }
  std::string name(std::int64_t index) const override { return all_->name(at(index)); }
  std::string local_name(std::int64_t index) const override { return all_->local_name(at(index)); }
  std::uint64_t fingerprint(std::int64_t index) const override { return all_->fingerprint(at(index)); }
  StoredImage read(std::int64_t index, std::vector<unsigned char>& buffer) const override {
    return all_->read(at(index), buffer);
  }

 private:
  std::int64_t at(std::int64_t index) const { return indices_[static_cast<std::size_t>(index)]; }

  std::shared_ptr<const ImageStore> all_;
  std::vector<std::int64_t> indices_;
};

/// `count` of the images, evenly spread over the store and in its order: it has one class after the other, so
/// the first few would be of one class alone.
inline std::shared_ptr<const ImageStore> spread_selection(const std::shared_ptr<const ImageStore>& all,
                                                          std::int64_t count) {
  std::vector<std::int64_t> indices;
  indices.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) indices.push_back(i * all->size() / count);
  return std::make_shared<Selection>(all, std::move(indices));
}

}  // namespace glidepath
