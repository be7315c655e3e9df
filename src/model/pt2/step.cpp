// src/model/pt2/step.cpp - nodes of a graph, made ready to be called.
#include "model/pt2/step.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "model/pt2/executable.h"
#include "model/pt2/json_fields.h"

namespace glidepath::pt2 {
namespace {

const std::string kOperators = "torch.ops.aten.";
const std::string kWithGradients = "torch.ops.higher_order.wrap_with_set_grad_enabled";
const std::string kWithAutocast = "torch.ops.higher_order.wrap_with_autocast";

struct OperatorName {
  std::string name, overload;  // "aten::conv2d", ""
};

/// Of "torch.ops.aten.conv2d.default"; an empty name for what is no operator of LibTorch's own.
OperatorName operator_name(const std::string& target) {
  if (target.rfind(kOperators, 0) != 0) return {};
  const std::string rest = target.substr(kOperators.size());
  const std::size_t point = rest.rfind('.');
  if (point == std::string::npos) return {};
  OperatorName found{"aten::" + rest.substr(0, point), rest.substr(point + 1)};
  if (found.overload == "default") found.overload.clear();
  return found;
}

/// Where a view is possible reshape is one, too; in another memory format than the export's it may not be.
Node without_views(Node node) {
  if (node.target != kOperators + "view.default" && node.target != kOperators + "_unsafe_view.default")
    return node;
  node.target = kOperators + "reshape.default";
  for (Argument& input : node.inputs) {
    if (input.name == "size") input.name = "shape";
  }
  return node;
}

int index_of(const c10::FunctionSchema& schema, const std::string& name) {
  const auto& arguments = schema.arguments();
  const auto found =
      std::find_if(arguments.begin(), arguments.end(), [&](const auto& each) { return each.name() == name; });
  return found == arguments.end() ? -1 : static_cast<int>(found - arguments.begin());
}

bool has_all_arguments(const c10::FunctionSchema& schema, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](const Argument& each) { return index_of(schema, each.name) >= 0; });
}

/// One that newer versions have, and that says nothing new here.
bool can_be_left_out(const Argument& given) {
  return given.kind == Kind::kNone ||
         (given.kind == Kind::kBool && given.names.empty() && given.ints.at(0) == 0);
}

/// Which of an operator's arguments are for a mode.
ModeSlots mode_slots(const std::string& operator_name, const c10::FunctionSchema& schema,
                     const std::vector<Slot>& arguments) {
  struct Row {
    const char* name;
    const char* training;
  };
  constexpr Row kRows[] = {{"batch_norm", "training"},
                           {"instance_norm", "use_input_stats"},
                           {"dropout", "train"},
                           {"dropout_", "train"},
                           {"native_dropout", "train"},
                           {"feature_dropout", "train"},
                           {"feature_dropout_", "train"},
                           {"alpha_dropout", "train"},
                           {"alpha_dropout_", "train"},
                           {"feature_alpha_dropout", "train"},
                           {"feature_alpha_dropout_", "train"},
                           {"rrelu", "training"},
                           {"rrelu_", "training"},
                           {"lstm", "train"},
                           {"gru", "train"},
                           {"rnn_tanh", "train"},
                           {"rnn_relu", "train"}};
  ModeSlots mode;
  const std::string name = operator_name.substr(operator_name.rfind(':') + 1);
  for (const Row& row : kRows) {
    if (name == row.name) mode.training = index_of(schema, row.training);
  }
  if (name == "scaled_dot_product_attention") mode.dropout = index_of(schema, "dropout_p");
  if (mode.training < 0) return mode;
  const auto slot_of = [&](const char* each) { return index_of(schema, each); };
  const int mean = slot_of("running_mean");
  // Without statistics of its own a norm takes the batch's in both modes.
  if (mean >= 0 && arguments[static_cast<std::size_t>(mean)].tensor_register() < 0) return {};
  const c10::IValue& exported = arguments[static_cast<std::size_t>(mode.training)].constant_value();
  mode.is_exported_in_training = exported.isBool() && exported.toBool();
  mode.momentum = slot_of("momentum");
  mode.cudnn = slot_of("cudnn_enabled");
  return mode;
}

}  // namespace

Step StepMaker::make(const Node& node) {
  Step step;
  step.target = node.target;
  step.size = size_function(node.target);
  if (step.size != nullptr) {
    step.form = Step::Form::kSize;
    for (const Argument& input : node.inputs) step.arguments.push_back(Slot::plain(input, names_));
  } else if (node.target == kWithGradients || node.target == kWithAutocast) {
    make_inner(node, step);
  } else {
    make_operator(without_views(node), step);
  }
  take_results(node, step);
  return step;
}

void StepMaker::make_operator(const Node& node, Step& step) {
  const OperatorName wanted = operator_name(node.target);
  if (wanted.name.empty()) {
    unsupported_.push_back(node.target);
    return;
  }
  if (const std::string why = why_not(wanted.name); !why.empty()) {
    unsupported_.push_back(fmt::format("{} (it {})", node.target, why));
    return;
  }
  step.op = c10::Dispatcher::singleton().findSchema({wanted.name, wanted.overload});
  const Composed* own = composed(wanted.name);
  if (own != nullptr && (!step.op || !has_all_arguments(step.op->schema(), node))) {
    step.op.reset();
    step.form = Step::Form::kComposed;
    step.composed = own;
  } else if (!step.op) {
    unsupported_.push_back(node.target);
    return;
  }
  const c10::FunctionSchema& schema = step.op ? step.op->schema() : own->schema;
  take_arguments(node, schema, step);
  step.mode = mode_slots(wanted.name, schema, step.arguments);
}

void StepMaker::take_arguments(const Node& node, const c10::FunctionSchema& schema, Step& step) {
  for (const Argument& given : node.inputs) {
    if (index_of(schema, given.name) < 0 && !can_be_left_out(given))
      unsupported_.push_back(
          fmt::format("{} with the argument \"{}\"", node.target, terminal_text(given.name)));
  }
  for (const c10::Argument& argument : schema.arguments()) {
    const auto given = std::find_if(node.inputs.begin(), node.inputs.end(),
                                    [&](const Argument& each) { return each.name == argument.name(); });
    if (given != node.inputs.end())
      step.arguments.push_back(Slot::of(*given, argument.type(), argument.N().value_or(0), names_));
    else if (argument.default_value())
      step.arguments.push_back(Slot::constant(*argument.default_value()));
    else
      throw WrongJson(fmt::format("lacks the argument \"{}\"", argument.name()));
  }
}

/// Graphs within graphs: (enabled, graph, inputs...) and (device, dtype, enabled, cache, graph, inputs...).
void StepMaker::make_inner(const Node& node, Step& step) {
  const bool is_autocast = node.target == kWithAutocast;
  const std::size_t at = is_autocast ? 4 : 1, flag = is_autocast ? 2 : 0;
  if (node.inputs.size() <= at || node.inputs[at].kind != Kind::kGraph || !node.inputs[at].graph ||
      node.inputs[flag].kind != Kind::kBool || !node.inputs[flag].names.empty())
    throw WrongJson("has no graph where one should be");
  step.is_enabled = node.inputs[flag].ints.at(0) != 0;
  if (is_autocast && step.is_enabled) {
    unsupported_.push_back(node.target + " (it is on; --precision says what is rounded)");
    return;
  }
  step.form = is_autocast ? Step::Form::kWithoutAutocast : Step::Form::kWithoutGradients;
  step.inner = std::make_shared<Executable>(*node.inputs[at].graph, unsupported_);
  for (std::size_t i = at + 1; i < node.inputs.size(); ++i)
    step.arguments.push_back(Slot::plain(node.inputs[i], names_));
  if (step.arguments.size() != step.inner->inputs())
    throw WrongJson(
        fmt::format("gives {} inputs to a graph that takes {}", step.arguments.size(), step.inner->inputs()));
}

void StepMaker::take_results(const Node& node, Step& step) {
  for (const Argument& output : node.outputs) {
    const bool is_list = output.kind == Kind::kTensors;
    const bool is_one = !is_list && !output.names.empty();
    if (!is_list && !is_one && output.kind != Kind::kNone) throw WrongJson("has an output without a name");
    std::vector<int> registers;
    for (const std::string& name : output.names) registers.push_back(name.empty() ? -1 : names_.define(name));
    if (is_one) registers.resize(1);
    if (registers.empty() && !is_list) registers.push_back(-1);
    step.results.push_back(std::move(registers));
    step.is_list.push_back(is_list);
  }
  // A graph within a graph gives a list, of which a list in turn may have become one output.
  if (step.inner && step.results.size() == 1 && step.is_list[0]) {
    const std::vector<int> all = step.results[0];
    step.results.clear();
    for (const int each : all) step.results.push_back({each});
    step.is_list.assign(all.size(), false);
  }
}

}  // namespace glidepath::pt2
