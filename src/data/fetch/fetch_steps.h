// src/data/fetch/fetch_steps.h - the ways in which missing files of a data set are brought in.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "data/fetch/download.h"
#include "data/fetch/fetch_context.h"
#include "files/folder.h"
#include "glidepath/fetch.h"

namespace glidepath {

/// The folders of one fetch.
struct FetchPlaces {
  Folder target;  ///< where the files go
  Folder work;    ///< parts of downloads; kept when a fetch is stopped
  /// Whole files on their way; made where it is missing.
  Folder staged() const { return work.make_inside("staged"); }
};

/// Puts a checked file from staged() into the target.
void place(const DataFile& file, const FetchPlaces& places);

/// Downloads and places what it can of `wanted`, which keeps the rest; failures are in the log.
/// Throws RunError for the disk, Interrupted when stopped.
void fetch_by_download(const DataSource& source, std::vector<DataFile>& wanted, const FetchPlaces& places,
                       FetchContext& context, DownloadLog& log);

/// Takes all of `wanted` from options.from. Throws InputError that names what is missing or wrong there.
void fetch_from_disk(const DataSource& source, const std::vector<DataFile>& wanted, const FetchPlaces& places,
                     FetchContext& context);

/// Throws InputError unless options.source and options.mirrors make sense.
void check_source_option(const DataSource& source, const FetchOptions& options);

}  // namespace glidepath
