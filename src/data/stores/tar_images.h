// src/data/stores/tar_images.h - the images inside tar files, as a store.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/images/image_store.h"
#include "data/stores/input_file.h"

namespace glidepath {

/// Where the images of one tar file lie. 24 bytes and a name for each: ImageNet's 1.28 million need 60 MB.
struct TarImages {
  struct Image {
    std::uint64_t offset = 0;
    std::uint64_t name_end = 0;  ///< in `names`; it begins where that of the image before ends
    std::uint32_t bytes = 0;
    std::int32_t label = -1;
  };
  std::vector<Image> images;
  std::string names;
  PassedBy passed_by;  ///< what lies beside them

  /// Throws InputError for an image of 4 GiB or more; `place` is the tar.
  void add(const std::string& name, std::uint64_t offset, std::uint64_t bytes, std::int32_t label,
           const std::string& place);
  std::string_view name(std::size_t index) const;
  /// Puts images and names in the order of the names.
  void sort_by_name();
};

/// The images of `file` as `make` finds them, or as an earlier call stored them in the cache's folder
/// tar-index/. An index counts as long as path, size and time of the last change are those it was made of;
/// `kind` tells indices of one file apart. Only
/// tars of 1,000 images and more are kept. A cache that cannot be written or read does not matter.
TarImages cached_tar_images(const InputFile& file, const std::string& kind,
                            const std::function<TarImages()>& make);

/// The store of one split: the images of some tar files, file after file.
class TarStore final : public ImageStore {
 public:
  struct Part {
    std::unique_ptr<InputFile> file;
    TarImages images;
  };
  explicit TarStore(std::vector<Part> parts);

  std::int64_t size() const override;
  std::int64_t label(std::int64_t index) const override;
  std::string name(std::int64_t index) const override;
  std::string local_name(std::int64_t index) const override;
  std::uint64_t fingerprint(std::int64_t index) const override;
  StoredImage read(std::int64_t index, std::vector<unsigned char>& buffer) const override;

 private:
  struct Place {
    const Part& part;
    std::size_t index;
  };
  Place find(std::int64_t index) const;

  std::vector<Part> parts_;
  std::vector<std::int64_t> begins_;  // of each part, and the end
};

}  // namespace glidepath
