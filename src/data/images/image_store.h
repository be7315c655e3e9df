// src/data/images/image_store.h - encoded images and their labels, wherever they lie: class folders, tar
// files read in place, a pack. No torch here.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace glidepath {

/// One image as it is stored. `data` points into memory that the store maps, or into the buffer given to
/// read(); it is good until that buffer changes or the store goes.
struct StoredImage {
  enum class Kind { kFile, kRgb };  ///< a JPEG or PNG file; or uint8 pixels [height, width, 3], row after row
  Kind kind = Kind::kFile;
  const unsigned char* data = nullptr;
  std::size_t bytes = 0;
  int height = 0, width = 0;  ///< of kRgb alone
};

/// The images of one split, in a fixed order. Every function may be called by many threads at once.
class ImageStore {
 public:
  ImageStore() = default;
  ImageStore(const ImageStore&) = delete;
  ImageStore& operator=(const ImageStore&) = delete;
  virtual ~ImageStore() = default;

  virtual std::int64_t size() const = 0;
  /// In [0, classes).
  virtual std::int64_t label(std::int64_t index) const = 0;
  /// What messages call the image: a path, or "train.tar: n01440764/n01440764_18.JPEG".
  virtual std::string name(std::int64_t index) const = 0;
  /// The image's bytes. `buffer` may be filled with them. Throws RunError, naming the file, when they cannot
  /// be read; what they hold is not looked at.
  virtual StoredImage read(std::int64_t index, std::vector<unsigned char>& buffer) const = 0;
};

/// Both splits of a data set of images, and its classes by label.
struct ImageCollection {
  std::vector<std::string> class_names;
  std::shared_ptr<const ImageStore> train, val;
};

}  // namespace glidepath
