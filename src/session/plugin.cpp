// src/session/plugin.cpp - a shared library that brings a model, a task, data or callbacks.
#include "glidepath/plugin.h"

#include <dlfcn.h>
#include <string>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {

void extend_by_plugin(const fs::path& file, Experiment& experiment) {
  const auto refuse = [&](const std::string& why) {
    throw InputError(fmt::format("{}: {}", file.string(), why));
  };
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    refuse("no such file; give a shared library that GLIDEPATH_PLUGIN of glidepath/plugin.h is in");
  // By its whole path: a bare name would be looked for elsewhere. Never closed, as a model may outlive the
  // run.
  void* library = dlopen(fs::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    refuse("cannot be loaded: " + terminal_text(why == nullptr ? "" : why));
  }
  const auto build = reinterpret_cast<const char* (*)()>(dlsym(library, "glidepath_plugin_build"));
  const auto extend = reinterpret_cast<void (*)(Experiment&)>(dlsym(library, "glidepath_plugin_extend"));
  if (build == nullptr || extend == nullptr)
    refuse("is no plug-in; it lacks GLIDEPATH_PLUGIN of glidepath/plugin.h");
  if (const std::string found = build(); found != GLIDEPATH_PLUGIN_BUILD)
    refuse(fmt::format("was built for {}, and this program is {}; build it again", terminal_text(found),
                       GLIDEPATH_PLUGIN_BUILD));
  extend(experiment);
}

}  // namespace glidepath
