// src/model/pt2/executable.cpp - a graph whose operators were found, ready to be called.
#include "model/pt2/executable.h"

#include <algorithm>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <fmt/format.h>

#include "core/safe_text.h"
#include "glidepath/error.h"
#include "model/pt2/json_fields.h"
#include "model/torch_error.h"

namespace glidepath::pt2 {
namespace {

using c10::IValue;

Values tensors_in(const std::vector<IValue>& arguments) {
  Values tensors;
  for (const IValue& each : arguments) {
    if (each.isTensor() && each.toTensor().defined()) tensors.push_back(each.toTensor());
    if (!each.isTensorList()) continue;
    for (const torch::Tensor& item : each.toTensorVector()) tensors.push_back(item);
  }
  return tensors;
}

/// "conv2d" of "torch.ops.aten.conv2d.default", as people call it.
std::string short_name(const std::string& target) {
  const std::string operators = "torch.ops.";
  return terminal_text(target.rfind(operators, 0) == 0 ? target.substr(operators.size()) : target);
}

const c10::FunctionSchema* schema_of(const Step& step) {
  if (step.form == Step::Form::kOperator && step.op) return &step.op->schema();
  return nullptr;
}

}  // namespace

Executable::Executable(const Graph& graph, std::vector<std::string>& unsupported) {
  Names names;
  for (const Argument& input : graph.inputs) {
    // Inputs without a name are numbers that the program has in it.
    names.define(input.names.empty() ? fmt::format("{} ", inputs_) : input.names.front());
    ++inputs_;
  }
  StepMaker maker(names, unsupported);
  for (const Node& node : graph.nodes) {
    if (is_assertion(node.target)) continue;
    try {
      steps_.push_back(maker.make(node));
    } catch (const WrongJson& wrong) {
      throw WrongJson(fmt::format("{}: {}", short_name(node.target), wrong.what()));
    }
  }
  for (const Argument& output : graph.outputs) outputs_.push_back(Slot::plain(output, names));
  registers_ = names.count();
  find_written();
  find_last_reads();
}

void Executable::find_last_reads() {
  std::vector<std::size_t> last(static_cast<std::size_t>(registers_), steps_.size());
  for (std::size_t i = steps_.size(); i > 0; --i) {
    Step& step = steps_[i - 1];
    const auto note = [&](int each) {
      if (each < 0 || last[static_cast<std::size_t>(each)] != steps_.size()) return;
      last[static_cast<std::size_t>(each)] = i - 1;
      step.over.push_back(each);
    };
    for (const auto& result : step.results) std::for_each(result.begin(), result.end(), note);
    for (const Slot& slot : step.arguments) std::for_each(slot.reads().begin(), slot.reads().end(), note);
  }
  for (Step& step : steps_) {
    const auto is_output = [&](int each) {
      return std::any_of(outputs_.begin(), outputs_.end(), [&](const Slot& slot) {
        return std::find(slot.reads().begin(), slot.reads().end(), each) != slot.reads().end();
      });
    };
    step.over.erase(std::remove_if(step.over.begin(), step.over.end(), is_output), step.over.end());
  }
}

// Views are followed by the schemas, which say what a result shares with an argument.
void Executable::find_written() {
  std::vector<int> roots(static_cast<std::size_t>(registers_));
  for (std::size_t i = 0; i < roots.size(); ++i) roots[i] = static_cast<int>(i);
  written_.assign(inputs_, false);
  const auto write = [&](int each) {
    const int root = each < 0 ? -1 : roots[static_cast<std::size_t>(each)];
    if (root >= 0 && root < static_cast<int>(inputs_)) written_[static_cast<std::size_t>(root)] = true;
  };
  for (const Step& step : steps_) {
    for (std::size_t i = 0; step.inner && i < step.arguments.size(); ++i) {
      if (step.inner->written_inputs()[i]) write(step.arguments[i].tensor_register());
    }
    const c10::FunctionSchema* schema = schema_of(step);
    if (schema == nullptr) continue;
    int shared = -1;
    for (std::size_t i = 0; i < step.arguments.size(); ++i) {
      const auto* alias = schema->arguments()[i].alias_info();
      if (alias == nullptr) continue;
      for (const int each : step.arguments[i].reads()) {
        if (alias->isWrite()) write(each);
        if (shared < 0) shared = each;
      }
    }
    if (shared < 0) continue;
    for (const auto& result : step.results) {
      for (const int each : result) {
        if (each >= 0) roots[static_cast<std::size_t>(each)] = roots[static_cast<std::size_t>(shared)];
      }
    }
  }
}

std::vector<Norm> Executable::norms() const {
  std::vector<Norm> norms;
  for (const Step& step : steps_) {
    const c10::FunctionSchema* schema = schema_of(step);
    if (schema == nullptr || step.mode.training < 0 || step.mode.momentum < 0) continue;
    const auto input = [&](const char* name) {
      const auto& arguments = schema->arguments();
      for (std::size_t i = 0; i < arguments.size(); ++i) {
        const int number = arguments[i].name() == name ? step.arguments[i].tensor_register() : -1;
        if (number >= 0 && number < static_cast<int>(inputs_)) return number;
      }
      return -1;
    };
    const IValue momentum = step.arguments[static_cast<std::size_t>(step.mode.momentum)].constant_value();
    if (!momentum.isDouble()) continue;
    norms.push_back({input("running_mean"), input("running_var"), input("weight"), input("bias"),
                     momentum.toDouble(), schema->name() == "aten::batch_norm",
                     !step.mode.is_exported_in_training});
  }
  norms.erase(std::remove_if(norms.begin(), norms.end(),
                             [](const Norm& norm) { return norm.mean < 0 || norm.variance < 0; }),
              norms.end());
  return norms;
}

bool Executable::has_mode(bool training) const {
  return std::any_of(steps_.begin(), steps_.end(), [&](const Step& step) {
    if (step.inner) return step.inner->has_mode(training);
    return step.mode.training >= 0 && step.mode.is_exported_in_training == training;
  });
}

bool Executable::calls(const std::string& operator_name) const {
  return std::any_of(steps_.begin(), steps_.end(), [&](const Step& step) {
    if (step.inner) return step.inner->calls(operator_name);
    return step.op && step.op->schema().name() == operator_name;
  });
}

std::vector<IValue> Executable::arguments_of(const Step& step, const Registers& registers,
                                             const RunState& state) const {
  std::vector<IValue> arguments;
  arguments.reserve(step.arguments.size());
  for (const Slot& slot : step.arguments) arguments.push_back(slot.value(registers, state.device));
  return arguments;
}

void Executable::set_mode(const Step& step, std::vector<IValue>& arguments, const RunState& state) const {
  const ModeSlots& mode = step.mode;
  const auto at = [&](int slot) -> IValue& { return arguments[static_cast<std::size_t>(slot)]; };
  if (mode.dropout >= 0 && !state.is_training) at(mode.dropout) = 0.0;
  if (mode.training < 0) return;
  bool is_training = state.is_training && (mode.is_exported_in_training || !state.is_exported_in_training);
  if (mode.momentum >= 0) {
    for (const Slot& slot : step.arguments) {
      const auto found = state.norms.find(slot.tensor_register());
      if (found == state.norms.end()) continue;
      is_training = is_training && !found->second.is_held;
      if (found->second.momentum) at(mode.momentum) = *found->second.momentum;
    }
  }
  at(mode.training) = is_training;
  if (mode.cudnn >= 0) at(mode.cudnn) = at::globalContext().userEnabledCuDNN();
}

std::vector<IValue> Executable::call(const Step& step, std::vector<IValue> arguments,
                                     const RunState& state) const {
  const auto run_inner = [&] {
    RunState within = state;
    within.norms.clear();  // the numbers are those of this graph's inputs
    return step.inner->run(std::move(arguments), within);
  };
  switch (step.form) {
    case Step::Form::kSize:
      return {step.size(arguments)};
    case Step::Form::kComposed:
      step.composed->call(arguments);
      return arguments;
    case Step::Form::kOperator:
      step.op->callBoxed(arguments);
      return arguments;
    case Step::Form::kWithoutGradients: {
      const at::AutoGradMode mode(step.is_enabled && state.has_gradients);
      return run_inner();
    }
    case Step::Form::kWithoutAutocast: {
      const c10::impl::ExcludeDispatchKeyGuard guard(c10::autocast_dispatch_keyset);
      return run_inner();
    }
  }
  return {};
}

void Executable::keep(const Step& step, std::vector<IValue> results, Registers& registers,
                      const RunState& state) const {
  const auto fail = [&](std::size_t has, std::size_t wanted) {
    throw InputError(fmt::format("{}: its {} gives {} values, and its graph takes {}", state.file,
                                 short_name(step.target), has, wanted));
  };
  if (step.results.size() > results.size()) fail(results.size(), step.results.size());
  const auto put = [&](int number, IValue value) {
    if (number >= 0) registers[static_cast<std::size_t>(number)] = std::move(value);
  };
  for (std::size_t i = 0; i < step.results.size(); ++i) {
    const std::vector<int>& numbers = step.results[i];
    if (!step.is_list[i]) {
      put(numbers[0], std::move(results[i]));
      continue;
    }
    if (!results[i].isTensorList()) fail(1, numbers.size());
    const std::vector<torch::Tensor> list = results[i].toTensorVector();
    if (list.size() != numbers.size()) fail(list.size(), numbers.size());
    for (std::size_t item = 0; item < list.size(); ++item) put(numbers[item], list[item]);
  }
}

std::vector<IValue> Executable::run(std::vector<IValue> inputs, const RunState& state) const {
  Registers registers = std::move(inputs);
  registers.resize(static_cast<std::size_t>(registers_));
  for (const Step& step : steps_) {
    Values given;
    try {
      std::vector<IValue> arguments = arguments_of(step, registers, state);
      set_mode(step, arguments, state);
      given = tensors_in(arguments);
      keep(step, call(step, std::move(arguments), state), registers, state);
    } catch (const Error&) {
      throw;  // of a graph within this one
    } catch (const std::exception& error) {
      if (is_out_of_memory(error)) throw;
      throw InputError(fmt::format("{}: its {} of {}: {}", state.file, short_name(step.target),
                                   shapes_of(given), told(error)));
    }
    for (const int each : step.over) registers[static_cast<std::size_t>(each)] = {};
  }
  std::vector<IValue> outputs;
  for (const Slot& slot : outputs_) outputs.push_back(slot.value(registers, state.device));
  return outputs;
}

}  // namespace glidepath::pt2
