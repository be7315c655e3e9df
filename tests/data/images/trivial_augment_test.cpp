// tests/data/images/trivial_augment_test.cpp - TrivialAugment's operators against torchvision's.
#include "data/images/trivial_augment.h"

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/safetensors.h"

namespace glidepath {
namespace {

const std::map<std::string, ImageOp> kNames = {{"Identity", ImageOp::kIdentity},
                                               {"ShearX", ImageOp::kShearX},
                                               {"ShearY", ImageOp::kShearY},
                                               {"TranslateX", ImageOp::kTranslateX},
                                               {"TranslateY", ImageOp::kTranslateY},
                                               {"Rotate", ImageOp::kRotate},
                                               {"Brightness", ImageOp::kBrightness},
                                               {"Color", ImageOp::kColor},
                                               {"Contrast", ImageOp::kContrast},
                                               {"Sharpness", ImageOp::kSharpness},
                                               {"Posterize", ImageOp::kPosterize},
                                               {"Solarize", ImageOp::kSolarize},
                                               {"AutoContrast", ImageOp::kAutoContrast},
                                               {"Equalize", ImageOp::kEqualize}};

/// By planes, or by pixels of 4 bytes as decoders leave them.
torch::Tensor changed(const torch::Tensor& image, ImageOp op, double magnitude, bool by_pixels) {
  const std::int64_t height = image.size(1), width = image.size(2);
  if (!by_pixels) {
    torch::Tensor result = image.clone();
    apply(op, magnitude, {result.data_ptr<std::uint8_t>(), image.size(0), height, width, height * width, 1});
    return result;
  }
  torch::Tensor pixels = torch::full({height, width, 4}, 9, torch::kUInt8);
  pixels.slice(2, 0, image.size(0)).copy_(image.permute({1, 2, 0}));
  apply(op, magnitude, {pixels.data_ptr<std::uint8_t>(), image.size(0), height, width, 1, 4});
  return pixels.slice(2, 0, image.size(0)).permute({2, 0, 1}).contiguous();
}

TEST(TrivialAugment, OperatorsAreTorchvisions) {
  const TensorMap golden = load_safetensors(GLIDEPATH_TEST_DATA "/images/trivial.safetensors");
  std::set<std::string> seen;
  for (const auto& [name, expected] : golden) {
    const std::size_t first = name.find('/'), second = name.rfind('/');
    if (first == std::string::npos) continue;
    SCOPED_TRACE(name);
    const std::string op = name.substr(first + 1, second - first - 1);
    seen.insert(op);
    for (const bool by_pixels : {false, true}) {
      const torch::Tensor found = changed(golden.at(name.substr(0, first)), kNames.at(op),
                                          std::stod(name.substr(second + 1)), by_pixels);
      const torch::Tensor differences = (found.to(torch::kInt32) - expected.to(torch::kInt32)).abs();
      // Pixels between two, and means that are rounded in another order.
      const bool moves = op.rfind("Shear", 0) == 0 || op == "Rotate";
      if (moves) {
        EXPECT_LT(differences.gt(0).to(torch::kFloat32).mean().item<double>(), 0.01);
      } else {
        EXPECT_LE(differences.max().item<int>(), op == "Contrast" ? 1 : 0);
      }
    }
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kImageOps));
}

TEST(TrivialAugment, IsAFunctionOfItsKeyAndDoesAllKinds) {
  const torch::Tensor image = load_safetensors(GLIDEPATH_TEST_DATA "/images/trivial.safetensors").at("rgb");
  std::set<std::string> kinds;
  int same = 0;
  for (std::uint64_t key = 0; key < 500; ++key) {
    torch::Tensor a = image.clone(), b = image.clone();
    for (torch::Tensor* each : {&a, &b})
      trivial_augment({1, key}, {each->data_ptr<std::uint8_t>(), 3, 17, 20, 17 * 20, 1});
    ASSERT_TRUE(torch::equal(a, b));
    same += torch::equal(a, image) ? 1 : 0;
    kinds.insert(std::string(reinterpret_cast<const char*>(a.data_ptr<std::uint8_t>()), 1020));
  }
  EXPECT_GT(kinds.size(), 250U);
  EXPECT_NEAR(same, 500.0 / 14 + 25, 40);  // the identity, and magnitudes of 0 and near it
}

TEST(RandAugment, MagnitudesAndBytesAreTorchvisions) {
  const TensorMap pictures = load_safetensors(GLIDEPATH_TEST_DATA "/images/trivial.safetensors");
  std::set<std::string> seen;
  for (const auto& [name, expected] : load_safetensors(GLIDEPATH_TEST_DATA "/images/rand.safetensors")) {
    SCOPED_TRACE(name);
    const std::size_t first = name.find('/'), second = name.find('/', first + 1), third = name.rfind('/');
    const torch::Tensor& picture = pictures.at(name.substr(0, first));
    const std::string called = name.substr(first + 1, second - first - 1);
    const ImageOp op = kNames.at(called);
    seen.insert(called);
    ImageBytes size;
    size.height = picture.size(1);
    size.width = picture.size(2);
    const double magnitude =
        std::stoi(name.substr(third + 1)) * rand_magnitude(op, std::stoi(name.substr(second + 1)), size);
    const torch::Tensor found = changed(picture, op, magnitude, false);
    const torch::Tensor differences = (found.to(torch::kInt32) - expected.to(torch::kInt32)).abs();
    if (called.rfind("Shear", 0) == 0 || called == "Rotate") {  // pixels between two
      EXPECT_LT(differences.gt(0).to(torch::kFloat32).mean().item<double>(), 0.01);
    } else {
      EXPECT_LE(differences.max().item<int>(), called == "Contrast" ? 1 : 0);
    }
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kImageOps));
}

TEST(RandAugment, IsAFunctionOfItsKeyAndDoesSoMany) {
  const torch::Tensor image = load_safetensors(GLIDEPATH_TEST_DATA "/images/trivial.safetensors").at("rgb");
  const auto made = [&](std::uint64_t key, const ImageChange& change) {
    torch::Tensor result = image.clone();
    change.apply_to({result.data_ptr<std::uint8_t>(), 3, 17, 20, 17 * 20, 1}, {1, key});
    return std::string(reinterpret_cast<const char*>(result.data_ptr<std::uint8_t>()), 1020);
  };
  std::set<std::string> one, three;
  for (std::uint64_t key = 0; key < 400; ++key) {
    EXPECT_EQ(made(key, {false, 2, 9}), made(key, {true, 2, 9}));
    one.insert(made(key, {false, 1, 9}));
    three.insert(made(key, {false, 3, 9}));
  }
  EXPECT_LE(one.size(), 9U * 2 + 5);  // a level: an image for each operator and sign
  EXPECT_GT(one.size(), 18U);
  EXPECT_GT(three.size(), 300U);
  EXPECT_EQ(made(1, {false, 0, 9}), made(2, {false, 0, 9}));  // none
}

}  // namespace
}  // namespace glidepath
