// src/nn/kernels/scratch.h - memory that a thread keeps, as the system takes long to give it.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace glidepath {

/// Zeros at first, later what the last use left. Aligned to a cache line.
template <typename T>
class Scratch {
 public:
  T* get(std::int64_t count) {
    if (count > size_) {
      memory_.reset();  // first, so that both are never held
      memory_.reset(static_cast<T*>(::operator new(static_cast<std::size_t>(count) * sizeof(T), kLine)));
      size_ = count;
      std::fill_n(memory_.get(), count, T{0});
    }
    return memory_.get();
  }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Free {
    void operator()(T* memory) const { ::operator delete(memory, kLine); }
  };
  std::unique_ptr<T, Free> memory_;
  std::int64_t size_ = 0;
};

}  // namespace glidepath
