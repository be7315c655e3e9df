// src/config/own_programs.h - programs of a user's own that belong to a run: the file that is its model, and
// its plug-in.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "glidepath/train_config.h"

namespace glidepath {

/// A model that is a file: "script:net.pt".
struct ModelFile {
  std::string prefix;  ///< script:
  std::filesystem::path file;
  std::string kept;  ///< what a run's folder calls its copy: model.pt
};
/// Of the options model_sha256 and plugin_sha256.
bool is_program_hash(const std::string& key);

/// Nothing for a network by name.
std::optional<ModelFile> model_file(const std::string& model);

/// SHA-256 of files, each read once.
class KnownHashes {
 public:
  /// 64 hexadecimal digits; empty for a file that cannot be read, of which its reader will tell.
  const std::string& of(const std::filesystem::path& file);

 private:
  std::map<std::filesystem::path, std::string> hashes_;
};

/// Of a run that is to begin: fills model_sha256 and plugin_sha256. Throws InputError naming the file and
/// both hashes where one is given and the file has another, and for one that is given of no file.
void identify_programs(TrainConfig& config, KnownHashes& known);

/// The configuration that a run has left, for who is to load its programs: the model is the copy in the run's
/// folder where there is one. Throws InputError naming the file and both hashes where copy or plug-in, or a
/// model without a copy, is not what the run was begun with. Runs that recorded no hashes are taken as they
/// are.
TrainConfig with_programs_of_run(TrainConfig config, const std::filesystem::path& run);

/// What to tell of a run that goes on with its copy where the file that it was made of has another content by
/// now; empty where there is nothing to tell.
std::string changed_since(const TrainConfig& config, const std::filesystem::path& run);

/// Copies the model's file to its name in `folder`, whole or not at all, unless the right one is there: from
/// `folder_before`, where the run has been so far, or else from where the user has it. Nothing for other
/// models, and where no hash is known. Throws InputError where no file has the content any more, RunError
/// when the disk refuses.
void keep_model_file(const TrainConfig& config, const std::filesystem::path& folder,
                     const std::filesystem::path& folder_before);

}  // namespace glidepath
