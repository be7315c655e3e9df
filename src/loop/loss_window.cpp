// src/loop/loss_window.cpp - loss and accuracy of the last epoch's updates.
#include "loop/loss_window.h"

#include <algorithm>

#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {

LossWindow::LossWindow(std::int64_t capacity)
    : capacity_(capacity),
      loss_(static_cast<std::size_t>(capacity)),
      correct_(loss_.size()),
      images_(loss_.size()) {}

void LossWindow::add(const torch::Tensor& loss, const torch::Tensor& correct, std::int64_t images) {
  pending_.push_back({loss, correct, images});
  if (loss.is_cpu() || static_cast<std::int64_t>(pending_.size()) >= capacity_) fetch();
}

void LossWindow::fetch() {
  if (pending_.empty()) return;
  // In one copy from the device, not one for each number.
  std::vector<torch::Tensor> losses, corrects;
  for (const Pending& update : pending_) {
    losses.push_back(update.loss);
    corrects.push_back(update.correct);
  }
  const torch::Tensor loss = torch::stack(losses).to(torch::kCPU, torch::kFloat64);
  const torch::Tensor correct = torch::stack(corrects).to(torch::kCPU, torch::kFloat64);
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const auto slot = static_cast<std::size_t>(count_ % capacity_);
    images_[slot] = static_cast<double>(pending_[i].images);
    loss_[slot] = loss.data_ptr<double>()[i] * images_[slot];
    correct_[slot] = correct.data_ptr<double>()[i];
    ++count_;
  }
  pending_.clear();
}

LossWindow::Mean LossWindow::mean(std::int64_t updates) {
  fetch();
  const std::int64_t available = std::min({updates, capacity_, count_});
  double loss = 0, correct = 0, images = 0;
  for (std::int64_t back = 1; back <= available; ++back) {
    const auto slot = static_cast<std::size_t>((count_ - back) % capacity_);
    loss += loss_[slot];
    correct += correct_[slot];
    images += images_[slot];
  }
  return images > 0 ? Mean{loss / images, correct / images} : Mean{};
}

double LossWindow::last_loss() { return mean(1).loss; }

torch::Tensor LossWindow::state() {
  fetch();
  auto state = torch::zeros({3, capacity_ + 1}, torch::kFloat64);
  auto values = state.accessor<double, 2>();
  for (std::int64_t i = 0; i < capacity_; ++i) {
    const auto slot = static_cast<std::size_t>(i);
    values[0][i] = loss_[slot];
    values[1][i] = correct_[slot];
    values[2][i] = images_[slot];
  }
  values[0][capacity_] = static_cast<double>(count_);
  return state;
}

void LossWindow::set_state(const torch::Tensor& state) {
  if (state.dim() != 2 || state.size(0) != 3 || state.size(1) != capacity_ + 1 ||
      state.scalar_type() != torch::kFloat64) {
    throw InputError("checkpoint: loss_window has the wrong shape; the checkpoint is of another run");
  }
  const auto values = state.accessor<double, 2>();
  for (std::int64_t i = 0; i < capacity_; ++i) {
    const auto slot = static_cast<std::size_t>(i);
    loss_[slot] = values[0][i];
    correct_[slot] = values[1][i];
    images_[slot] = values[2][i];
  }
  count_ = static_cast<std::int64_t>(values[0][capacity_]);
  pending_.clear();
}

}  // namespace glidepath
