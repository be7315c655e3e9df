// src/data/own/own_sets.h - data sets of files of one's own: tensors, tokens, images with masks.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "glidepath/data_choice.h"
#include "glidepath/dataset.h"

namespace glidepath {

/// Where "tensors:PATH" and its like lie; a relative path is taken from `data_dir` where one is given.
std::filesystem::path own_path(const std::string& data, const std::filesystem::path& data_dir);

/// Fills in all but the name. Throws InputError that names file, tensor or image, and what is wrong with it.
void load_own_set(Dataset& dataset, const std::filesystem::path& path, const DataChoice& choice);

/// Throws InputError where nothing is there.
void require_own_set(const std::filesystem::path& path);

/// DataChoice::ignored_label as a number; -1: none.
std::int64_t ignored_label(const DataChoice& choice);

// By what they are called.
void load_tensor_set(Dataset& dataset, const std::filesystem::path& path, const DataChoice& choice);
void load_token_set(Dataset& dataset, const std::filesystem::path& path, const DataChoice& choice);
void load_mask_set(Dataset& dataset, const std::filesystem::path& path, const DataChoice& choice);

}  // namespace glidepath
