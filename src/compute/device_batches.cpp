// src/compute/device_batches.cpp - batches on their way to the device: copied ahead, and the host held back.
#include "compute/device_batches.h"

#include <chrono>
#include <thread>

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/types.h>

#include "files/patience.h"

namespace glidepath {
namespace {

constexpr std::size_t kMostUnfinished = 2;
constexpr std::chrono::microseconds kBetweenLooks{20};

// By the interface that every backend registers: no header of CUDA is needed.
c10::Stream current_stream(const torch::Device& device) {
  return c10::impl::VirtualGuardImpl(device.type()).getStream(device);
}

torch::Tensor on_device(const torch::Tensor& tensor, const torch::Device& device) {
  if (tensor.device() == device || device.is_cpu()) return tensor;
  // LibTorch keeps pinned memory until the copies out of it are done, also when its tensor is gone.
  const torch::Tensor source = tensor.is_cpu() && !tensor.is_pinned() ? tensor.pin_memory() : tensor;
  return source.to(device, /*non_blocking=*/true);
}

}  // namespace

Batch on_device(const Batch& batch, const torch::Device& device) {
  Batch there = batch;
  for (torch::Tensor& tensor : there.inputs) tensor = on_device(tensor, device);
  for (torch::Tensor& tensor : there.targets) tensor = on_device(tensor, device);
  return there;
}

DeviceBatches::DeviceBatches(TrainLoader& loader, const torch::Device& device)
    : loader_(loader), device_(device) {
  if (device.is_cuda()) copies_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

Batch DeviceBatches::next() {
  if (!ahead_) return on_device(loader_.next(), device_);
  const c10::Stream stream = current_stream(device_);
  ahead_->copied.block(stream);
  const Batch batch = std::move(ahead_->batch);
  ahead_.reset();
  // The memory came from the other stream's share: it must not be given out again before this one is done.
  for (const Values* values : {&batch.inputs, &batch.targets}) {
    for (torch::Tensor tensor : *values) tensor.record_stream(stream);
  }
  return batch;
}

void DeviceBatches::prepare_next() {
  if (!copies_ || ahead_) return;
  Batch batch;
  try {
    batch = loader_.next();
  } catch (const DataLost&) {  // next() will say so, when the update under way is done
    return;
  }
  c10::Event copied(device_.type());
  if (batch.inputs.front().device() == device_) {  // made there, by the current stream
    copied.record(current_stream(device_));
    ahead_.emplace(Ahead{batch, std::move(copied)});
    return;
  }
  const c10::StreamGuard on_copies(*copies_);
  Batch there = on_device(batch, device_);
  copied.record(*copies_);
  ahead_.emplace(Ahead{std::move(there), std::move(copied)});
}

void DeviceBatches::seek(std::int64_t step) {
  ahead_.reset();
  loader_.seek(step);
}

void Pace::update_queued() {
  if (!device_.is_cuda()) return;
  unfinished_.emplace_back(device_.type());
  unfinished_.back().record(current_stream(device_));
  while (unfinished_.size() > kMostUnfinished) {
    while (!unfinished_.front().query()) std::this_thread::sleep_for(kBetweenLooks);
    unfinished_.pop_front();
  }
}

}  // namespace glidepath
