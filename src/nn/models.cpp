// src/nn/models.cpp - every network by name. A new one is one line here and a file of its own.
#include "glidepath/models.h"

#include <functional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/own_name.h"
#include "glidepath/error.h"
#include "model/module_model.h"
#include "nn/airbench.h"
#include "nn/gpt.h"
#include "nn/network.h"
#include "nn/resnet.h"
#include "nn/small_models.h"
#include "nn/unet.h"

namespace glidepath {
namespace {

constexpr std::int64_t kLargestCifarStemImage = 64;

using Maker = std::function<std::shared_ptr<Network>(const ModelOptions&)>;

Maker resnet(ResNetForm form) {
  return [form = std::move(form)](const ModelOptions& options) {
    return make_resnet(options, form, wants_imagenet_stem(options));
  };
}

// 6n + 2 layers: n blocks in each of three stages (He et al., section 4.2).
Maker cifar_resnet(int n) { return resnet({{16, 32, 64}, {n, n, n}, false}); }

struct Entry {
  std::string name;
  Maker make;
  ModelKind kind = ModelKind::kImages;
};

const std::vector<Entry>& makers() {
  static const std::vector<Entry> list = {
      {"resnet18", resnet({{64, 128, 256, 512}, {2, 2, 2, 2}, false})},
      {"resnet34", resnet({{64, 128, 256, 512}, {3, 4, 6, 3}, false})},
      {"resnet50", resnet({{64, 128, 256, 512}, {3, 4, 6, 3}, true})},
      {"resnet8", cifar_resnet(1)},
      {"resnet20", cifar_resnet(3)},
      {"resnet32", cifar_resnet(5)},
      {"resnet56", cifar_resnet(9)},
      {"airbench", make_airbench},
      {"convnet", make_convnet},
      {"mlp", make_mlp, ModelKind::kNumbers},
      {"unet", make_unet, ModelKind::kMasks},
      {"gpt", make_gpt, ModelKind::kTokens},
  };
  return list;
}

const Entry& entry_of(const std::string& name) {
  for (const Entry& entry : makers()) {
    if (entry.name == name) return entry;
  }
  if (name == kOwnName)
    throw InputError("model \"own\": a program's own, given to glidepath::train(); only that program has it");
  throw InputError(fmt::format("model \"{}\": must be one of {}", name, fmt::join(model_names(), ", ")));
}

/// Knows its cost.
class NetworkModel : public ModuleModel {
 public:
  explicit NetworkModel(const std::shared_ptr<Network>& network)
      : ModuleModel(network, [network = network.get()](
                                 const Values& inputs) { return Values{network->forward(inputs.front())}; }),
        network_(*network) {}
  std::optional<Cost> cost() const override { return network_.cost(); }
  bool takes_any_size() const override { return network_.takes_any_size(); }
  std::int64_t examples_to_begin_with() const override { return network_.examples_to_begin_with(); }
  void begin_with(const Values& inputs) override { network_.begin_with(inputs.front()); }

 private:
  Network& network_;
};

}  // namespace

bool wants_imagenet_stem(const ModelOptions& options) {
  if (options.stem == "imagenet") return true;
  if (options.stem == "cifar") return false;
  if (options.stem == "auto") return options.image_size > kLargestCifarStemImage;
  throw InputError(fmt::format("stem \"{}\": must be one of auto, cifar, imagenet", options.stem));
}

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Entry& entry : makers()) list.push_back(entry.name);
    return list;
  }();
  return names;
}

ModelKind model_kind(const std::string& name) { return entry_of(name).kind; }

std::shared_ptr<Network> make_network(const ModelOptions& options) {
  if (!(options.width > 0 && options.width <= 64)) {
    throw InputError(fmt::format("width \"{}\": must be a number in (0, 64]", options.width));
  }
  if (options.classes < 1 || options.in_channels < 1 || options.image_size < 1) {
    throw InputError(fmt::format(
        "model \"{}\": {} classes and {} channels of {}x{} pixels: all must be at least 1", options.name,
        options.classes, options.in_channels, options.image_size, options.image_size));
  }
  return entry_of(options.name).make(options);
}

std::shared_ptr<Model> make_model(const ModelOptions& options) {
  return std::make_shared<NetworkModel>(make_network(options));
}

}  // namespace glidepath
