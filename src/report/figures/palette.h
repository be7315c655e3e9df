// src/report/figures/palette.h - the colour of each subject: the same in every figure, static or interactive.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace glidepath {

/// How the lines of one subject look. Subjects that have no colour of their own share the palette's, by their
/// place in the sorted list of such subjects; past kPaletteSize of them the colours come round again, `round`
/// counts, and another dash or point tells them apart.
struct SubjectLook {
  std::string colour;     ///< "#rrggbb"
  std::size_t place = 0;  ///< of a point type: differs between subjects of one colour family
  std::size_t round = 0;  ///< 0 for a colour's first subject
};

/// The S of a subject "cut(S)"; nothing for others.
std::optional<std::string> cut_of(const std::string& subject);

constexpr std::size_t kPaletteSize = 7;

/// The colour at a place; those past kPaletteSize repeat.
std::string palette_colour(std::size_t place);

/// `all` may be in any order and need not hold `subject`. The paper's schedules and optimizers have a colour
/// of their own, so that it is one in every study; "lr" is black and "envelope" green. `cut(S)` has the
/// colour of S.
SubjectLook look_of_subject(const std::string& subject, std::vector<std::string> all);

inline std::string colour_of(const std::string& subject, const std::vector<std::string>& all) {
  return look_of_subject(subject, all).colour;
}

/// Lines of one subject at several budgets, told apart by shade: light for the smallest, dark for the
/// largest. `share` is the budget's place among them, in [0, 1].
std::string budget_colour(double share);

}  // namespace glidepath
