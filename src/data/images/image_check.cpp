// src/data/images/image_check.cpp - every image of a data set looked at: whether it is whole, and what its
// colours are.
#include <array>
#include <cmath>

#include "data/formats/decode.h"
#include "data/images/image_work.h"
#include "data/images/open_images.h"
#include "data/images/transforms.h"
#include "data/packs/pack_store.h"
#include "glidepath/image_pack.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr int kResize = 256, kSize = 224;
constexpr std::size_t kChannels = 3;

struct Checker {
  ImageDecoder decoder;
  std::vector<unsigned char> buffer;
};

struct Measurer {
  ImageTransformer transformer;
  std::vector<unsigned char> buffer;
};

/// Means of a picture's values and of their squares, on the [0, 1] scale.
struct Moments {
  std::array<double, kChannels> first{}, second{};
};

Moments moments_of(const unsigned char* pixels) {
  std::array<std::uint64_t, kChannels> sum{}, squares{};
  for (int i = 0; i < kSize * kSize; ++i, pixels += 4) {
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      const std::uint64_t value = pixels[channel];
      sum[channel] += value;
      squares[channel] += value * value;
    }
  }
  Moments moments;
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    moments.first[channel] = static_cast<double>(sum[channel]) / (255.0 * kSize * kSize);
    moments.second[channel] = static_cast<double>(squares[channel]) / (255.0 * 255 * kSize * kSize);
  }
  return moments;
}

}  // namespace

ImageCheck check_images(const fs::path& source, const PackOptions& options) {
  const ImageCollection images = open_images(source, {options.split, options.test_on, options.on_note});
  const bool decode = !is_pack(source);
  ImageCheck check;
  check.train = images.train->size();
  check.val = images.val->size();
  check.tested_on = images.tested_on;
  check.notes = images.notes;
  PatientReader reader(options);
  ImageWorkProgress progress(options, check.train + check.val);
  for (const auto& store : {images.train, images.val}) {
    for_each_image<Checker, char>(
        *store, options, progress, reader, [] { return std::make_unique<Checker>(); },
        [&](Checker& checker, std::int64_t index) {
          const StoredImage stored = store->read(index, checker.buffer);
          if (!decode) return '\0';
          const ImageSize size = checker.decoder.open(stored);
          checker.decoder.decode({0, 0, size.width, size.height});
          return '\0';
        },
        [&](std::int64_t index, WorkedImage<char>& item) {
          if (!item.problem.empty()) check.problems.push_back(store->name(index) + ": " + item.problem);
        });
  }
  return check;
}

ImageStatistics measure_images(const fs::path& source, const PackOptions& options) {
  const ImageCollection images = open_images(source, {options.split, options.test_on, options.on_note});
  const ImageStore& store = *images.train;
  PatientReader reader(options);
  ImageWorkProgress progress(options, store.size());
  ImageStatistics statistics;
  Moments sums;
  for_each_image<Measurer, Moments>(
      store, options, progress, reader, [] { return std::make_unique<Measurer>(); },
      [&](Measurer& measurer, std::int64_t index) {
        measurer.transformer.open(reader.read(store, index, measurer.buffer));
        return moments_of(measurer.transformer.centre_crop(kResize, kSize));
      },
      [&](std::int64_t, WorkedImage<Moments>& item) {
        if (!item.problem.empty()) {
          ++statistics.corrupt;
          return;
        }
        ++statistics.images;
        for (std::size_t channel = 0; channel < kChannels; ++channel) {
          sums.first[channel] += item.result.first[channel];
          sums.second[channel] += item.result.second[channel];
        }
      });
  if (statistics.images == 0) throw RunError(source.string() + ": no training image can be decoded");
  const auto count = static_cast<double>(statistics.images);
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    const double mean = sums.first[channel] / count;
    statistics.mean.push_back(mean);
    statistics.stddev.push_back(std::sqrt(std::max(0.0, sums.second[channel] / count - mean * mean)));
  }
  return statistics;
}

}  // namespace glidepath
