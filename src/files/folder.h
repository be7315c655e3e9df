// src/files/folder.h - a folder that is held open, in which no link leads what is written elsewhere.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/error.h"

namespace glidepath {

/// A link, or something else that is none of ours, in the place of a folder or file that we make ourselves.
/// Exit status 2, though it may turn up in the middle of a run.
class LinkInTheWay : public RunError {
 public:
  using RunError::RunError;
  int exit_status() const noexcept override { return kExitWrongInput; }
};

/// Where links count: on the path that a user gives, they are followed (--out runs/a, where runs is a link to
/// another disk). Below it every name is one that we make; a link there was put there by somebody, and is
/// never followed to write, shorten or delete what it leads to.
///
/// Names are single ones, without a slash. Failures throw RunError that names the path. Copies share the open
/// folder.
class Folder {
 public:
  /// The folder at a path that a user gave.
  static Folder open(const std::filesystem::path& path);
  /// Likewise; nothing, and errno says why, when it cannot be opened.
  static std::optional<Folder> try_open(const std::filesystem::path& path);
  /// Likewise; it and those above it are made where they are missing. See make_output_folder().
  static Folder make(const std::filesystem::path& path);

  /// The folder `name` in this one, made where it is missing. Throws LinkInTheWay.
  Folder make_inside(const std::string& name) const;
  /// Nothing where there is none. Throws LinkInTheWay.
  std::optional<Folder> find_inside(const std::string& name) const;
  /// A new folder that this user alone may enter: PREFIX and some letters that nobody can guess.
  Folder make_unique(const std::string& prefix) const;

  /// True if anything has this name, a link to nothing too.
  bool has(const std::string& name) const;
  /// What is in it; nothing where that cannot be read.
  std::vector<std::string> names() const;

  /// A new, empty file, open for writing; the descriptor is the caller's. -1, and errno says why, when it
  /// cannot be made, EEXIST where something has the name.
  int create_new(const std::string& name, unsigned mode = 0666) const;
  /// The same; what has the name is removed first.
  int create(const std::string& name, unsigned mode = 0666) const;
  /// The same under a name that nothing has, `before`, letters that nobody can guess, `after`; -1, and errno
  /// says why, when it cannot be made.
  int create_unique(const std::string& before, const std::string& after, std::string& name) const;
  /// The file that is there, if it is one to write to: a regular one, of one name, no link, and this user's
  /// own (root may write all). -1, and errno says why, otherwise.
  int open_plain(const std::string& name, int flags) const;
  /// open_plain(), or else a new file.
  int open_or_create(const std::string& name, int flags, unsigned mode = 0666) const;

  /// A file or a link; silent where there is none or the disk refuses.
  void remove(const std::string& name) const noexcept;
  /// With all that is in it, links not followed; silent likewise.
  void remove_all(const std::string& name) const noexcept;
  /// Replaces what has the new name. Throws RunError.
  void rename(const std::string& name, const Folder& to, const std::string& new_name) const;
  /// An empty folder; silent likewise.
  void remove_folder(const std::string& name) const noexcept;
  /// Has the disk know the names. Some file systems refuse this, and need it least.
  void flush() const noexcept;

  int descriptor() const;
  /// As messages call it.
  const std::filesystem::path& path() const { return path_; }
  /// A path that leads to `name` through the open folder: for libraries that want one.
  std::filesystem::path way_to(const std::string& name) const;

 private:
  struct Handle;
  Folder(std::filesystem::path path, int descriptor);
  std::optional<Folder> enter(const std::string& name) const;

  std::filesystem::path path_;
  std::shared_ptr<const Handle> handle_;
};

/// Letters that nobody can guess, for names of files.
std::string random_letters();

}  // namespace glidepath
