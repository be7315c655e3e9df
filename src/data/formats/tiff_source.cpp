// src/data/formats/tiff_source.cpp - what libtiff reads from, and what becomes of its messages.
#include "data/formats/tiff_source.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>

namespace glidepath {
namespace {

tmsize_t read_bytes(thandle_t handle, void* to, tmsize_t bytes) {
  auto& source = *static_cast<TiffSource*>(handle);
  const std::size_t left = source.at < source.bytes ? source.bytes - source.at : 0;
  const std::size_t count = std::min(left, static_cast<std::size_t>(std::max<tmsize_t>(0, bytes)));
  if (count > 0) std::memcpy(to, source.data + source.at, count);
  source.at += count;
  return static_cast<tmsize_t>(count);
}
tmsize_t refuse_writing(thandle_t, void*, tmsize_t) { return 0; }
toff_t seek_to(thandle_t handle, toff_t offset, int from) {
  auto& source = *static_cast<TiffSource*>(handle);
  const std::size_t base = from == SEEK_CUR ? source.at : from == SEEK_END ? source.bytes : 0;
  return source.at = base + static_cast<std::size_t>(offset);
}
int leave_open(thandle_t) { return 0; }
toff_t size_of(thandle_t handle) { return static_cast<TiffSource*>(handle)->bytes; }

thread_local TiffSource* speaking = nullptr;
TIFFErrorHandler others_errors = nullptr, others_warnings = nullptr;
TIFFErrorHandlerExt others_errors_ext = nullptr, others_warnings_ext = nullptr;

void take_error(const char* module, const char* format, va_list arguments) {
  if (speaking == nullptr) {
    if (others_errors != nullptr) others_errors(module, format, arguments);
    return;
  }
  if (!speaking->problem.empty()) return;  // the first one is the cause
  char text[256];
  std::vsnprintf(text, sizeof text, format, arguments);
  speaking->problem = text;
}
void take_warning(const char* module, const char* format, va_list arguments) {
  if (speaking == nullptr && others_warnings != nullptr) others_warnings(module, format, arguments);
}
void take_error_ext(thandle_t handle, const char* module, const char* format, va_list arguments) {
  if (speaking == nullptr && others_errors_ext != nullptr)
    others_errors_ext(handle, module, format, arguments);
}
void take_warning_ext(thandle_t handle, const char* module, const char* format, va_list arguments) {
  if (speaking == nullptr && others_warnings_ext != nullptr)
    others_warnings_ext(handle, module, format, arguments);
}

void take_messages() {
  static std::once_flag once;
  std::call_once(once, [] {
    others_errors = TIFFSetErrorHandler(take_error);
    others_warnings = TIFFSetWarningHandler(take_warning);
    others_errors_ext = TIFFSetErrorHandlerExt(take_error_ext);
    others_warnings_ext = TIFFSetWarningHandlerExt(take_warning_ext);
  });
}

}  // namespace

TIFF* open_tiff(TiffSource& source) {
  // m: not mapped into memory; C: a single large strip is read in parts.
  return TIFFClientOpen("", "rmC", &source, read_bytes, refuse_writing, seek_to, leave_open, size_of, nullptr,
                        nullptr);
}

TiffSpeaks::TiffSpeaks(TiffSource& source) {
  take_messages();
  speaking = &source;
}
TiffSpeaks::~TiffSpeaks() { speaking = nullptr; }

}  // namespace glidepath
