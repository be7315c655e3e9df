// tests/support/cifar.h - whether GLIDEPATH_DATA names a folder with CIFAR-10.
#pragma once
#include <cstdlib>
#include <filesystem>

namespace glidepath {

inline bool has_cifar() {
  const char* folder = std::getenv("GLIDEPATH_DATA");
  return folder != nullptr && std::filesystem::exists(std::filesystem::path(folder) / "cifar-10-batches-bin");
}

}  // namespace glidepath
