// include/glidepath/image_pack.h - image data sets as one file: made, and checked.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace glidepath {

/// Images done, and all.
struct ImageProgress {
  std::int64_t done = 0, total = 0;
};

struct PackOptions {
  /// Shorter side that larger images are reduced to, as torchvision's Resize does it; 0: none.
  std::int64_t resize = 0;
  /// Longer side that larger images are reduced to; 0: none. Not both.
  std::int64_t max_side = 0;
  /// Pixels, ready to be used, in place of JPEG files: faster to read and much larger.
  bool rgb = false;
  /// Of the JPEG files that are made, 1 to 100. Images that are small enough stay as they are, byte for byte.
  std::int64_t quality = 90;
  /// Whether photographs are turned as their EXIF orientation says, for good.
  bool exif_orientation = false;
  /// Images of a split that may be left out because they cannot be decoded: a number, or a share of it.
  std::string max_corrupt = "1%";
  std::int64_t jobs = 0;  ///< threads; 0: every core

  std::function<void(const ImageProgress&)> on_progress = {};
  std::function<void(const std::string&)> on_note = {};  ///< a line for each image that is left out
  std::function<int()> stop_signal = {};  ///< not 0: that signal asks to stop, and nothing is left behind
};

struct PackResult {
  std::int64_t train = 0, val = 0;  ///< images in the pack
  std::int64_t corrupt = 0;         ///< left out
  std::int64_t classes = 0;
  std::int64_t bytes = 0;  ///< of the file
  double seconds = 0;
};

/// Writes the images at `source`, in any form that --data imagefolder: takes, into the file `out`. Their
/// order is kept. The file appears when it is whole. Throws InputError for wrong options and sources,
/// RunError when more images than allowed cannot be decoded or the disk refuses, Interrupted when asked to
/// stop.
PackResult pack_images(const std::filesystem::path& source, const std::filesystem::path& out,
                       const PackOptions& options);

/// What is wrong with one image: "train/cat/1.jpg: is truncated".
struct ImageCheck {
  std::int64_t train = 0, val = 0;
  std::vector<std::string> problems;
};

/// Checks every image at `source`: those of a pack by their checksums, others by decoding them. `options`:
/// jobs and the functions count.
ImageCheck check_images(const std::filesystem::path& source, const PackOptions& options);

/// "a pack of 1.2 GB: shorter side at most 256, JPEG quality 90"; empty for other forms.
std::string describe_pack(const std::filesystem::path& source);

}  // namespace glidepath
