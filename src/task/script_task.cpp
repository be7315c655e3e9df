// src/task/script_task.cpp - the loss and the metrics that a scripted module brings.
#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "core/safe_text.h"
#include "glidepath/error.h"
#include "glidepath/model.h"
#include "glidepath/task.h"
#include "model/loss_program.h"
#include "model/script_calls.h"

namespace glidepath {
namespace {

using Calls = std::shared_ptr<ScriptCalls>;

Values arguments_of(const Values& outputs, const Batch& batch) {
  Values all = outputs;
  all.insert(all.end(), batch.targets.begin(), batch.targets.end());
  return all;
}

bool ends_in(const std::string& name, const std::string& end) {
  return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

/// Of one number.
torch::Tensor scalar_of(const Calls& calls, const std::string& what, const c10::IValue& value) {
  if (value.isTensor() && value.toTensor().numel() == 1) return value.toTensor().reshape({});
  throw InputError(
      fmt::format("{}: its {} gives {}; wants a tensor of one number", calls->file(), what,
                  value.isTensor() ? fmt::format("one of {}", value.toTensor().numel()) : value.tagKind()));
}

torch::Tensor loss_of(const Calls& calls, const Values& outputs, const Batch& batch) {
  return scalar_of(calls, "loss", calls->call("loss", arguments_of(outputs, batch)));
}

c10::impl::GenericDict metrics_of(const Calls& calls, const Values& outputs, const Batch& batch) {
  const c10::IValue told = calls->call("metrics", arguments_of(outputs, batch));
  if (!told.isGenericDict())
    throw InputError(
        fmt::format("{}: its metrics gives {}; wants Dict[str, Tensor]", calls->file(), told.tagKind()));
  return told.toGenericDict();
}

torch::Tensor sums_of(const Calls& calls, const std::string& name, const c10::impl::GenericDict& told,
                      const Batch& batch) {
  const torch::Tensor value = scalar_of(calls, "metric " + name, told.at(name)).to(torch::kFloat64);
  const torch::Tensor examples = torch::full({}, static_cast<double>(batch.examples), value.options());
  return torch::stack({value * examples, examples});
}

/// The mean over all examples of what the module says of each batch in the mean.
Metric metric_of(const Calls& calls, const std::string& name) {
  Metric metric{name, !ends_in(name, "loss") && !ends_in(name, "error"),
                ends_in(name, "accuracy") || ends_in(name, "iou") || ends_in(name, "f1"), 2};
  metric.sums = [=](const Values& outputs, const Batch& batch) {
    return sums_of(calls, name, metrics_of(calls, outputs, batch), batch);
  };
  metric.value = [](const torch::Tensor& sums, double) {
    return sums.data_ptr<double>()[0] / sums.data_ptr<double>()[1];
  };
  return metric;
}

bool is_name(const std::string& text) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  return !text.empty() && text.size() <= 60 && std::all_of(text.begin(), text.end(), fits);
}

class ScriptTask : public Task {
 public:
  ScriptTask(Calls calls, std::vector<Metric> metrics)
      : calls_(std::move(calls)), metrics_(std::move(metrics)) {}

  torch::Tensor loss(const Values& outputs, const Batch& batch) const override {
    return loss_of(calls_, outputs, batch);
  }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  // One call tells all of them.
  std::vector<torch::Tensor> metric_sums(const Values& outputs, const Batch& batch) const override {
    std::vector<torch::Tensor> sums;
    if (metrics_.empty()) return sums;
    const auto told = metrics_of(calls_, outputs, batch);
    for (const Metric& metric : metrics_) sums.push_back(sums_of(calls_, metric.name, told, batch));
    return sums;
  }

 private:
  Calls calls_;
  std::vector<Metric> metrics_;
};

/// Of a program whose forward took the targets and gave the loss.
std::unique_ptr<Task> first_output_task(const std::shared_ptr<LossProgram>& program, const Values& outputs,
                                        const Batch& batch) {
  const std::vector<std::string> names = program->input_names();
  const auto loss = [program, wanted = names.size()](const Values& given, const Batch& of) {
    const std::size_t has = of.inputs.size() + of.targets.size();
    if (has != wanted)
      throw InputError(fmt::format("{}: its forward takes {} tensors, and a batch has {} with its targets",
                                   program->file(), wanted, has));
    return given.front().reshape({});
  };
  if (outputs.front().numel() != 1 || !outputs.front().is_floating_point())
    throw InputError(fmt::format(
        "{}: of {} its forward gives {} [{}] first, and task \"own\" wants the loss, which is one number",
        program->file(), fmt::join(names, ", "), c10::toString(outputs.front().scalar_type()),
        fmt::join(outputs.front().sizes(), ", ")));
  loss(outputs, batch);
  return make_task(loss, std::vector<Metric>());
}

}  // namespace

std::unique_ptr<Task> script_task(const std::shared_ptr<Model>& model, const Values& outputs,
                                  const Batch& batch) {
  if (const auto program = std::dynamic_pointer_cast<LossProgram>(model))
    return first_output_task(program, outputs, batch);
  const Calls calls = std::dynamic_pointer_cast<ScriptCalls>(model);
  if (!calls)
    throw InputError(
        "task \"own\": is what a program brings, and this model is none; give --model script:FILE or "
        "pt2:FILE");
  if (!calls->has_method("loss"))
    throw InputError(fmt::format(
        "{}: has no method loss, which task \"own\" asks for; @torch.jit.export keeps it", calls->file()));
  loss_of(calls, outputs, batch);
  std::vector<Metric> metrics;
  if (calls->has_method("metrics")) {
    for (const auto& item : metrics_of(calls, outputs, batch)) {
      const std::string name = item.key().isString() ? item.key().toStringRef() : std::string();
      if (!is_name(name))
        throw InputError(fmt::format("{}: has a metric called \"{}\"; names are of letters, digits and _",
                                     calls->file(), terminal_text(name)));
      metrics.push_back(metric_of(calls, name));
    }
  }
  return std::make_unique<ScriptTask>(calls, std::move(metrics));
}

}  // namespace glidepath
