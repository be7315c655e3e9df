// src/data/images/image_store.h - encoded images and their labels, wherever they lie: class folders, tar
// files read in place, a pack. No torch here.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/stores/passed_by.h"

namespace glidepath {

/// One image as it is stored. `data` points into memory that the store maps, or into the buffer given to
/// read(); it is good until that buffer changes or the store goes.
struct StoredImage {
  enum class Kind { kFile, kRgb };  ///< an image file; or uint8 pixels [height, width, 3], row after row
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
  /// The same without the folder of the data set, so that it stays when that is moved: "train/cat/1.jpg".
  virtual std::string local_name(std::int64_t index) const = 0;
  /// A number that is another, most likely, when the image is: its bytes, or a checksum. 0 where it cannot be
  /// had. A folder asks its disk for it.
  virtual std::uint64_t fingerprint(std::int64_t index) const = 0;
  /// The image's bytes. `buffer` may be filled with them. Throws ReadFailed where they cannot be had now, and
  /// RunError where they never will be; both name the file. What the bytes hold is not looked at.
  virtual StoredImage read(std::int64_t index, std::vector<unsigned char>& buffer) const = 0;
};

/// Both splits of a data set of images, and its classes by label.
struct ImageCollection {
  std::vector<std::string> class_names;
  std::shared_ptr<const ImageStore> train, val;
  std::string tested_on;  ///< what `val` is called where it lies: "valid", "test"
  PassedBy passed_by;
  std::vector<std::string> notes;  ///< what else was found there and should be known, a line each
};

/// Which part of what lies at a path is meant.
struct ImageChoice {
  std::string split;             ///< shares of a folder of classes that has no splits: "80/10/10"
  std::string test_on = "auto";  ///< the split that is tested on, where there are several
  /// Told in one line what takes a while: unpacking compressed tars.
  std::function<void(const std::string&)> tell = {};
};

}  // namespace glidepath
