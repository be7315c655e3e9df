// src/core/data_names.h - data sets that are named by where they lie.
#pragma once
#include <string>

namespace glidepath {

constexpr const char* kTensors = "tensors:";
constexpr const char* kTokens = "tokens:";
constexpr const char* kSegmentation = "segmentation:";

/// What the name of a data set begins with where a path follows; empty where it is a name alone.
inline std::string data_prefix(const std::string& data) {
  for (const char* prefix : {"imagefolder:", kTensors, kTokens, kSegmentation}) {
    if (data.rfind(prefix, 0) == 0) return prefix;
  }
  return "";
}

/// Of these, those that have no labelled images: files of one's own.
inline bool is_own_path(const std::string& data) {
  const std::string prefix = data_prefix(data);
  return !prefix.empty() && prefix != "imagefolder:";
}

}  // namespace glidepath
