// src/loop/feed/image_sizes.cpp - the size of training images where it follows progress, and what it costs.
#include "loop/feed/image_sizes.h"

#include <algorithm>

#include "setup/run_setup.h"

namespace glidepath {

ImageSizes::ImageSizes(const TrainConfig& config, const Dataset& dataset)
    : sizes_(train_resolution(config)), flops_of_(flops_by_size(config, dataset, sizes_)) {}

std::function<std::int64_t(std::int64_t)> ImageSizes::by_step(const Glide& glide) const {
  if (glide.by_clock()) return [this](std::int64_t) { return sizes_.at(progress_); };
  return [sizes = sizes_, origin = glide.state().budget.origin,
          updates = glide.updates()](std::int64_t step) {
    return sizes.at(progress_from(origin, std::min(step, updates), updates));  // some are made past the end
  };
}

void ImageSizes::count(std::int64_t images, std::int64_t size) {
  kept_.spent += flops_of_.at(size) * static_cast<double>(images);
}

double ImageSizes::flops_spent(std::int64_t updates, const BudgetContext& context) const {
  return vary() ? kept_.spent : flops_of(updates, context);
}

double ImageSizes::flops_of_run(std::int64_t updates, const BudgetContext& context,
                                const TrainLoader& loader) const {
  if (!vary()) return flops_of(updates, context);
  double flops = 0;
  for (std::int64_t step = 0; step < updates; ++step)
    flops +=
        flops_of_.at(sizes_.at(progress_at(step, updates))) * static_cast<double>(loader.images_of(step));
  return flops;
}

double ImageSizes::mean_cost() const {
  if (!vary()) return 1;
  constexpr std::int64_t kMoments = 1000;
  double sum = 0;
  for (std::int64_t i = 0; i < kMoments; ++i) sum += flops_of_.at(sizes_.at(progress_at(i, kMoments)));
  return sum / static_cast<double>(kMoments) / flops_of_.at(sizes_.at(0));
}

}  // namespace glidepath
