// src/task/language.cpp - the next token.
#include <torch/types.h>

#include "glidepath/task.h"
#include "nn/loss.h"
#include "task/shapes.h"

namespace glidepath {
namespace {

class Language : public Task {
 public:
  Language(double bytes_per_token, double label_smoothing)
      : label_smoothing_(label_smoothing), metrics_{perplexity(), accuracy()} {
    if (bytes_per_token > 0) metrics_.push_back(bits_per_byte(bytes_per_token));
  }

  torch::Tensor loss(const Values& outputs, const Batch& batch) const override {
    return cross_entropy(flat(outputs, batch), batch.labels().flatten(), label_smoothing_);
  }
  torch::Tensor loss_sum(const Values& outputs, const Batch& batch) const override {
    return cross_entropy_sum(flat(outputs, batch), batch.labels().flatten());
  }
  torch::Tensor correct(const Values& outputs, const Batch& batch) const override {
    return outputs.front().detach().argmax(2).eq(batch.labels()).sum();
  }
  bool has_terms() const override { return true; }
  std::int64_t terms(const Batch& batch) const override { return batch.labels().numel(); }
  const std::vector<Metric>& metrics() const override { return metrics_; }

 private:
  static torch::Tensor flat(const Values& outputs, const Batch& batch) {
    const torch::Tensor &logits = outputs.front(), &tokens = batch.labels();
    const bool fits = logits.dim() == 3 && tokens.dim() == 2 && logits.size(0) == tokens.size(0) &&
                      logits.size(1) == tokens.size(1);
    if (!fits) refuse_shapes("language", logits, tokens, "[B, T, vocabulary] for tokens [B, T]");
    return logits.flatten(0, 1);
  }

  double label_smoothing_;
  std::vector<Metric> metrics_;
};

}  // namespace

std::unique_ptr<Task> make_language(double bytes_per_token, double label_smoothing) {
  return std::make_unique<Language>(bytes_per_token, label_smoothing);
}

}  // namespace glidepath
