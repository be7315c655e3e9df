// src/distributed/environment.h - parts of place_from_environment() that are tested on their own.
#pragma once
#include <string>

namespace glidepath {

/// The first of a list of machines as Slurm writes it: "node07" of "node[07-12,20],other". Throws InputError
/// for a bracket that does not end.
std::string first_node(const std::string& nodes);

}  // namespace glidepath
