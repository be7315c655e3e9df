// src/files/home.cpp - ~ in paths, and folders that the environment names.
#include "files/home.h"

#include <cstdlib>
#include <pwd.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// As the system's list of users has it; of this user for an empty name.
std::string listed_home(const std::string& user) {
  std::vector<char> buffer(1U << 16);
  passwd entry{};
  passwd* found = nullptr;
  const int failed = user.empty() ? ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found)
                                  : ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return failed != 0 || found == nullptr || found->pw_dir == nullptr ? "" : found->pw_dir;
}

}  // namespace

fs::path home_folder() {
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? home : listed_home("");
}

std::optional<std::string> expand_home(const std::string& path) {
  if (path.empty() || path.front() != '~') return path;
  const std::size_t slash = std::min(path.find('/'), path.size());
  const std::string user = path.substr(1, slash - 1);
  const std::string home = user.empty() ? home_folder().string() : listed_home(user);
  if (home.empty()) return std::nullopt;
  return home + path.substr(slash);
}

fs::path folder_named_by(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return {};
  const auto path = expand_home(value);
  if (!path) throw InputError(fmt::format("{} \"{}\": {}", variable, value, kNoSuchHome));
  return *path;
}

}  // namespace glidepath
