// src/data/sets/set_facts.cpp - what is known of data sets by name, without their files.
#include "data/sets/set_facts.h"

#include <map>

namespace glidepath {
namespace {

SetFacts cifar10() {
  return {10,
          {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
          3,
          32,
          {0.4914F, 0.4822F, 0.4465F},
          {0.2470F, 0.2435F, 0.2616F},
          true};
}

SetFacts cifar100() {
  return {100, {}, 3, 32, {0.5071F, 0.4865F, 0.4409F}, {0.2673F, 0.2564F, 0.2762F}, true};
}

// A mirrored digit is another sign.
SetFacts mnist() { return {10, {}, 1, 28, {0.1307F}, {0.3081F}, false}; }

SetFacts fashion_mnist() {
  return {10,
          {"T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
           "ankle boot"},
          1,
          28,
          {0.2860F},
          {0.3530F},
          true};
}

SetFacts digits() { return {10, {}, 1, 8, {0.3053F}, {0.3760F}, false}; }

// Mean and deviation are ImageNet's, as everyone uses them.
SetFacts image_folder() { return {0, {}, 3, 0, {0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}, true}; }

}  // namespace

std::optional<SetFacts> set_facts(const std::string& name) {
  if (name.rfind("imagefolder:", 0) == 0) return image_folder();
  static const std::map<std::string, SetFacts (*)()> sets = {{"cifar10", cifar10},
                                                             {"cifar100", cifar100},
                                                             {"mnist", mnist},
                                                             {"fashion-mnist", fashion_mnist},
                                                             {"digits", digits}};
  const auto found = sets.find(name);
  return found == sets.end() ? std::nullopt : std::optional<SetFacts>(found->second());
}

}  // namespace glidepath
