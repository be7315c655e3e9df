// tests/session/old_plugin.cpp - a plug-in as one of another version would be.
namespace glidepath {
struct Experiment;
}  // namespace glidepath

extern "C" const char* glidepath_plugin_build() { return "interface 0, LibTorch 1.0"; }
extern "C" void glidepath_plugin_extend(glidepath::Experiment& /*experiment*/) { __builtin_trap(); }
