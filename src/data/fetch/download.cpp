// src/data/fetch/download.cpp - retries, mirrors and the check of what came.
#include "data/fetch/download.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/fetch/part_file.h"
#include "data/fetch/transfer.h"
#include "files/checksum.h"

namespace glidepath {
namespace {

constexpr std::int64_t kGettingOn = 64 * 1024;  // bytes that make a new start of the count of retries
constexpr double kLongestWait = 30;

std::string checksum_of(const PartFile& part, const DataDownload& wanted, FetchContext& context) {
  Hasher hasher(wanted.checksum);
  std::int64_t done = 0;
  context.begin("checking", wanted.name, wanted.bytes);
  part.read([&](const char* data, std::size_t bytes) {
    hasher.add(data, bytes);
    context.advance(done += static_cast<std::int64_t>(bytes));
  });
  return hasher.finish();
}

/// True when the part has (or nobody knows) the right checksum, and then it is on the disk; a wrong part is
/// emptied.
bool is_right(PartFile& part, const DataDownload& wanted, FetchContext& context, std::string& reason) {
  const std::string found = wanted.checksum.empty() ? "" : checksum_of(part, wanted, context);
  if (found == wanted.checksum) {
    part.sync();
    return true;
  }
  reason = fmt::format("has checksum {}, expected {}", found, wanted.checksum);
  part.clear();
  return false;
}

/// Fills the part from one address; the reason why not otherwise.
bool download_from(const std::string& url, PartFile& part, const DataDownload& wanted, FetchContext& context,
                   DownloadLog& log, std::string& reason) {
  const FetchOptions& options = context.options;
  int failed = 0;
  bool may_be_stale = part.size() > 0;  // some of the part is not from this address
  double wait = options.retry_wait_seconds;
  for (;;) {
    if (wanted.bytes >= 0 && part.size() > wanted.bytes) part.clear();
    context.begin("downloading", wanted.name, std::max<std::int64_t>(0, wanted.bytes), part.size());
    const TransferEnd end = transfer(url, part, wanted.bytes, wanted.most_bytes, context);
    log.downloaded += end.received;
    if (end.kept == 0) may_be_stale = false;
    switch (end.what) {
      case TransferEnd::What::kWhole:
        if (is_right(part, wanted, context, reason)) return true;
        if (!may_be_stale) return false;
        may_be_stale = false;
        context.note(
            fmt::format("{}: with what an earlier download left it {}; beginning anew", wanted.name, reason));
        continue;
      case TransferEnd::What::kNoServer:
        log.no_server.insert(host_of(url));
        [[fallthrough]];
      case TransferEnd::What::kGiveUp:
        reason = end.reason;
        return false;
      case TransferEnd::What::kTryAgain:
        break;
    }
    reason = end.reason;
    if (end.received >= kGettingOn) {
      failed = 0;
      wait = options.retry_wait_seconds;
    }
    if (++failed > options.retries) return false;
    const double pause = std::max(wait, end.wait_seconds);
    context.note(
        fmt::format("{}: {}; trying again in {:.3g} s, from byte {}", url, reason, pause, part.size()));
    context.wait(pause);
    wait = std::min(2 * wait, kLongestWait);
  }
}

}  // namespace

std::string host_of(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  return url.substr(scheme + 3, url.find_first_of("/?#", scheme + 3) - scheme - 3);
}

bool download(const DataDownload& wanted, const std::vector<std::string>& addresses, const Folder& folder,
              const std::string& part_name, FetchContext& context, DownloadLog& log) {
  PartFile part(folder, part_name);
  std::string reason;
  const std::int64_t most = wanted.bytes >= 0 ? wanted.bytes : wanted.most_bytes;
  if (most >= 0 && part.size() > most) part.clear();
  const std::int64_t left_behind = part.size();
  if (left_behind == wanted.bytes) {  // an earlier run ended just after it, as on a full disk
    if (is_right(part, wanted, context, reason)) {
      log.resumed += left_behind;
      log.source = "an earlier download";
      return true;
    }
  } else if (left_behind > 0) {
    context.note(fmt::format("{}: {} bytes are here from an earlier download", wanted.name, left_behind));
  }
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string& url = addresses[i];
    if (log.no_server.count(host_of(url)) != 0) continue;
    const std::int64_t before = log.downloaded;
    if (download_from(url, part, wanted, context, log, reason)) {
      log.resumed += std::max<std::int64_t>(0, part.size() - (log.downloaded - before));
      log.source = url;
      return true;
    }
    log.failures.push_back(url + ": " + reason);
    context.note(log.failures.back());
  }
  return false;
}

}  // namespace glidepath
