// tests/docs/models_doc_test.cpp - docs/models.md against the models, and its Python against PyTorch.
#include <algorithm>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/models.h"
#include "glidepath/safetensors.h"
#include "support/markdown.h"
#include "support/models.h"
#include "support/python.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

const Markdown& doc() {
  static const Markdown document(GLIDEPATH_SOURCE_DIR "/docs/models.md");
  return document;
}

/// "11,173,962" and "1,112.07" as numbers.
double number(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ','), text.end());
  return std::stod(text);
}

TEST(ModelsDoc, SizesAndCostsAreThoseOfTheModels) {
  std::vector<std::string> listed;
  for (const auto& row : doc().table("MFLOP an image")) {
    ModelOptions options;
    options.name = unquoted(row.at("model"));
    SCOPED_TRACE(options.name + " " + row.at("image"));
    options.width = std::stod(row.at("width"));
    options.stem = row.at("stem");
    options.classes = std::stoll(row.at("classes"));
    const std::string image = row.at("image");
    if (model_kind(options.name) == ModelKind::kTokens) {
      options.context = std::stoll(image);
    } else {
      options.in_channels = std::stoll(image);
      options.image_size = std::stoll(image.substr(image.find("×") + std::string("×").size()));
    }
    const auto model = make_model(options);
    double parameters = 0;
    for (const auto& parameter : model->parameters()) parameters += static_cast<double>(parameter.numel());
    EXPECT_EQ(number(row.at("parameters")), parameters);
    EXPECT_NEAR(number(row.at("MFLOP an image")), model->cost()->forward / 1e6, 0.005001);
    listed.push_back(options.name);
  }
  for (const std::string& name : model_names())
    EXPECT_NE(std::find(listed.begin(), listed.end(), name), listed.end()) << name << " has no row";
}

TEST(ModelsDoc, ChannelsAndBlocksAreThoseOfTheModels) {
  const auto rows = doc().table("channels");
  EXPECT_EQ(rows.size(), model_names().size() - 5);  // without airbench, convnet, mlp, unet and gpt
  for (const auto& row : rows) {
    ModelOptions options;
    options.name = unquoted(row.at("model"));
    SCOPED_TRACE(options.name);
    const TensorMap state = state_dict(*make_model(options));
    std::string channels, blocks;
    for (int stage = 1; state.count("layer" + std::to_string(stage) + ".0.conv1.weight"); ++stage) {
      const std::string layer = "layer" + std::to_string(stage) + ".";
      int count = 0;
      while (state.count(layer + std::to_string(count) + ".conv1.weight")) ++count;
      channels += (channels.empty() ? "" : "-") + std::to_string(state.at(layer + "0.conv1.weight").size(0));
      blocks += (blocks.empty() ? "" : "-") + std::to_string(count);
    }
    EXPECT_EQ(row.at("channels"), channels);
    EXPECT_EQ(row.at("blocks"), blocks);
  }
}

// The page's own Python, in both directions: our weights give PyTorch our logits, and come back the same.
TEST(ModelsDoc, WeightsGoToPythonAndBackAsItShows) {
  GLIDEPATH_NEED_PYTHON("torchvision");
  GLIDEPATH_NEED_PYTHON("safetensors");
  const TemporaryFolder temporary("models");
  const fs::path& folder = temporary.path();
  fs::create_directories(folder / "runs/a");
  at::manual_seed(5);
  const auto model = make_model({});
  model->train(false);
  const at::NoGradGuard no_grad;
  const torch::Tensor images = torch::randn({2, 3, 32, 32});
  save_safetensors(folder / "runs/a/model.safetensors", state_dict(*model));
  save_safetensors(folder / "images.safetensors", {{"images", images}});

  std::string script = "import os, sys\nos.chdir(sys.argv[1])\n";
  for (const auto& block : doc().blocks("python")) {
    std::string lines;
    for (const std::string& line : block) lines += line + "\n";
    if (lines.find("safetensors") != std::string::npos)
      script += lines;  // the other one is of an exported run
  }
  script +=
      "model.eval()\nsave_file({'logits': model(load_file('images.safetensors')['images']).detach()}, "
      "'logits.safetensors')\n";
  const PythonResult result = run_python(folder, script, folder.string());
  ASSERT_EQ(result.status, 0) << result.output;

  const torch::Tensor theirs = load_safetensors(folder / "logits.safetensors").at("logits");
  EXPECT_LE((outputs_for(*model, images) - theirs).abs().max().item<double>(), 1e-4);
  const auto back = make_model({});
  load_state_dict(*back, load_safetensors(folder / "weights.safetensors"));
  for (const auto& [key, tensor] : state_dict(*model))
    EXPECT_TRUE(torch::equal(tensor, state_dict(*back).at(key))) << key;
}

}  // namespace
}  // namespace glidepath
