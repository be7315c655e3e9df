// src/files/home.h - ~ in paths, and folders that the environment names.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace glidepath {

/// The user's home: $HOME, or else as the system's list of users has it. Empty where neither says.
std::filesystem::path home_folder();

/// A path with a ~ or ~user before its first slash replaced by that home, as a shell does it for a word of
/// its own but not in --out=~/x, in quotes, or in a file. Nothing where there is no such user. A file that is
/// really called ~ is ./~.
std::optional<std::string> expand_home(const std::string& path);

/// What is wrong with a path that expand_home() cannot do; begins with what would be right.
inline constexpr const char* kNoSuchHome =
    "there is no such user, or no home; write ./ before a name that begins with ~";

/// The folder that a variable of the environment names, with expand_home(); empty where it is unset or empty.
/// Throws InputError.
std::filesystem::path folder_named_by(const char* variable);

}  // namespace glidepath
