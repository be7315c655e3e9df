// tests/compute/choose_device_test.cpp - which device an option gets, on machines of every kind.
#include "compute/choose_device.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "compute/device.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

DeviceFacts machine(int gpus, std::optional<std::string> local_rank = std::nullopt) {
  return {true, gpus, std::nullopt, std::move(local_rank)};
}

std::string message_of(const std::string& text, const DeviceFacts& facts) {
  try {
    choose_device(text, facts);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ChooseDevice, TakesTheGpuThatTheOptionAndTheLauncherSay) {
  struct Case {
    const char* text;
    DeviceFacts facts;
    const char* device;
  };
  for (const Case& c : {Case{"cpu", machine(2), "cpu"},
                        {"auto", DeviceFacts(), "cpu"},
                        {"auto", machine(0), "cpu"},
                        {"auto", machine(2), "cuda:0"},
                        {"cuda", machine(2), "cuda:0"},
                        {"cuda:1", machine(2), "cuda:1"},
                        {"cuda:01", machine(2), "cuda:1"},
                        {"auto", machine(2, "1"), "cuda:1"},
                        {"cuda", machine(4, "3"), "cuda:3"},
                        {"cuda:0", machine(4, "3"), "cuda:0"},
                        {"auto", machine(0, "1"), "cpu"}}) {
    EXPECT_EQ(choose_device(c.text, c.facts).str(), c.device) << c.text << ", " << c.facts.gpus << " GPUs";
  }
}

TEST(ChooseDevice, TellsALibTorchWithoutCudaFromAMachineWithoutAGpu) {
  EXPECT_EQ(message_of("cuda", DeviceFacts()),
            "device \"cuda\": this LibTorch was built without CUDA; use cpu, or build with a CUDA LibTorch "
            "(docs/install.md)");
  EXPECT_EQ(message_of("cuda:1", machine(0)),
            "device \"cuda:1\": no GPU is visible; see what nvidia-smi says of the driver, or use cpu");
  DeviceFacts hidden = machine(0);
  hidden.visible = "-1";
  EXPECT_EQ(
      message_of("cuda", hidden),
      "device \"cuda\": no GPU is visible, and CUDA_VISIBLE_DEVICES is \"-1\"; see what nvidia-smi says of "
      "the driver, or use cpu");
}

// An index is eight bits in LibTorch: 256 must not become 0.
TEST(ChooseDevice, RefusesAnIndexThatThereIsNot) {
  for (const char* text : {"cuda:2", "cuda:256", "cuda:300", "cuda:99999999999999999999"}) {
    EXPECT_EQ(message_of(text, machine(2)),
              std::string("device \"") + text + "\": this machine has 2 GPU(s), counted from 0");
  }
  EXPECT_EQ(
      message_of("cuda", machine(2, "2")),
      "device \"cuda\": LOCAL_RANK is \"2\", and this machine has 2 GPU(s), counted from 0; start no more "
      "processes than that, or use cpu");
  EXPECT_EQ(
      message_of("auto", machine(2, "one")),
      "device \"auto\": LOCAL_RANK is \"one\", and this machine has 2 GPU(s), counted from 0; start no more "
      "processes than that, or use cpu");
}

TEST(PlanCompute, RefusesOnTheCpuWhatItHasNot) {
  for (const char* precision : {"fp16", "tf32"}) {
    TrainConfig config;
    config.device = "cpu";
    config.threads = 1;
    config.precision = precision;
    try {
      plan_compute(config);
      ADD_FAILURE() << precision;
    } catch (const InputError& error) {
      EXPECT_EQ(std::string(error.what()), std::string("precision \"") + precision +
                                               "\": needs a CUDA device; on the CPU use fp32, bf16 or auto");
    }
  }
}

TEST(PlanCompute, NamesThePrecisionItChose) {
  TrainConfig config;
  config.device = "cpu";
  config.threads = 1;
  for (const char* precision : {"fp32", "bf16"}) {
    config.precision = precision;
    EXPECT_EQ(plan_compute(config).precision(), precision);
    EXPECT_FALSE(plan_compute(config).scales_loss);
  }
  config.loss_scale = "dynamic";
  EXPECT_TRUE(plan_compute(config).scales_loss);
}

/// What the kernel says the processor has.
bool processor_has(const std::string& flag) {
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind("flags", 0) == 0) return (line + " ").find(" " + flag + " ") != std::string::npos;
  }
  return false;
}

TEST(PlanCompute, OurConvolutionsAreWhereTheCpuHasThem) {
  if (!processor_has("avx2")) GTEST_SKIP() << "not a processor with AVX2";
  TrainConfig config;
  config.device = "cpu";
  config.threads = 1;
  const auto planned = [&](const char* precision, const char* conv) {
    config.precision = precision;
    config.conv = conv;
    return plan_compute(config).conv;
  };
  const bool has_bf16 = processor_has("avx512_bf16");
  EXPECT_EQ(planned("fp32", "auto"), ConvKernels::kFastest);
  EXPECT_EQ(planned("fp32", "winograd"), ConvKernels::kWinograd);
  EXPECT_EQ(planned("bf16", "auto"), has_bf16 ? ConvKernels::kFastest : ConvKernels::kLibrary);
  for (const char* precision : {"fp32", "bf16"})
    EXPECT_EQ(planned(precision, "library"), ConvKernels::kLibrary);
  if (has_bf16) {
    EXPECT_EQ(planned("bf16", "winograd"), ConvKernels::kWinograd);
  } else {
    EXPECT_THROW(planned("bf16", "winograd"), InputError);
  }
}

}  // namespace
}  // namespace glidepath
