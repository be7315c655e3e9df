// src/loop/feed/image_sizes.h - the size of training images where it follows progress, and what it costs.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>

#include "glidepath/budget.h"
#include "glidepath/dataset.h"
#include "glidepath/glide.h"
#include "glidepath/loader.h"
#include "glidepath/resolution.h"
#include "glidepath/train_config.h"
#include "loop/stateful.h"

namespace glidepath {

/// Floating-point operations of a run, and the size of an update's images, which they depend on.
class ImageSizes : public Stateful {
 public:
  ImageSizes(const TrainConfig& config, const Dataset& dataset);

  bool vary() const { return sizes_.varies(); }
  std::int64_t last() const { return sizes_.at(1); }
  /// The size as a function of the update alone, so that a run that is resumed makes the same batches. By the
  /// clock nobody knows an update's progress beforehand: it is that of the moment at which a batch is begun,
  /// which now_at() tells.
  std::function<std::int64_t(std::int64_t step)> by_step(const Glide& glide) const;
  void now_at(double progress) { progress_ = progress; }

  /// An update on so many images, of all ranks, of this size; where sizes vary.
  void count(std::int64_t images, std::int64_t size);
  double flops_spent(std::int64_t updates, const BudgetContext& context) const;
  /// Of a whole run of `updates` from its start.
  double flops_of_run(std::int64_t updates, const BudgetContext& context, const TrainLoader& loader) const;
  /// Later updates cost more, or less, than the first ones: as much as their operations do.
  double mean_cost() const;

  struct Kept {
    double spent = 0;  ///< where sizes vary; else 0

    void fields(StateFields& fields) {
      if (fields.has("flops")) fields.number("flops", spent);
    }
  };
  void save(Saved& saved) const override { saved.state.put(kept_); }
  void load(const Saved& saved) override { kept_ = saved.state.get<Kept>(); }

 private:
  ResolutionSchedule sizes_;
  std::map<std::int64_t, double> flops_of_;  // one image of a size; empty where there is one size
  Kept kept_;
  std::atomic<double> progress_{0};  // read by the loader's threads
};

}  // namespace glidepath
