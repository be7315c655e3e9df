// src/model/pt2/exported_model.cpp - a program of torch.export behind the handle.
#include "glidepath/exported_model.h"

#include <algorithm>
#include <set>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>
#include <torch/version.h>

#include "core/safe_text.h"
#include "glidepath/error.h"
#include "model/loss_program.h"
#include "model/pt2/executable.h"
#include "model/pt2/input_shapes.h"
#include "model/pt2/json_fields.h"
#include "model/pt2/program.h"
#include "model/pt2/stored_tensors.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using namespace pt2;

constexpr const char* kCounter = "num_batches_tracked";

std::string counter_of(const std::string& mean) {
  const std::string end = "running_mean";
  const bool is_named_so =
      mean.size() >= end.size() && mean.compare(mean.size() - end.size(), end.size(), end) == 0;
  return is_named_so ? mean.substr(0, mean.size() - end.size()) + kCounter : std::string();
}

class ExportedModel : public Model, public LossProgram {
 public:
  ExportedModel(fs::path file, Program program, Executable executable, std::vector<c10::IValue> held)
      : file_(std::move(file)),
        program_(std::move(program)),
        executable_(std::move(executable)),
        held_(std::move(held)),
        shapes_(file_.string(), program_) {
    state_.file = file_.string();
    state_.is_exported_in_training = executable_.has_mode(true);
    for (std::size_t i = 0; i < program_.inputs.size(); ++i)
      number_of_[program_.inputs[i].name] = static_cast<int>(i);
    for (const Norm& norm : executable_.norms()) {
      const bool is_known =
          std::any_of(norms_.begin(), norms_.end(), [&](const Norm& each) { return each.mean == norm.mean; });
      if (!is_known) norms_.push_back(norm);
    }
  }

  Values forward(const Values& inputs) override {
    shapes_.check(inputs);
    state_.has_gradients = at::GradMode::is_enabled();
    std::vector<c10::IValue> given = held_;
    std::size_t next = 0;
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (program_.inputs[i].kind == InputKind::kUser) given[i] = inputs[next++];
      if (executable_.written_inputs()[i] && !may_write(i)) given[i] = given[i].toTensor().clone();
    }
    const std::vector<c10::IValue> results = executable_.run(std::move(given), state_);
    if (is_training()) {
      change_buffers(results);
      count_batches();
    }
    return outputs_of(results);
  }

  NamedTensors named_parameters() const override {
    return named([](const ProgramInput& input) { return input.kind == InputKind::kParameter; });
  }
  /// Those that no state_dict has are of the model's state where it changes them.
  NamedTensors named_buffers() const override {
    return named([this](const ProgramInput& input) {
      return input.kind == InputKind::kBuffer && (input.is_persistent || is_changed(input));
    });
  }

  void train(bool on) override { state_.is_training = on; }
  bool is_training() const override { return state_.is_training; }
  void to(const torch::Device& device) override {
    const at::NoGradGuard no_grad;
    for (c10::IValue& each : held_) {
      if (!each.isTensor()) continue;
      torch::Tensor tensor = each.toTensor();
      tensor.set_data(tensor.to(device));  // the tensor stays the one that others have
    }
    state_.device = device;
  }
  bool takes_any_size() const override { return shapes_.takes_any_size(); }
  std::size_t inputs_wanted() const override { return shapes_.names().size(); }

  void hold_frozen_norms() override {
    state_.norms.clear();
    for (const Norm& norm : norms_) {
      std::size_t parameters = 0, trained = 0;
      for (const int number : {norm.weight, norm.bias}) {
        if (number < 0 || kind(number) != InputKind::kParameter) continue;
        ++parameters;
        trained += tensor(number).requires_grad() ? 1 : 0;
      }
      if (parameters > 0 && trained == 0) state_.norms[norm.mean].is_held = true;
    }
  }

  std::vector<RunningStatistics> running_statistics() override {
    std::vector<RunningStatistics> list;
    for (const Norm& norm : norms_) {
      if (is_still(norm) || kind(norm.mean) != InputKind::kBuffer) continue;
      const int batches = counter(norm);
      const auto set_momentum = [this, mean = norm.mean](double momentum) {
        state_.norms[mean].momentum = momentum;
      };
      list.push_back({tensor(norm.mean), tensor(norm.variance),
                      batches < 0 ? torch::zeros({}, torch::kInt64) : tensor(batches), momentum(norm),
                      set_momentum});
    }
    return list;
  }

  std::string file() const override { return file_.string(); }
  std::vector<std::string> input_names() const override { return shapes_.names(); }

 private:
  InputKind kind(int number) const { return program_.inputs[static_cast<std::size_t>(number)].kind; }
  torch::Tensor tensor(int number) const { return held_[static_cast<std::size_t>(number)].toTensor(); }

  template <typename Wanted>
  NamedTensors named(const Wanted& wanted) const {
    NamedTensors list;
    std::set<const void*> seen;  // two names for one tensor: the first one
    for (std::size_t i = 0; i < held_.size(); ++i) {
      if (!wanted(program_.inputs[i]) || !seen.insert(held_[i].toTensor().unsafeGetTensorImpl()).second)
        continue;
      list.emplace_back(program_.inputs[i].name, held_[i].toTensor());
    }
    return list;
  }

  int number_of(const std::string& name) const {
    const auto found = number_of_.find(name);
    return found == number_of_.end() ? -1 : found->second;
  }
  int counter(const Norm& norm) const {
    return number_of(counter_of(program_.inputs[static_cast<std::size_t>(norm.mean)].name));
  }
  double momentum(const Norm& norm) const {
    const auto found = state_.norms.find(norm.mean);
    return found != state_.norms.end() && found->second.momentum ? *found->second.momentum : norm.momentum;
  }
  /// Of which the statistics stay as they are in training too.
  bool is_still(const Norm& norm) const {
    const auto found = state_.norms.find(norm.mean);
    return (found != state_.norms.end() && found->second.is_held) ||
           (norm.is_frozen_by_export && state_.is_exported_in_training);
  }

  /// In evaluation nothing of the model changes, whatever the graph of a module in training does.
  bool may_write(std::size_t number) const {
    const InputKind what = program_.inputs[number].kind;
    if (!is_training() || (what != InputKind::kParameter && what != InputKind::kBuffer)) return false;
    return std::none_of(norms_.begin(), norms_.end(), [&](const Norm& norm) {
      return is_still(norm) && counter(norm) == static_cast<int>(number);
    });
  }
  bool is_changed(const ProgramInput& input) const {
    return executable_.written_inputs()[static_cast<std::size_t>(number_of(input.name))] ||
           std::any_of(program_.outputs.begin(), program_.outputs.end(), [&](const ProgramOutput& output) {
             return output.is_mutation && output.name == input.name;
           });
  }

  void change_buffers(const std::vector<c10::IValue>& results) {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!program_.outputs[i].is_mutation) continue;
      tensor(number_of(program_.outputs[i].name)).copy_(results[i].toTensor());
    }
  }
  /// Where the graph does not: of a module that was exported in evaluation mode.
  void count_batches() {
    const at::NoGradGuard no_grad;
    for (const Norm& norm : norms_) {
      const int number = counter(norm);
      if (number < 0 || !norm.counts_batches || is_still(norm) ||
          is_changed(program_.inputs[static_cast<std::size_t>(number)]))
        continue;
      tensor(number).add_(1);
    }
  }

  Values outputs_of(const std::vector<c10::IValue>& results) const {
    Values outputs;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!program_.outputs[i].is_mutation && results[i].isTensor()) outputs.push_back(results[i].toTensor());
    }
    return outputs;
  }

  fs::path file_;
  Program program_;
  Executable executable_;
  std::vector<c10::IValue> held_;  // by the graph's inputs: tensors, numbers, nothing for the user's
  InputShapes shapes_;
  std::map<std::string, int> number_of_;
  std::vector<Norm> norms_;
  RunState state_;
};

std::string written(const std::vector<Extent>& sizes) {
  std::vector<std::string> each;
  for (const Extent& size : sizes) each.push_back(size.size < 0 ? "?" : std::to_string(size.size));
  return fmt::format("[{}]", fmt::join(each, ", "));
}

/// What the graph's input is to be, where it says so.
void check_fit(const Archive& archive, const Program& program, const ProgramInput& input,
               const torch::Tensor& tensor) {
  const auto facts = program.graph.tensors.find(input.argument.names[0]);
  if (facts == program.graph.tensors.end()) return;
  const TensorFacts& wanted = facts->second;
  bool fits = tensor.dim() == static_cast<std::int64_t>(wanted.sizes.size()) &&
              tensor.scalar_type() == dtype_of(wanted.dtype);
  for (std::size_t i = 0; fits && i < wanted.sizes.size(); ++i)
    fits = wanted.sizes[i].size < 0 || wanted.sizes[i].size == tensor.size(static_cast<std::int64_t>(i));
  if (fits) return;
  archive.refuse(fmt::format("tensor \"{}\" is {} [{}], and its graph takes {} {}", terminal_text(input.name),
                             c10::toString(tensor.scalar_type()), fmt::join(tensor.sizes(), ", "),
                             c10::toString(dtype_of(wanted.dtype)), written(wanted.sizes)));
}

/// Weights, buffers and constants by the graph's inputs.
std::vector<c10::IValue> read_tensors(const Archive& archive, const Program& program) {
  StoredTensors weights(archive);
  std::vector<c10::IValue> held;
  for (const ProgramInput& input : program.inputs) {
    if (input.kind == InputKind::kUser || input.kind == InputKind::kValue) {
      held.emplace_back();
      if (input.kind == InputKind::kValue) held.back() = Slot::plain(input.argument, {}).constant_value();
      continue;
    }
    auto stored = program.weights.find(input.name);
    if (stored == program.weights.end() || input.kind == InputKind::kConstant) {
      stored = program.constants.find(input.name);
      if (stored == program.constants.end())
        archive.refuse(fmt::format("has no tensor \"{}\"", terminal_text(input.name)));
    }
    torch::Tensor tensor = weights.tensor(input.name, stored->second);
    check_fit(archive, program, input, tensor);
    if (input.kind == InputKind::kParameter && stored->second.requires_grad && tensor.is_floating_point())
      tensor.set_requires_grad(true);
    held.emplace_back(std::move(tensor));
  }
  return held;
}

/// The signature and the graph are of one another.
void check_signature(const Archive& archive, const Program& program) {
  const auto refuse = [&](const std::string& what) {
    archive.refuse(fmt::format("its signature and its graph have {}", what));
  };
  if (program.inputs.size() != program.graph.inputs.size())
    refuse(fmt::format("{} and {} inputs", program.inputs.size(), program.graph.inputs.size()));
  if (program.outputs.size() != program.graph.outputs.size())
    refuse(fmt::format("{} and {} outputs", program.outputs.size(), program.graph.outputs.size()));
  std::set<std::string> names;
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    const ProgramInput& input = program.inputs[i];
    if (input.kind == InputKind::kValue) continue;
    if (program.graph.inputs[i].names != input.argument.names)
      refuse(fmt::format("other names for input {}", i + 1));
    if (input.kind != InputKind::kUser && !names.insert(input.name).second)
      refuse(fmt::format("two inputs \"{}\"", terminal_text(input.name)));
  }
  for (const ProgramOutput& output : program.outputs) {
    if (!output.is_mutation) continue;
    const bool is_buffer =
        std::any_of(program.inputs.begin(), program.inputs.end(), [&](const ProgramInput& input) {
          return input.kind == InputKind::kBuffer && input.name == output.name;
        });
    if (!is_buffer) refuse(fmt::format("no buffer \"{}\" to be changed", terminal_text(output.name)));
  }
}

void check_operators(const Archive& archive, const Executable& executable,
                     const std::vector<std::string>& unsupported) {
  if (!unsupported.empty()) {
    std::set<std::string> all;
    for (const std::string& each : unsupported) {
      const std::string begin = "torch.ops.";
      all.insert(terminal_text(each.rfind(begin, 0) == 0 ? each.substr(begin.size()) : each));
    }
    throw InputError(fmt::format("{}: calls what LibTorch {} has not or what cannot be trained here: {}",
                                 archive.file().string(), TORCH_VERSION, fmt::join(all, ", ")));
  }
  const bool is_of_evaluation = executable.has_mode(false) && !executable.has_mode(true);
  for (const char* name : {"aten::bernoulli_", "aten::bernoulli"}) {
    if (executable.calls(name) && !is_of_evaluation)
      throw InputError(fmt::format(
          "{}: draws random numbers with {} as in training (stochastic depth), which an evaluation of the "
          "same graph would do too; call eval() before the export",
          archive.file().string(), name));
  }
}

}  // namespace

std::shared_ptr<Model> exported_model(const fs::path& file) {
  const Archive archive(file);
  Program program = parse_program(archive);
  check_signature(archive, program);
  std::vector<std::string> unsupported;
  try {
    Executable executable(program.graph, unsupported);
    check_operators(archive, executable, unsupported);
    std::vector<c10::IValue> held = read_tensors(archive, program);
    auto model =
        std::make_shared<ExportedModel>(file, std::move(program), std::move(executable), std::move(held));
    if (model->named_parameters().empty())
      throw InputError(fmt::format("{}: has no parameter, so there is nothing to train", file.string()));
    return model;
  } catch (const WrongJson& wrong) {
    archive.refuse(wrong.what());
  }
}

}  // namespace glidepath
