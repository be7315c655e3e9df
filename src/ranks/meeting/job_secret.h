// src/ranks/meeting/job_secret.h - what the processes of a job know and nobody else, and how they come by it.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace glidepath {

/// The variable that hands it on.
constexpr const char* kJobSecret = "GLIDEPATH_JOB_SECRET";

/// 64 hexadecimal digits of the system's randomness.
std::string random_secret();

/// This user's, for jobs on several machines whose launcher hands none on: a file below the home folder,
/// which they share. Made where there is none. Throws InputError where it cannot be made or read, or others
/// may.
std::string secret_of_user();

/// $TMPDIR/glidepath-UID or /tmp/glidepath-UID.
std::filesystem::path own_temporary_folder();

/// Where rank 0 tells the others of its machine how to reach it. The folder is this user's alone.
class MeetingFile {
 public:
  struct Told {
    int port = 0;
    std::string secret;
  };
  explicit MeetingFile(std::filesystem::path file) : file_(std::move(file)) {}

  /// Throws RunError where it cannot be written, or the folder is not this user's alone.
  void write(const Told& told) const;
  /// Nothing where there is none yet. Throws RunError for a file that is not this user's alone.
  std::optional<Told> read() const;
  void remove() const;
  const std::filesystem::path& path() const { return file_; }

 private:
  std::filesystem::path file_;
};

}  // namespace glidepath
