// src/data/images/image_pack.cpp - packs made, by several threads.
#include "glidepath/image_pack.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "core/words.h"
#include "data/formats/decode.h"
#include "data/formats/encode_jpeg.h"
#include "data/images/corrupt_images.h"
#include "data/images/image_work.h"
#include "data/images/open_images.h"
#include "data/images/resample.h"
#include "data/packs/pack_file_writer.h"
#include "data/packs/pack_store.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// What makes an image of a pack. One for each thread.
class ImagePacker {
 public:
  ImagePacker(const PackOptions& options, PatientReader& reader)
      : options_(options), reader_(reader), decoder_(options.exif_orientation) {}

  PackedImage pack(const ImageStore& store, std::int64_t index) {
    const StoredImage stored = reader_.read(store, index, buffer_);
    const ImageSize size = decoder_.open(stored);
    const ImageSize wanted = wanted_size(size);
    // Decoded even when it stays as it is: a pack holds nothing that cannot be used.
    const DecodedArea area = decoder_.decode({0, 0, size.width, size.height});
    PackedImage image;
    image.width = wanted.width;
    image.height = wanted.height;
    image.is_rgb = options_.rgb;
    const bool same = wanted.width == size.width && wanted.height == size.height;
    if (!options_.rgb && same && stored.kind == StoredImage::Kind::kFile && !is_turned(stored)) {
      image.data.assign(stored.data, stored.data + stored.bytes);
      return image;
    }
    const unsigned char* pixels = same ? area.pixels : resized(area, size, wanted);
    if (options_.rgb) {
      image.data = without_fourth(pixels, wanted);
    } else {
      image.data = encode_jpeg(pixels, wanted.width, wanted.height, static_cast<int>(options_.quality));
    }
    return image;
  }

 private:
  bool is_turned(const StoredImage& stored) const {
    return options_.exif_orientation && exif_orientation_of(stored.data, stored.bytes) != 1;
  }
  ImageSize wanted_size(const ImageSize& size) const {
    const std::int64_t shorter = std::min(size.width, size.height),
                       longer = std::max(size.width, size.height);
    std::int64_t short_side = shorter, long_side = longer;
    if (options_.resize > 0 && shorter > options_.resize) {
      short_side = options_.resize;
      long_side = options_.resize * longer / shorter;  // cut off, as torchvision does
    } else if (options_.max_side > 0 && longer > options_.max_side) {
      long_side = options_.max_side;
      short_side = std::max<std::int64_t>(1, options_.max_side * shorter / longer);
    }
    const auto small = static_cast<int>(short_side), large = static_cast<int>(long_side);
    return size.width < size.height ? ImageSize{small, large} : ImageSize{large, small};
  }
  const unsigned char* resized(const DecodedArea& area, const ImageSize& from, const ImageSize& to) {
    across_.plan(0, from.width, 0, from.width, to.width, 0, to.width);
    down_.plan(0, from.height, 0, from.height, to.height, 0, to.height);
    resampler_.resize(area, across_, down_, pixels_);
    return pixels_.data();
  }
  static std::vector<unsigned char> without_fourth(const unsigned char* pixels, const ImageSize& size) {
    const std::size_t count = static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
    std::vector<unsigned char> rgb(3 * count);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t channel = 0; channel < 3; ++channel) rgb[3 * i + channel] = pixels[4 * i + channel];
    }
    return rgb;
  }

  const PackOptions& options_;
  PatientReader& reader_;
  ImageDecoder decoder_;
  Resampler resampler_;
  ResampleAxis across_, down_;
  std::vector<unsigned char> buffer_, pixels_;
};

std::int64_t corrupt_limit(const std::string& text, std::int64_t images) {
  const auto [number, unit] = words::split_number(text);
  const auto value = words::number(number);
  if (value && *value >= 0 && unit == "%" && *value <= 100) {
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(images) * *value / 100));
  }
  if (value && *value >= 0 && unit.empty() && *value == std::floor(*value) && *value < 1e15) {
    return static_cast<std::int64_t>(*value);
  }
  throw InputError(
      fmt::format("max_corrupt \"{}\": must be a share of a split's images or a number of them, for "
                  "example 1% or 25",
                  text));
}

void check_options(const PackOptions& options) {
  const auto require = [](bool holds, const char* key, std::int64_t value, const char* wanted) {
    if (!holds) throw InputError(fmt::format("{} \"{}\": must be {}", key, value, wanted));
  };
  constexpr std::int64_t kMostSide = 65500;  // JPEG's
  require(options.resize >= 0 && options.resize <= kMostSide, "resize", options.resize,
          "in [1, 65500], or 0: none");
  require(options.max_side >= 0 && options.max_side <= kMostSide, "max_side", options.max_side,
          "in [1, 65500], or 0: none");
  require(options.quality >= 1 && options.quality <= 100, "quality", options.quality, "in [1, 100]");
  require(options.jobs >= 0 && options.jobs <= 1024, "jobs", options.jobs, "in [1, 1024], or 0: every core");
  if (options.resize > 0 && options.max_side > 0) {
    throw InputError("resize and max_side: give one of them, the shorter side or the longer");
  }
  corrupt_limit(options.max_corrupt, 0);
}

std::string settings_text(const PackOptions& options) {
  std::string text = "sizes as they were";
  if (options.resize > 0) text = fmt::format("shorter side at most {}", options.resize);
  if (options.max_side > 0) text = fmt::format("longer side at most {}", options.max_side);
  if (options.exif_orientation) text += ", upright by EXIF";
  return text + (options.rgb ? ", RGB pixels" : fmt::format(", JPEG quality {}", options.quality));
}

}  // namespace

PackResult pack_images(const fs::path& source, const fs::path& out, const PackOptions& options) {
  check_options(options);
  const auto start = std::chrono::steady_clock::now();
  const ImageCollection images = open_images(source, {options.split, options.test_on, options.on_note});
  std::error_code error;
  if (fs::exists(out, error) && fs::equivalent(source, out, error)) {
    throw InputError(fmt::format("{}: is the source itself; give the pack another name", out.string()));
  }
  if (fs::is_directory(out, error))
    throw InputError(fmt::format("{}: is a folder; a pack is one file, for example {}", out.string(),
                                 (out / "images.gpk").string()));
  PackFileWriter writer(out, settings_text(options), images.class_names);
  // Names in the pack are those below the source's folder.
  const std::string folder = (source / "").string();
  const auto short_name = [&](const std::string& name) {
    return name.rfind(folder, 0) == 0 ? name.substr(folder.size()) : name;
  };
  PackResult result;
  result.notes = images.notes;
  PatientReader reader(options);
  ImageWorkProgress progress(options, images.train->size() + images.val->size());
  const auto add_split = [&](const ImageStore& store, PackFileWriter::Split split, const char* called) {
    CorruptImages corrupt(called);
    corrupt.set_limit(corrupt_limit(options.max_corrupt, store.size()), options.max_corrupt);
    for_each_image<ImagePacker, PackedImage>(
        store, options, progress, reader, [&] { return std::make_unique<ImagePacker>(options, reader); },
        [&](ImagePacker& packer, std::int64_t index) { return packer.pack(store, index); },
        [&](std::int64_t index, WorkedImage<PackedImage>& item) {
          if (item.problem.empty())
            return writer.add(split, item.result, store.label(index), short_name(store.name(index)));
          corrupt.add(index, store.name(index), item.problem);
          for (const std::string& line : corrupt.take_news()) {
            if (options.on_note) options.on_note(line);
          }
        });
    result.corrupt += corrupt.count();
    if (corrupt.count() == store.size())
      throw RunError(fmt::format("{}: no {} image can be decoded", source.string(), called));
    return store.size() - corrupt.count();
  };
  result.train = add_split(*images.train, PackFileWriter::kTrain, "training");
  result.val = add_split(*images.val, PackFileWriter::kVal, "validation");
  writer.finish();
  result.classes = static_cast<std::int64_t>(images.class_names.size());
  result.bytes = static_cast<std::int64_t>(writer.bytes());
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

std::string describe_pack(const fs::path& source) {
  if (!is_pack(source)) return "";
  const PackInfo info = read_pack_info(source);
  return fmt::format("a pack of {:.1f} MB: {} image files and {} images as pixels; {}",
                     static_cast<double>(info.file_bytes) / 1e6, info.files, info.rgb, info.settings);
}

}  // namespace glidepath
