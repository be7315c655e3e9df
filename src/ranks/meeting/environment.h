// src/ranks/meeting/environment.h - parts of place_from_environment() that others use or tests look at.
#pragma once
#include <functional>
#include <optional>
#include <string>

namespace glidepath {

/// The first of a list of machines as Slurm writes it: "node07" of "node[07-12,20],other". Throws InputError
/// for a bracket that does not end.
std::string first_node(const std::string& nodes);

/// How long to wait for all ranks to come, where GLIDEPATH_JOIN_SECONDS says so; `get` is getenv(), or a
/// test's. Throws InputError for what is no number of seconds.
std::optional<int> join_seconds_from_environment(const std::function<const char*(const char*)>& get = {});

/// Set by a launcher that serves the job's store itself, at MASTER_ADDR and MASTER_PORT.
constexpr const char* kStoreIsServed = "GLIDEPATH_STORE_IS_SERVED";

/// Of a job that its launcher has started again so many times.
std::string store_prefix(const std::string& restarts);

}  // namespace glidepath
