// src/core/data_split.cpp - the shares by which a data set without splits is taken apart.
#include "core/data_split.h"

#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

std::string percent_text(double share) { return words::number_text(std::round(share * 1e8) / 1e6); }

}  // namespace

DataSplit DataSplit::parse(std::string_view text) {
  const auto refuse = [&](const char* what) {
    throw InputError(
        fmt::format("\"{}\": {}; give shares for training, validation and, where wanted, a last "
                    "test, for example 80/20 or 80/10/10",
                    text, what));
  };
  DataSplit split;
  std::string_view shares = text;
  if (const std::size_t at = text.find('@'); at != text.npos) {
    const auto seed = words::count(text.substr(at + 1));
    if (!seed) refuse("the seed behind the @ is no whole number");
    split.seed = static_cast<std::uint64_t>(*seed);
    shares = text.substr(0, at);
  }
  std::vector<double> values;
  double sum = 0;
  while (true) {
    const std::size_t slash = shares.find('/');
    const auto value = words::number(words::trim(shares.substr(0, slash)));
    if (!value || !(*value > 0)) refuse("every share must be a number above 0");
    values.push_back(*value);
    sum += *value;
    if (slash == shares.npos) break;
    shares.remove_prefix(slash + 1);
  }
  if (values.size() < 2 || values.size() > 3) refuse("must be two shares or three");
  const double whole = sum > 1.5 ? 100 : 1;
  if (std::abs(sum - whole) > 1e-6 * whole) refuse("the shares must sum to 100");
  split.train = values[0] / whole;
  split.val = values[1] / whole;
  split.test = values.size() > 2 ? values[2] / whole : 0;
  return split;
}

std::string DataSplit::text() const {
  std::string text = percent_text(train) + "/" + percent_text(val);
  if (test > 0) text += "/" + percent_text(test);
  return seed == 0 ? text : fmt::format("{}@{}", text, seed);
}

}  // namespace glidepath
