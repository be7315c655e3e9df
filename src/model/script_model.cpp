// src/model/script_model.cpp - a TorchScript program behind the handle.
#include "glidepath/script_model.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/types.h>

#include "files/content_kind.h"
#include "glidepath/error.h"
#include "model/script_calls.h"
#include "model/torch_error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// Nothing is specialised on what was seen in the first calls: a run that is gone on with would have other
/// bits than one that was not interrupted.
void run_programs_as_they_stand() {
  torch::jit::getProfilingMode() = false;
  torch::jit::setTensorExprFuserEnabled(false);
}

bool add_tensors(const c10::IValue& value, Values& tensors) {
  const auto add_all = [&](const auto& items) {
    return std::all_of(items.begin(), items.end(),
                       [&](const c10::IValue& item) { return add_tensors(item, tensors); });
  };
  if (value.isTensor()) {
    tensors.push_back(value.toTensor());
    return true;
  }
  if (value.isNone()) return true;  // of an auxiliary head that is off
  if (value.isTuple()) return add_all(value.toTupleRef().elements());
  if (value.isList()) return add_all(value.toListRef());
  if (!value.isGenericDict()) return false;
  for (const auto& item : value.toGenericDict()) {
    if (!add_tensors(item.value(), tensors)) return false;
  }
  return true;
}

class ScriptModel : public Model, public ScriptCalls {
 public:
  ScriptModel(fs::path file, torch::jit::Module module)
      : file_(std::move(file)), module_(std::move(module)) {}

  Values forward(const Values& inputs) override {
    const c10::IValue given = call("forward", inputs);
    Values outputs;
    if (!add_tensors(given, outputs) || outputs.empty())
      throw InputError(
          fmt::format("{}: its forward gives {}; wants a tensor, or a tuple, list or dictionary of them",
                      file_.string(), given.tagKind()));
    return outputs;
  }

  NamedTensors named_parameters() const override { return listed(module_.named_parameters()); }
  NamedTensors named_buffers() const override { return listed(module_.named_buffers()); }

  void train(bool on) override {
    module_.train(on);
    for (torch::jit::Module& norm : held_) norm.eval();
  }
  bool is_training() const override { return module_.is_training(); }
  void to(const torch::Device& device) override { module_.to(device); }
  bool takes_any_size() const override { return true; }  // or says in forward that it does not

  void hold_frozen_norms() override {
    held_.clear();
    for (const torch::jit::Module& each : module_.modules()) {
      std::size_t parameters = 0, trained = 0;
      for (const torch::Tensor& parameter : each.parameters(false)) {
        ++parameters;
        trained += parameter.requires_grad() ? 1 : 0;
      }
      const bool is_frozen = parameters > 0 && trained == 0;
      if (is_frozen && has_statistics(each)) held_.push_back(each);
    }
    train(is_training());
  }
  bool has_method(const char* name) const override { return module_.find_method(name).has_value(); }
  c10::IValue call(const char* name, const Values& arguments) override {
    const std::size_t takes = module_.get_method(name).function().num_inputs() - 1;  // without self
    if (arguments.size() > takes)
      throw InputError(fmt::format("{}: its {} takes {} argument{}, and is given {} tensors", file_.string(),
                                   name, takes, takes == 1 ? "" : "s", arguments.size()));
    std::vector<c10::IValue> stack(arguments.begin(), arguments.end());
    try {
      return module_.get_method(name)(std::move(stack));
    } catch (const std::exception& error) {
      if (is_out_of_memory(error)) throw;
      throw InputError(
          fmt::format("{}: its {} of {}: {}", file_.string(), name, shapes_of(arguments), told(error)));
    }
  }
  std::string file() const override { return file_.string(); }

  std::vector<RunningStatistics> running_statistics() override {
    std::vector<RunningStatistics> list;
    for (const torch::jit::Module& each : module_.modules()) {
      const bool is_held =
          std::any_of(held_.begin(), held_.end(), [&](const auto& held) { return held == each; });
      if (is_held || !has_statistics(each)) continue;
      // Compiled into the code, so that nobody can set it.
      const auto momentum = constant(each, "momentum");
      if (!momentum || !momentum->isDouble()) continue;
      list.push_back({each.attr("running_mean").toTensor(), each.attr("running_var").toTensor(),
                      each.attr("num_batches_tracked").toTensor(), momentum->toDouble(), nullptr});
    }
    return list;
  }

 private:
  template <typename Items>
  static NamedTensors listed(const Items& items) {
    NamedTensors list;
    for (const auto& item : items) list.emplace_back(item.name, item.value);
    return list;
  }

  static bool has_statistics(const torch::jit::Module& module) {
    for (const char* name : {"running_mean", "running_var", "num_batches_tracked"}) {
      if (!module.hasattr(name) || !module.attr(name).isTensor()) return false;
    }
    return true;
  }
  static std::optional<c10::IValue> constant(const torch::jit::Module& module, const char* name) {
    if (module.hasattr(name)) return module.attr(name);
    const auto slot = module.type()->findConstant(name);
    return slot ? std::optional<c10::IValue>(*slot) : std::nullopt;
  }

  fs::path file_;
  mutable torch::jit::Module module_;
  std::vector<torch::jit::Module> held_;
};

}  // namespace

std::shared_ptr<Model> script_model(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    throw InputError(fmt::format("{}: no such file; give a module that torch.jit.script(module).save() wrote",
                                 file.string()));
  run_programs_as_they_stand();
  std::optional<torch::jit::Module> module;
  try {
    module = torch::jit::load(file.string(), torch::kCPU);
  } catch (const std::exception& failure) {
    const std::string what = told(failure);
    const bool is_pickled = what.find("constants.pkl") != std::string::npos;
    throw InputError(
        is_pickled
            ? fmt::format("{}: is a pickled checkpoint, which only Python reads; give a module that "
                          "torch.jit.script(module).save() wrote",
                          file.string())
            : fmt::format("{}: is no TorchScript file that this LibTorch reads: {}", file.string(), what));
  }
  if (!module->find_method("forward")) throw InputError(fmt::format("{}: has no forward", file.string()));
  if (module->named_parameters().size() == 0)
    throw InputError(
        fmt::format("{}: has no parameter, so there is nothing to train; was it frozen or optimised "
                    "for inference?",
                    file.string()));
  return std::make_shared<ScriptModel>(file, *module);
}

}  // namespace glidepath
