// src/data/formats/tiff_source.h - what libtiff reads from, and what becomes of its messages.
#pragma once
#include <string>
#include <tiffio.h>

#include "data/images/image_store.h"

namespace glidepath {

/// A file in memory, as libtiff is given one; where it is in it, and what it says is wrong.
struct TiffSource {
  const unsigned char* data = nullptr;
  std::size_t bytes = 0, at = 0;
  std::string problem;  ///< the first one is the cause
};

/// Null where libtiff does not take it: `problem` says why. `source` must stay in place until TIFFClose().
TIFF* open_tiff(TiffSource& source);

/// While it lives, messages of this thread are those of the source. libtiff has one place for them in a
/// process, and prints what nobody takes there; what others do with theirs is left as it is.
class TiffSpeaks {
 public:
  explicit TiffSpeaks(TiffSource& source);
  ~TiffSpeaks();
  TiffSpeaks(const TiffSpeaks&) = delete;
  TiffSpeaks& operator=(const TiffSpeaks&) = delete;
};

}  // namespace glidepath
