// src/data/images/corrupt_images.h - the images of a split that could not be decoded, counted and named.
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace glidepath {

struct SkippedImage {
  std::int64_t index;  ///< in the split
  std::string name, reason;
};

/// What a split's loaders share. Loaders tell of an image when the batch that it should have been in is
/// taken, so that what is known at a moment does not depend on what was made ahead.
class CorruptImages {
 public:
  /// `split` is what messages call it: "training" or "test".
  explicit CorruptImages(std::string split) : split_(std::move(split)) {}

  /// No more than `limit` may be met; `told` is how the user gave it: "1%".
  void set_limit(std::int64_t limit, const std::string& told);
  /// One image that could not be decoded; counted and told of once, however often it is met. Throws RunError,
  /// naming it, where they are more than the limit.
  void add(std::int64_t index, const std::string& name, const std::string& reason);

  std::int64_t count() const { return static_cast<std::int64_t>(known_.size()); }
  /// Those of an earlier session of the run: they are not told of again.
  const std::set<std::int64_t>& known() const { return known_; }
  void set_known(std::set<std::int64_t> known) { known_ = std::move(known); }
  /// A line for each that was met since the last call, in the order of their numbers.
  std::vector<std::string> take_news();

  /// For the other processes of a run, which add() them: what was met here since the last call.
  std::vector<SkippedImage> take_unshared() { return std::exchange(unshared_, {}); }
  bool has_unshared() const { return !unshared_.empty(); }

 private:
  std::string split_, told_limit_;
  std::int64_t limit_ = 0;
  std::set<std::int64_t> known_;
  std::vector<SkippedImage> news_, unshared_;
};

}  // namespace glidepath
