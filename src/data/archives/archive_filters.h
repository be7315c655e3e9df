// src/data/archives/archive_filters.h - what libarchive may be asked to read.
#pragma once

struct archive;

namespace glidepath {

/// Lets `reader` read every compression that this libarchive knows by itself: gzip, bzip2, xz, lzma, zstd,
/// lz4 and compress, as far as it was built with them. For those that it does not know it would start
/// programs.
void read_compressed(archive* reader);

}  // namespace glidepath
