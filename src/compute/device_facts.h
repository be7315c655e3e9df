// src/compute/device_facts.h - which devices there are; without torch.
#pragma once
#include <optional>
#include <string>

namespace glidepath {

/// What decides, beside the option, which device a run gets.
struct DeviceFacts {
  bool built_with_cuda = false;           ///< this LibTorch has its CUDA libraries
  int gpus = 0;                           ///< that the driver shows
  std::optional<std::string> visible;     ///< $CUDA_VISIBLE_DEVICES
  std::optional<std::string> local_rank;  ///< $LOCAL_RANK, where a launcher started several processes
};

/// Those of this process.
DeviceFacts device_facts();

}  // namespace glidepath
