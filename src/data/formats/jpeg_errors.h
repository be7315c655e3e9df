// src/data/formats/jpeg_errors.h - libjpeg's errors, which end in a long jump.
#pragma once
#include <csetjmp>
#include <cstdio>
#include <jpeglib.h>

namespace glidepath {

/// `base` is what the library knows; its error_exit is to be leave_jpeg. Where the jump ends, `message` says
/// why.
struct JpegErrors {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] inline void leave_jpeg(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  errors->base.format_message(info, errors->message);
  std::longjmp(errors->back, 1);
}

}  // namespace glidepath
