// src/schedule/schedule_points.cpp - a schedule of one's own: straight lines between given points, or a file
// of them.
#include "schedule/schedule_points.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>

#include <fmt/format.h>

#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr std::size_t kMostBytes = 4 << 20;
constexpr std::size_t kLongestName = 40;

bool is_share(double value) { return value >= 0 && value <= 1; }

/// `30%` or `0.3`; nothing for what is neither.
std::optional<double> share_of(std::string_view text) {
  const auto [digits, unit] = words::split_number(text);
  const auto value = words::number(digits);
  if (!value || (!unit.empty() && unit != "%")) return std::nullopt;
  return unit == "%" ? *value / 100 : *value;
}

SchedulePoint point_of(const ScheduleCall& call, const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string_view whole = text;
  std::optional<double> progress, factor;
  if (colon != std::string::npos) {
    progress = share_of(words::trim(whole.substr(0, colon)));
    factor = share_of(words::trim(whole.substr(colon + 1)));
  }
  if (!progress || !factor || !is_share(*progress) || !is_share(*factor)) {
    call.refuse(fmt::format(
        "point \"{}\" must be progress:factor, both shares in [0, 1], for example 30%:1 or 1:0", text));
  }
  return {*progress, *factor};
}

void check_order(const ScheduleCall& call, const std::vector<SchedulePoint>& points) {
  if (points.size() < 2) call.refuse("needs two points at least, for example points(0:1, 30%:1, 100%:0)");
  if (points.size() > kMostPoints)
    call.refuse(fmt::format("{} points; at most {} can be given", points.size(), kMostPoints));
  for (std::size_t i = 1; i < points.size(); ++i) {
    const bool is_third = i > 1 && points[i].progress == points[i - 2].progress;
    if (points[i].progress < points[i - 1].progress || is_third) {
      call.refuse(fmt::format("points must rise in progress, and {} follows {}; two at one place are a jump",
                              points[i].progress, points[i - 1].progress));
    }
  }
}

void check_name(const ScheduleCall& call, const std::string& name) {
  const bool is_plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.');
  });
  if (name.empty() || name.size() > kLongestName || !is_plain) {
    call.refuse(
        fmt::format("name \"{}\" must be letters, digits, -, _ and ., {} at most, for example "
                    "name=trapezoid",
                    name, kLongestName));
  }
}

enum class Shape { kLinear, kCosine, kHold };

// A line is flat before its first and behind its last point. At a jump the later point counts.
double value_at(const std::vector<SchedulePoint>& points, Shape shape, double u) {
  const auto after =
      std::upper_bound(points.begin(), points.end(), u,
                       [](double x, const SchedulePoint& point) { return x < point.progress; });
  if (after == points.begin()) return points.front().factor;
  const SchedulePoint& from = *(after - 1);
  if (after == points.end() || shape == Shape::kHold) return from.factor;
  const double share = (u - from.progress) / (after->progress - from.progress);
  constexpr double kPi = 3.14159265358979323846;
  const double left = shape == Shape::kCosine ? (1 + std::cos(kPi * share)) / 2 : 1 - share;
  return std::clamp(from.factor * left + after->factor * (1 - left), 0.0, 1.0);
}

bool is_between(const SchedulePoint& a, const SchedulePoint& point, const SchedulePoint& b) {
  constexpr double kClose = 1e-12;
  if (!(a.progress < point.progress && point.progress < b.progress)) return false;
  const double share = (point.progress - a.progress) / (b.progress - a.progress);
  return std::abs(a.factor * (1 - share) + b.factor * share - point.factor) <= kClose;
}

/// Without those on the line between the one that was kept before them and the one that follows.
std::vector<SchedulePoint> without_those_between(const std::vector<SchedulePoint>& points) {
  std::vector<SchedulePoint> kept;
  std::size_t first_left_out = 0;  // since the last kept
  for (std::size_t i = 0; i < points.size(); ++i) {
    bool needed = kept.empty() || i + 1 == points.size();
    for (std::size_t j = first_left_out; !needed && j <= i; ++j)
      needed = !is_between(kept.back(), points[j], points[i + 1]);
    if (!needed) continue;
    kept.push_back(points[i]);
    first_left_out = i + 1;
  }
  return kept;
}

struct Row {
  std::size_t line;
  double x, y;
};

[[noreturn]] void refuse_line(const std::string& name, std::size_t line, const std::string& reason) {
  throw InputError(fmt::format("{}, line {}: {}", name, line, reason));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);  // a byte order mark
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.push_back(words::trim(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

constexpr std::array<std::string_view, 2> kShares{"progress", "factor"}, kSteps{"step", "lr"};

/// The two columns of a line; nothing where it has more or fewer.
std::optional<std::array<std::string_view, 2>> columns_of(std::string_view line) {
  const std::size_t comma = line.find(',');
  if (comma == std::string_view::npos || line.find(',', comma + 1) != std::string_view::npos)
    return std::nullopt;
  return std::array<std::string_view, 2>{words::trim(line.substr(0, comma)),
                                         words::trim(line.substr(comma + 1))};
}

// The last of T updates has step T - 1 and progress (T - 1) / T.
void scale_steps(std::vector<Row>& rows, const std::string& name) {
  double largest = 0;
  for (const Row& row : rows) largest = std::max(largest, row.y);
  if (!(largest > 0)) refuse_line(name, rows.front().line, "no lr is above 0");
  const double updates = rows.back().x + 1;
  for (Row& row : rows) row = {row.line, row.x / updates, row.y / largest};
}

std::string name_of(const std::filesystem::path& file) {
  std::string name = file.stem().string().substr(0, kLongestName);
  for (char& c : name) {
    if (static_cast<unsigned char>(c) >= 0x80 ||
        (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.'))
      c = '-';
  }
  return name.empty() ? "file" : name;
}

std::string read_text(const ScheduleCall& call, const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::is_regular_file(status)) {
    call.refuse(fmt::format("{}: {}; give a CSV file with the columns progress and factor", path,
                            std::filesystem::exists(status) ? "is no regular file" : "no such file"));
  }
  std::string text(kMostBytes + 1, '\0');
  std::ifstream stream(path, std::ios::binary);
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream && !stream.eof()) call.refuse(fmt::format("{}: cannot be read", path));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kMostBytes) call.refuse(fmt::format("{}: is above 4 MiB; no list of points is", path));
  return text;
}

}  // namespace

Curve make_points(ScheduleCall& call) {
  std::vector<SchedulePoint> points;
  call.show_bare(true);
  for (const std::string& given : call.take_positional()) {
    points.push_back(point_of(call, given));
    call.note("",
              words::number_text(points.back().progress) + ":" + words::number_text(points.back().factor));
  }
  call.show_bare(false);
  check_order(call, points);
  const std::string word = call.word("shape", "linear", {"linear", "cosine", "hold"});
  const Shape shape = word == "linear" ? Shape::kLinear : word == "cosine" ? Shape::kCosine : Shape::kHold;
  if (const auto name = call.take("name", false)) {
    check_name(call, *name);
    call.note("name", *name);
  }
  return [points = std::move(points), shape](double u, const Stretch&) { return value_at(points, shape, u); };
}

std::vector<SchedulePoint> points_of_csv(std::string_view text, const std::string& name) {
  std::vector<Row> rows;
  bool has_steps = false, has_header = false;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(text)) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const auto columns = columns_of(line);
    if (!columns) refuse_line(name, number, "must be two columns, progress,factor, for example 0.3,1");
    const auto x = share_of((*columns)[0]), y = share_of((*columns)[1]);
    if (rows.empty() && !has_header && !x && !y) {
      has_header = true;
      has_steps = *columns == kSteps;
      if (!has_steps && *columns != kShares)
        refuse_line(name, number, fmt::format("the columns \"{}\" must be progress,factor or step,lr", line));
      continue;
    }
    const bool in_range = x && y && (has_steps ? *x >= 0 && *y >= 0 : is_share(*x) && is_share(*y));
    if (!in_range) {
      refuse_line(name, number,
                  fmt::format("\"{}\" must be {}", line,
                              has_steps ? "a step and its lr, numbers of at least 0"
                                        : "a progress and its factor, both in [0, 1], for example 0.3,1"));
    }
    if (!rows.empty() && *x < rows.back().x)
      refuse_line(name, number, fmt::format("{} follows {}; lines must rise", *x, rows.back().x));
    rows.push_back({number, *x, *y});
  }
  if (rows.size() < 2) refuse_line(name, number, "needs two points at least, such as 0,1 and 1,0");
  if (has_steps) scale_steps(rows, name);
  std::vector<SchedulePoint> points;
  points.reserve(rows.size());
  for (const Row& row : rows) points.push_back({row.x, row.y});
  points = without_those_between(points);
  if (points.size() > kMostPoints) {
    throw InputError(
        fmt::format("{}: {} points that no straight line spares; at most {} can be used, so thin "
                    "it out",
                    name, points.size(), kMostPoints));
  }
  return points;
}

void read_points_file(ScheduleCall& call) {
  if (call.name() != "file") return;
  const auto path = call.take("path");
  if (!path || path->empty()) call.refuse("needs a CSV file, for example file(my.csv)");
  const auto blame = [&](const auto& read) {
    try {
      return read();
    } catch (const InputError& error) {
      call.refuse(error.what());
    }
  };
  const std::string text = read_text(call, *path);
  std::vector<std::string> arguments;
  for (const SchedulePoint& point : blame([&] { return points_of_csv(text, *path); }))
    arguments.push_back(words::number_text(point.progress) + ":" + words::number_text(point.factor));
  call.become("points", std::move(arguments), {"name", name_of(*path)});
}

}  // namespace glidepath
