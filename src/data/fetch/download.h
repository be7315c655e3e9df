// src/data/fetch/download.h - one download from the first address that gives it, whole and right.
#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "data/fetch/fetch_context.h"
#include "files/folder.h"
#include "glidepath/fetch.h"

namespace glidepath {

/// What the downloads of one fetch know of each other.
struct DownloadLog {
  std::vector<std::string> failures;  ///< "ADDRESS: reason", in the order they happened
  std::set<std::string> no_server;    ///< hosts that could not be reached
  std::int64_t downloaded = 0, resumed = 0;
  std::string source;  ///< the address that gave the last download
};

/// Makes the file `part` in `folder` the whole download, from what it holds already; returns whether an
/// address gave it. Its bytes have the download's checksum and are on the disk then. Otherwise the part is
/// left for another time, unless wrong. Throws RunError when the disk fails, Interrupted when stopped.
bool download(const DataDownload& wanted, const std::vector<std::string>& addresses, const Folder& folder,
              const std::string& part, FetchContext& context, DownloadLog& log);

/// The host of a URL, with the port.
std::string host_of(const std::string& url);

}  // namespace glidepath
