// src/files/read_failed.h - a file that its disk does not give at the moment.
#pragma once
#include <filesystem>
#include <string>
#include <system_error>

#include "glidepath/error.h"

namespace glidepath {

/// The system refused to read a file. That says nothing of what the file holds: a disk may be back in a
/// moment.
class ReadFailed : public RunError {
 public:
  /// `reason` is the system's number for it; 0 where the file ended before what was there when it was opened.
  ReadFailed(const std::string& message, int reason) : RunError(message), reason_(reason) {}
  int reason() const { return reason_; }

 private:
  int reason_;
};

/// Whether a number of the system tells of a disk, a network or a machine in trouble, and not of a path or a
/// permission that is wrong.
bool is_trouble_of_the_disk(int reason);

/// Throws ReadFailed for an error of that kind; `path` could not be looked at.
void throw_if_in_trouble(const std::filesystem::path& path, const std::error_code& error);

}  // namespace glidepath
