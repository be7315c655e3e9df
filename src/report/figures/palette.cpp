// src/report/figures/palette.cpp - the colour of each subject.
#include "report/figures/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

namespace glidepath {
namespace {

// For subjects without a colour of their own: from Okabe and Ito's (jfly.uni-koeln.de/color) and Tol's muted
// colours (personal.sron.nl/~pault), told apart with any colour vision, those of the commonest schedules left
// out.
constexpr std::array<const char*, kPaletteSize> kColours{"#CC79A7", "#661100", "#6699CC", "#B8860B",
                                                         "#117733", "#CC6677", "#4B4B4B"};

const std::map<std::string, const char*>& own_colours() {
  static const std::map<std::string, const char*> colours = {
      {"lr", "#000000"},        {"envelope", "#009E73"},
      {"linear", "#0072B2"},    {"step-d2", "#D55E00"},
      {"cosine", "#AA4499"},    {"sgdr-r2", "#E69F00"},
      {"sgdr", "#999933"},      {"const", "#7F7F7F"},
      {"exp(0.97)", "#44AA99"}, {"exp(0.95)", "#117733"},
      {"exp(0.99)", "#88CCEE"}, {"htd(-6,3)", "#56B4E9"},
      {"htd(-4,4)", "#332288"}, {"rex", "#332288"},
      {"poly", "#CC79A7"},      {"step(0.5,0.75)", "#882255"},
      {"adagrad", "#999933"},   {"rmsprop", "#E69F00"},
      {"adam", "#CC79A7"},      {"amsgrad", "#D55E00"},
      {"adamw", "#882255"},
  };
  return colours;
}

std::string bare(const std::string& subject) {
  const std::string inner = cut_of(subject).value_or(subject);
  return inner.compare(0, 5, "sgdr(") == 0 ? "sgdr" : inner;
}

}  // namespace

std::optional<std::string> cut_of(const std::string& subject) {
  const bool is_cut = subject.compare(0, 4, "cut(") == 0 && subject.back() == ')';
  return is_cut ? std::optional(subject.substr(4, subject.size() - 5)) : std::nullopt;
}

std::string palette_colour(std::size_t place) { return kColours[place % kPaletteSize]; }

SubjectLook look_of_subject(const std::string& subject, std::vector<std::string> all) {
  const auto& own = own_colours();
  const auto known = own.find(bare(subject));
  if (known != own.end()) {
    return {known->second, static_cast<std::size_t>(std::distance(own.begin(), known)), 0};
  }
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const std::string& other) { return own.count(bare(other)) > 0; }),
            all.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  const auto place = static_cast<std::size_t>(std::find(all.begin(), all.end(), subject) - all.begin());
  return {palette_colour(place), place, place / kPaletteSize};
}

std::string budget_colour(double share) {
  // From a light to a dark blue through viridis-like steps: ordered also in grey.
  constexpr std::array<std::array<double, 3>, 4> kStops{
      {{0xF2, 0xB1, 0x34}, {0x2A, 0xB0, 0x7F}, {0x2A, 0x78, 0xB5}, {0x44, 0x01, 0x54}}};
  const double place = std::clamp(share, 0.0, 1.0) * (kStops.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), kStops.size() - 2);
  const double part = place - static_cast<double>(below);
  std::string colour = "#";
  for (std::size_t i = 0; i < 3; ++i) {
    const double value = kStops[below][i] * (1 - part) + kStops[below + 1][i] * part;
    colour += fmt::format("{:02X}", static_cast<int>(std::lround(value)));
  }
  return colour;
}

}  // namespace glidepath
