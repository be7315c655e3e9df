// src/loop/callbacks/evaluator.cpp - the model looked at on the way.
#include "loop/callbacks/evaluator.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <torch/types.h>

#include "core/blame.h"
#include "glidepath/error.h"
#include "loop/foreseen_time.h"
#include "loop/tested_weights.h"

namespace glidepath {
namespace {

constexpr const char* kLastMetrics = "evaluated_metrics";

/// What batch norms keep, but for their counts of batches, which nothing reads.
std::vector<torch::Tensor> shared_statistics(const Model& model) {
  std::vector<torch::Tensor> list;
  for (const torch::Tensor& buffer : model.buffers()) {
    if (buffer.scalar_type() == torch::kFloat32) list.push_back(buffer);
  }
  return list;
}

}  // namespace

Evaluator::Evaluator(Run& run, EndingCost& ending, Stopper& stopper)
    : run_(run), ending_(ending), stopper_(stopper) {
  if (run.config.eval_every == "end") return;
  cadence_ = blame("eval_every", [&] { return Cadence(parse_budget(run.config.eval_every), run.context); });
}

// One that would leave hardly any time is left to the end, which looks in any case.
bool Evaluator::is_due(RunView& /*view*/) {
  if (passed() <= kept_.done || run_.glide.done()) return false;
  if (run_.glide.has_time_for(ending_.evaluation(), run_.seconds_spent())) return true;
  start_anew();
  return false;
}

void Evaluator::act(RunView& /*view*/) {
  if (run_.rewinds_on_divergence()) run_.require_finite();
  evaluate_now();
  start_anew();
  if (after_) after_();
}

void Evaluator::at_end(RunView& /*view*/) {
  const bool is_missing = run_.ranks.first_says(!is_up_to_date());
  if (is_missing && (run_.data.set.has_val() || is_needed_at_end_())) evaluate_now();
}

void Evaluator::evaluate_now() {
  const double begun = run_.ranks.now();
  const TestedWeights tested(run_);
  kept_.last = evaluate_all(run_.data.set.watched(), [this] { stopper_.agree_and_stop_if_asked(); });
  kept_.step = run_.glide.step();
  if (keeps_best()) best_.see(*run_.model, *run_.task, kept_.step, kept_.last);
  ending_.evaluation_takes(run_.ranks.now() - begun);
  run_.record_evaluation(kept_.last);
  if (run_.options.on_evaluation) run_.options.on_evaluation(run_.status(kept_.last));
}

double Evaluator::time() {
  const DataWatch::MayStop here(run_.data.watch);
  const Split& watched = run_.data.set.watched();
  const std::int64_t images = watched.size();
  const std::int64_t count = std::min(run_.config.eval_batch_size * run_.ranks.size(), images);
  std::vector<double> begun{run_.ranks.now()};
  for (int i = 0; i < kTimedBatches; ++i) {
    evaluate(*run_.model, *run_.task, run_.data.set, watched.first(count), run_.config.eval_batch_size,
             run_.plan, run_.ranks, [this] { stopper_.agree_and_stop_if_asked(); });
    begun.push_back(run_.ranks.now());
  }
  return middle_between(begun) * static_cast<double>(images) / static_cast<double>(count);
}

// Without --sync-bn every rank has statistics of its own, of which rank 0's are the run's.
Evaluation Evaluator::evaluate_all(const Split& split, const std::function<void()>& between_batches,
                                   TestViews views) const {
  const DataWatch::MayStop here(run_.data.watch);
  run_.ranks.copy_from_first(shared_statistics(*run_.model));
  const Evaluation found =
      evaluate(*run_.model, *run_.task, run_.data.set, split, run_.config.eval_batch_size, run_.plan,
               run_.ranks, between_batches, views);
  run_.data.watch.share(run_.ranks);
  return found;
}

void Evaluator::record_final(const Evaluation& tested) {
  kept_.last = tested;
  kept_.step = run_.glide.step();
  run_.record_evaluation(kept_.last);
}

void Evaluator::Kept::fields(StateFields& fields) {
  fields.count("evaluations", done);
  fields.count_or_none("evaluated_step", step);
  fields.number_or_nan("test_loss", last.loss);
  fields.number_or_nan("test_accuracy", last.accuracy);  // a task may know none
}

// Checkpoints of earlier versions have no metrics but the accuracy.
std::vector<double> Evaluator::last_metrics(const Saved& saved) const {
  const std::size_t count = run_.task->metrics().size();
  const auto found = saved.tensors.find(kLastMetrics);
  if (found == saved.tensors.end())
    return kept_.step < 0 ? std::vector<double>() : std::vector<double>(count, kept_.last.accuracy);
  const torch::Tensor& values = found->second;
  if (values.scalar_type() != torch::kFloat64 || values.dim() != 1 ||
      values.numel() != static_cast<std::int64_t>(count))
    throw InputError(fmt::format("its checkpoint does not fit this task at {}", kLastMetrics));
  const auto* first = values.data_ptr<double>();
  return {first, first + count};
}

void Evaluator::save(Saved& saved) const {
  saved.state.put(kept_);
  const auto& metrics = run_.task->metrics();
  // A single accuracy is among the state's numbers, as it always was.
  if (metrics.size() > 1 || (!metrics.empty() && metrics.front().value)) {
    if (!kept_.last.metrics.empty())
      saved.tensors[kLastMetrics] = torch::tensor(kept_.last.metrics, torch::kFloat64);
  }
  best_.add_to(saved.tensors);
}

void Evaluator::load(const Saved& saved) {
  kept_ = saved.state.get<Kept>();
  kept_.last.metrics = last_metrics(saved);
  best_.take(saved.tensors, *run_.model);
}

}  // namespace glidepath
