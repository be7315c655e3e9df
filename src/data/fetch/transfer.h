// src/data/fetch/transfer.h - one HTTP request that appends to a part file.
#pragma once
#include <string>

#include "data/fetch/fetch_context.h"
#include "data/fetch/part_file.h"

namespace glidepath {

/// How one request ended.
struct TransferEnd {
  enum class What {
    kWhole,     ///< the part has the expected size
    kTryAgain,  ///< may pass: a broken connection, 5xx, 429
    kGiveUp,    ///< will not: 404, other content
    kNoServer,  ///< no connection to that server at all
  };
  What what = What::kGiveUp;
  std::string reason;         ///< lower case, without the address
  double wait_seconds = 0;    ///< what the server asks to wait before another try
  std::int64_t received = 0;  ///< bytes appended by this request
  std::int64_t kept = 0;      ///< bytes of the part that it went on from
};

/// Asks for what `part` lacks of `expected_bytes` (-1: as many as the server says, or sends, but no more than
/// `most_bytes`), by Range. Where the
/// server sends all of it instead, the part is begun anew. Whether the bytes are right is for a checksum to
/// say: what may be an old part of another server needs no If-Range, as every copy must have the same
/// checksum. Throws RunError when the disk fails and Interrupted when stopped; the part keeps what came.
TransferEnd transfer(const std::string& url, PartFile& part, std::int64_t expected_bytes,
                     std::int64_t most_bytes, FetchContext& context);

}  // namespace glidepath
