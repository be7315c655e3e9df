// src/setup/held_out.cpp - training images that are kept apart, to choose on.
#include "setup/held_out.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <torch/types.h>

#include "core/words.h"
#include "data/images/corrupt_images.h"
#include "data/images/selection.h"
#include "glidepath/error.h"
#include "glidepath/examples.h"
#include "glidepath/keyed_random.h"

namespace glidepath {
namespace {

using Indices = std::vector<std::int64_t>;

constexpr std::uint64_t kFractionKey = 0x7061727473;  // no other draw of the seed has it

std::int64_t count_of(const std::string& amount, std::int64_t images) {
  const auto [number, unit] = words::split_number(amount);
  const double value = words::number(number).value();
  return std::llround(unit == "%" ? value / 100 * static_cast<double>(images) : value);
}

Indices numbers_from(std::int64_t first, std::int64_t count) {
  Indices numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

/// Of data of one's own, which have no classes, all are one.
std::vector<Indices> members_of_classes(const Split& split, std::int64_t classes) {
  if (split.examples) {
    return {numbers_from(0, split.size())};
  }
  std::vector<Indices> members(static_cast<std::size_t>(classes));
  const torch::Tensor labels = split.labels.contiguous();
  const auto* of = labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < split.size(); ++i) members[static_cast<std::size_t>(of[i])].push_back(i);
  return members;
}

/// How many of each class, `count` in all: the whole parts of their shares, and one more of those that have
/// the largest remainders.
std::vector<std::int64_t> shares_of(const std::vector<Indices>& members, std::int64_t count,
                                    std::int64_t all) {
  std::vector<std::int64_t> shares;
  std::vector<std::pair<double, std::size_t>> remainders;
  std::int64_t given = 0;
  for (std::size_t label = 0; label < members.size(); ++label) {
    const double exact =
        static_cast<double>(count) * static_cast<double>(members[label].size()) / static_cast<double>(all);
    shares.push_back(static_cast<std::int64_t>(exact));
    given += shares.back();
    remainders.emplace_back(static_cast<double>(shares.back()) - exact, label);  // the smallest first
  }
  std::stable_sort(remainders.begin(), remainders.end());
  for (std::size_t i = 0; given < count; ++i, ++given) ++shares[remainders[i].second];
  return shares;
}

Split part_of(const Split& split, const Indices& indices, const char* called) {
  if (split.examples) {
    Split part;
    part.patience = split.patience;
    part.examples = selected_examples(split.examples, indices);
    return part;
  }
  const torch::Tensor places = torch::tensor(indices, torch::kInt64);
  Split part = split;
  part.labels = split.labels.index_select(0, places);
  if (!split.store) {
    part.images = split.images.index_select(0, places);
    return part;
  }
  part.store = std::make_shared<Selection>(split.store, indices);
  part.corrupt = std::make_shared<CorruptImages>(called);
  return part;
}

/// Images in an order that the key says.
Indices drawn_order(const Indices& members, std::uint64_t key) {
  std::vector<std::pair<std::uint64_t, std::int64_t>> drawn;
  for (const std::int64_t index : members)
    drawn.emplace_back(KeyedRandom{key, static_cast<std::uint64_t>(index)}.next(), index);
  std::sort(drawn.begin(), drawn.end());
  Indices order;
  for (const auto& [place, index] : drawn) order.push_back(index);
  return order;
}

}  // namespace

void keep_fraction(Dataset& dataset, double fraction, std::uint64_t seed) {
  if (fraction == 1) return;
  const std::int64_t images = dataset.train.size();
  const std::int64_t count = std::llround(fraction * static_cast<double>(images));
  const std::vector<Indices> members = members_of_classes(dataset.train, dataset.classes);
  if (count < std::max<std::int64_t>(1, dataset.classes))
    throw InputError(
        fmt::format("train_fraction \"{}\": {} of the {} training images of {} are fewer than its {} classes",
                    fraction, count, images, dataset.name, dataset.classes));
  const std::vector<std::int64_t> shares = shares_of(members, count, images);
  Indices kept;
  for (std::size_t label = 0; label < members.size(); ++label) {
    // Each fraction's images are among those of a larger one.
    const Indices order = drawn_order(members[label], KeyedRandom{seed, kFractionKey}.next());
    kept.insert(kept.end(), order.begin(), order.begin() + shares[label]);
  }
  std::sort(kept.begin(), kept.end());
  dataset.train = part_of(dataset.train, kept, "training");
}

void hold_out(Dataset& dataset, const std::string& amount) {
  if (amount == "none") return;
  const std::int64_t images = dataset.train.size(), count = count_of(amount, images);
  const std::vector<Indices> members = members_of_classes(dataset.train, dataset.classes);
  const auto refuse = [&](const std::string& why) {
    throw InputError(fmt::format("val \"{}\": {} of the {} training images of {} {}", amount, count, images,
                                 dataset.name, why));
  };
  if (count < 1) refuse("are none");
  if (dataset.is_own() && dataset.task == "language") {
    // Windows of a text that follow each other: what is drawn for the last one that is trained on may begin
    // anywhere in it, and reaches into the next, which is left out.
    if (count + 2 > images) refuse("leave none to train on");
    const Split all = dataset.train;
    dataset.train = part_of(all, numbers_from(0, images - count - 1), "training");
    dataset.val = part_of(all, numbers_from(images - count, count), "validation");
    return;
  }
  if (!dataset.is_own() && count < dataset.classes)
    refuse(fmt::format("are fewer than its {} classes", dataset.classes));
  const std::vector<std::int64_t> shares = shares_of(members, std::min(count, images), images);
  Indices kept, held;
  for (std::size_t label = 0; label < members.size(); ++label) {
    if (shares[label] >= static_cast<std::int64_t>(members[label].size()) && !members[label].empty())
      refuse("leave none of a class to train on");
    const Indices order = drawn_order(members[label], 0);
    kept.insert(kept.end(), order.begin() + shares[label], order.end());
    held.insert(held.end(), order.begin(), order.begin() + shares[label]);
  }
  std::sort(kept.begin(), kept.end());
  std::sort(held.begin(), held.end());
  const Split all = dataset.train;
  dataset.train = part_of(all, kept, "training");
  dataset.val = part_of(all, held, "validation");
}

}  // namespace glidepath
