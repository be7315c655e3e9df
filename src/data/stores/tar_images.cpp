// src/data/stores/tar_images.cpp - the images inside tar files, as a store.
#include "data/stores/tar_images.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {

void TarImages::add(const std::string& name, std::uint64_t offset, std::uint64_t bytes, std::int32_t label,
                    const std::string& place) {
  if (bytes > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError(fmt::format("{}: {} has {} bytes; an image has less than 4 GiB", place, name, bytes));
  }
  names += name;
  images.push_back({offset, names.size(), static_cast<std::uint32_t>(bytes), label});
}

std::string_view TarImages::name(std::size_t index) const {
  const std::uint64_t begin = index == 0 ? 0 : images[index - 1].name_end;
  return std::string_view(names).substr(begin, images[index].name_end - begin);
}

void TarImages::sort_by_name() {
  std::vector<std::size_t> order(images.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [this](std::size_t a, std::size_t b) { return name(a) < name(b); });
  TarImages sorted;
  sorted.passed_by = passed_by;
  sorted.images.reserve(images.size());
  sorted.names.reserve(names.size());
  for (const std::size_t index : order) {
    Image image = images[index];
    sorted.names += name(index);
    image.name_end = sorted.names.size();
    sorted.images.push_back(image);
  }
  *this = std::move(sorted);
}

TarStore::TarStore(std::vector<Part> parts) : parts_(std::move(parts)), begins_{0} {
  for (const Part& part : parts_) {
    begins_.push_back(begins_.back() + static_cast<std::int64_t>(part.images.images.size()));
  }
}

std::int64_t TarStore::size() const { return begins_.back(); }

TarStore::Place TarStore::find(std::int64_t index) const {
  if (index < 0 || index >= size()) {
    throw InternalError(fmt::format("image {} of {} was asked for", index, size()));
  }
  const auto after = std::upper_bound(begins_.begin(), begins_.end(), index);
  const auto part = static_cast<std::size_t>(after - begins_.begin() - 1);
  return {parts_[part], static_cast<std::size_t>(index - begins_[part])};
}

std::int64_t TarStore::label(std::int64_t index) const {
  const Place place = find(index);
  return place.part.images.images[place.index].label;
}

std::string TarStore::name(std::int64_t index) const {
  const Place place = find(index);
  return fmt::format("{}: {}", place.part.file->path().string(), place.part.images.name(place.index));
}

std::string TarStore::local_name(std::int64_t index) const {
  const Place place = find(index);
  return fmt::format("{}: {}", place.part.file->path().filename().string(),
                     place.part.images.name(place.index));
}

std::uint64_t TarStore::fingerprint(std::int64_t index) const {
  const Place place = find(index);
  return place.part.images.images[place.index].bytes;
}

StoredImage TarStore::read(std::int64_t index, std::vector<unsigned char>& buffer) const {
  const Place place = find(index);
  const TarImages::Image& image = place.part.images.images[place.index];
  buffer.resize(image.bytes);
  place.part.file->read(buffer.data(), buffer.size(), image.offset);
  StoredImage stored;
  stored.data = buffer.data();
  stored.bytes = buffer.size();
  return stored;
}

}  // namespace glidepath
