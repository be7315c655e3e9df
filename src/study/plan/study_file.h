// src/study/plan/study_file.h - a study file as it stands: names, figures, and the grids of a profile.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/toml.h"
#include "glidepath/study.h"
#include "study/plan/settings.h"

namespace glidepath {

/// Every member throws InputError that begins with the file, and the line of what is wrong in it.
class StudyFile {
 public:
  explicit StudyFile(const std::filesystem::path& file);
  const std::string& text() const { return text_; }
  StudyReference reference() const;
  /// The text of a key; `fallback` where the file has none.
  std::string text_of(const char* key, const std::string& fallback) const;
  std::vector<std::string> figures() const;
  std::map<std::string, std::string> labels() const;
  SlurmSettings slurm() const;
  /// The products that the study is the union of, with a profile ("": none) applied to each.
  std::vector<Settings> products(const std::string& profile) const;
  bool is_union(const std::string& profile) const;
  /// Reads every profile, so that a mistake in one is found before it is needed.
  void check_profiles() const;

 private:
  std::string where(const toml::key& key) const;
  std::string line_of(const toml::node& node) const;
  const toml::table* table_of(const toml::table& table, const std::string& key) const;
  const toml::table* grid_table() const;
  std::vector<Setting> read_base() const;
  std::vector<Setting> read_single_grid(const toml::table& grid, const Settings& base) const;
  /// Each table of [[grid]]; a single value of it replaces that of [base].
  std::vector<std::vector<Setting>> read_grids(const toml::table& table, const std::string& shown) const;
  std::vector<Setting> read_profile(const toml::table& profile) const;
  std::vector<std::string> profile_names() const;
  const toml::table& profile_table(const std::string& wanted) const;

  std::string name_, text_;
  toml::table table_;
};

}  // namespace glidepath
