// src/schedule/schedule_points.h - a schedule of one's own: straight lines between given points, or a file of
// them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "schedule/schedule_table.h"

namespace glidepath {

/// A factor at a share of the stretch, both in [0, 1].
struct SchedulePoint {
  double progress = 0, factor = 0;
};

/// Most points that a schedule may have, so that its text stays one that can be stored and read.
inline constexpr std::size_t kMostPoints = 1000;

/// The curve of points(0:1, 30%:1, 100%:0, shape=linear, name=...): takes these arguments out of the call.
Curve make_points(ScheduleCall& call);

/// file(FILE, ...) as the points(...) that the file holds, so that a run's configuration says all of its
/// schedule and needs the file no more. Any other call is left as it is. Reads at most 4 MiB of a regular
/// file; refuses the call, naming file and line, for what is no list of points.
void read_points_file(ScheduleCall& call);

/// The points of a text of lines `progress,factor`, or `step,lr` as `glidepath schedules --format csv` prints
/// them (lr over the largest, step over their number). Points on the straight line between their neighbours
/// are left out. Throws InputError that begins with `name` and the line.
std::vector<SchedulePoint> points_of_csv(std::string_view text, const std::string& name);

}  // namespace glidepath
