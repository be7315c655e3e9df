// src/data/sets/readers.h - the file formats of data sets, each checked as it is read.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "glidepath/dataset.h"

namespace glidepath {

/// Records of `label_bytes` bytes, the last of which is the label used, then 3 x 32 x 32 pixel bytes;
/// `records` in each file. CIFAR-10 has one label byte, CIFAR-100 two (coarse, fine). Throws InputError
/// naming the file for a wrong size or label.
Split read_cifar(const std::vector<std::filesystem::path>& files, std::int64_t label_bytes,
                 std::int64_t records, std::int64_t classes);

/// The idx format of MNIST, plain or gzip-compressed: images uint8 [count, height, width], labels uint8
/// [count]. Throws InputError naming the file for a wrong magic number, extent, length, or a damaged gzip
/// stream.
Split read_idx(const std::filesystem::path& images, const std::filesystem::path& labels, std::int64_t count,
               std::int64_t size, std::int64_t classes);

/// The digits that the program carries: train and test split.
std::pair<Split, Split> read_digits();

/// Throws InputError when a label is not in [0, classes); `place` names the file.
void check_labels(const torch::Tensor& labels, std::int64_t classes, const std::string& place);

}  // namespace glidepath
