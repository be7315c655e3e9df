// src/data/images/image_split.cpp - a part of every class to train on, and others to test on.
#include "data/images/image_split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "data/images/selection.h"
#include "glidepath/error.h"
#include "glidepath/keyed_random.h"

namespace glidepath {
namespace {

/// A number of a name and a seed that is the same on every machine (FNV-1a, mixed).
std::uint64_t number_of(const std::string& name, std::uint64_t seed) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return KeyedRandom{seed, hash}.next();
}

/// How many of `count` images fall to each part: the nearest numbers, one at least.
std::array<std::int64_t, 3> counts_of(std::int64_t count, const DataSplit& split) {
  const auto share = [&](double part) {
    return part == 0 ? 0 : std::max<std::int64_t>(1, std::llround(static_cast<double>(count) * part));
  };
  std::array<std::int64_t, 3> counts = {0, share(split.val), share(split.test)};
  while (counts[1] + counts[2] >= count) --*std::max_element(counts.begin(), counts.end());
  counts[0] = count - counts[1] - counts[2];
  return counts;
}

}  // namespace

void split_images(ImageCollection& images, const ImageChoice& choice) {
  const DataSplit split = DataSplit::parse(choice.split);
  const bool on_test = choice.test_on == "test" && split.test > 0;
  if (!on_test && choice.test_on != "auto" && choice.test_on != "val") {
    throw InputError(fmt::format("test_on \"{}\": the split {} has {}", choice.test_on, split.text(),
                                 split.test > 0 ? "val and test" : "val alone"));
  }
  const ImageStore& all = *images.train;
  std::vector<std::vector<std::pair<std::uint64_t, std::int64_t>>> classes(images.class_names.size());
  for (std::int64_t i = 0; i < all.size(); ++i)
    classes[static_cast<std::size_t>(all.label(i))].emplace_back(number_of(all.local_name(i), split.seed), i);
  const std::int64_t parts = split.test > 0 ? 3 : 2;
  std::array<std::vector<std::int64_t>, 3> chosen;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    auto& members = classes[label];
    const auto count = static_cast<std::int64_t>(members.size());
    if (count < parts) {
      throw InputError(fmt::format("split \"{}\": class {} has {} image(s), and each of {} parts needs one",
                                   split.text(), images.class_names[label], count, parts));
    }
    std::sort(members.begin(), members.end());
    const auto counts = counts_of(count, split);
    auto next = members.begin();
    for (const std::size_t part : {2U, 1U, 0U}) {  // the training part is the rest
      for (std::int64_t i = 0; i < counts[part]; ++i) chosen[part].push_back((next++)->second);
    }
  }
  for (auto& part : chosen) std::sort(part.begin(), part.end());
  images.notes.push_back(
      fmt::format("split {} by class: {} images to train on, {} {}{}", split.text(), chosen[0].size(),
                  chosen[1].size(), on_test ? "that are not looked at (val)" : "to test on (val)",
                  split.test == 0 ? ""
                  : on_test       ? fmt::format(", {} to test on (test)", chosen[2].size())
                            : fmt::format(", {} that are not looked at (--test-on test)", chosen[2].size())));
  const std::shared_ptr<const ImageStore> store = images.train;
  images.train = std::make_shared<Selection>(store, std::move(chosen[0]));
  images.val = std::make_shared<Selection>(store, std::move(chosen[on_test ? 2 : 1]));
  images.tested_on = on_test ? "test" : "val";
}

}  // namespace glidepath
