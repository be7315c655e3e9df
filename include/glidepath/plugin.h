// include/glidepath/plugin.h - a model, task, data or callbacks in C++ for glidepath train --plugin FILE.so.
#pragma once
#include <filesystem>

#include <torch/version.h>

#include "glidepath/experiment.h"

namespace glidepath {

/// What a plug-in and the program have to agree in: raised with every change of what an Experiment is made
/// of.
#define GLIDEPATH_PLUGIN_INTERFACE "2"
#define GLIDEPATH_PLUGIN_BUILD "interface " GLIDEPATH_PLUGIN_INTERFACE ", LibTorch " TORCH_VERSION

/// In one source file of a shared library: `extend` is called with the experiment that a run is about to
/// make, its configuration filled in, and sets what it brings. What it leaves is what the configuration
/// names.
#define GLIDEPATH_PLUGIN(extend)                                                           \
  extern "C" __attribute__((visibility("default"))) const char* glidepath_plugin_build() { \
    return GLIDEPATH_PLUGIN_BUILD;                                                         \
  }                                                                                        \
  extern "C" __attribute__((visibility("default"))) void glidepath_plugin_extend(          \
      ::glidepath::Experiment& experiment) {                                               \
    extend(experiment);                                                                    \
  }

/// Loads the shared library, which stays, and has it extend the experiment. It is code, and runs as the
/// program does. Throws InputError that begins with the file: for one that is missing, no shared library, no
/// plug-in, or built against another interface or LibTorch; and lets out what the plug-in throws.
void extend_by_plugin(const std::filesystem::path& file, Experiment& experiment);

}  // namespace glidepath
