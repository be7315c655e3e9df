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
  /// Which images at the source: DataChoice::split, test_on and wait_seconds.
  std::string split = {}, test_on = "auto";
  double wait_seconds = 60;

  std::function<void(const ImageProgress&)> on_progress = {};
  /// A line for each image that is left out, for what takes a while, and for a disk that is waited for.
  std::function<void(const std::string&)> on_note = {};
  std::function<int()> stop_signal = {};  ///< not 0: that signal asks to stop, and nothing is left behind
};

struct PackResult {
  std::int64_t train = 0, val = 0;  ///< images in the pack
  std::int64_t corrupt = 0;         ///< left out
  std::int64_t classes = 0;
  std::int64_t bytes = 0;  ///< of the file
  double seconds = 0;
  std::vector<std::string> notes;  ///< what was found beside the images
};

/// Writes the images at `source`, in any form that --data imagefolder: takes, into the file `out`. Their
/// order is kept. The file appears when it is whole. Throws InputError for wrong options and sources,
/// RunError when more images than allowed cannot be decoded, the disk refuses, or the source cannot be read
/// for wait_seconds, Interrupted when asked to stop.
PackResult pack_images(const std::filesystem::path& source, const std::filesystem::path& out,
                       const PackOptions& options);

/// What is wrong with one image: "train/cat/1.jpg: is truncated".
struct ImageCheck {
  std::int64_t train = 0, val = 0;
  std::string tested_on;  ///< what the second split is called where it lies
  std::vector<std::string> problems;
  std::vector<std::string> notes;  ///< what was found beside the images
};

/// Checks every image at `source`: those of a pack by their checksums, others by decoding them. One that
/// cannot be read is a problem, too, and not waited for. `options`: jobs, split, test_on and the functions
/// count.
ImageCheck check_images(const std::filesystem::path& source, const PackOptions& options);

/// Mean and standard deviation of each channel, on the [0, 1] scale, over the training images.
struct ImageStatistics {
  std::vector<double> mean, stddev;
  std::int64_t images = 0, corrupt = 0;  ///< looked at, and left out
};

/// Measures the training images as tests show them: shorter side resized to 256, the middle 224 x 224; each
/// of them counts the same. `options`: jobs, split, test_on, wait_seconds and the functions count.
ImageStatistics measure_images(const std::filesystem::path& source, const PackOptions& options);

/// "a pack of 1.2 GB: shorter side at most 256, JPEG quality 90"; empty for other forms.
std::string describe_pack(const std::filesystem::path& source);

}  // namespace glidepath
