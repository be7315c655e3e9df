// src/data/archives/archive_filters.cpp - what libarchive may be asked to read.
#include "data/archives/archive_filters.h"

#include <archive.h>
#include <vector>

namespace glidepath {
namespace {

using Filter = int (*)(archive*);

std::vector<Filter> own_filters() {
  std::vector<Filter> own;
  for (const Filter filter :
       {archive_read_support_filter_gzip, archive_read_support_filter_bzip2, archive_read_support_filter_xz,
        archive_read_support_filter_lzma, archive_read_support_filter_zstd, archive_read_support_filter_lz4,
        archive_read_support_filter_compress}) {
    archive* probe = archive_read_new();
    // It warns where a program would do the work.
    if (probe != nullptr && filter(probe) == ARCHIVE_OK) own.push_back(filter);
    archive_read_free(probe);
  }
  return own;
}

}  // namespace

void read_compressed(archive* reader) {
  static const std::vector<Filter> filters = own_filters();
  for (const Filter filter : filters) filter(reader);
}

}  // namespace glidepath
