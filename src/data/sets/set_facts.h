// src/data/sets/set_facts.h - what is known of data sets by name, without their files.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace glidepath {

struct SetFacts {
  std::int64_t classes = 0;              ///< 0: the folder says
  std::vector<std::string> class_names;  ///< may be empty
  std::int64_t channels = 0, side = 0;   ///< of its images; side 0: any
  std::vector<float> mean, stddev;       ///< as Dataset has them
  bool flip = true;                      ///< likewise
};

/// Of cifar10, cifar100, mnist, fashion-mnist, digits; of "imagefolder:PATH" what all have in common. Nothing
/// for another name.
std::optional<SetFacts> set_facts(const std::string& name);

}  // namespace glidepath
