// src/loop/view_of_run.h - a run as callbacks see it.
#pragma once
#include "glidepath/callback.h"
#include "loop/run.h"

namespace glidepath {

class ViewOfRun : public RunView {
 public:
  explicit ViewOfRun(Run& run) : run_(run) {}

  const TrainConfig& config() const override { return run_.config; }
  std::int64_t step() const override { return run_.glide.step(); }
  double progress() const override { return run_.glide.progress(); }
  double lr() const override { return run_.tally.lr(); }
  double loss() override { return run_.tally.last_loss(); }
  double seconds_spent() const override { return run_.seconds_spent(); }
  bool is_first_rank() const override { return run_.ranks.is_first(); }
  Model& model() override { return *run_.model; }
  void record(const std::map<std::string, double>& values) override {
    auto line = run_.moment("measure");
    line["lr"] = lr();
    for (const auto& [name, value] : values) line[name] = value;
    run_.log.directory().append_metrics(line);
  }

 private:
  Run& run_;
};

}  // namespace glidepath
