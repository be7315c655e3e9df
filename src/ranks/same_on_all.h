// src/ranks/same_on_all.h - what every rank of a job has to have been given alike.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "glidepath/process_group.h"

namespace glidepath {

/// Names and values, as the user gives them: {"--seed", "1"}.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// A collective. Where a rank has another value than rank 0, or one that rank 0 has not: throws InputError on
/// all ranks, naming the first such fact and both values, followed by `advice`.
void require_same(ProcessGroup& group, const Facts& facts, const std::string& advice);

}  // namespace glidepath
