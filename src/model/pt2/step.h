// src/model/pt2/step.h - a node of a graph, made ready to be called.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/dispatch/Dispatcher.h>

#include "model/pt2/builtins.h"
#include "model/pt2/slot.h"

namespace glidepath::pt2 {

class Executable;

/// What a call does with the modes of layers.
struct ModeSlots {
  int training = -1;  ///< the argument that says whether it is training: of norms, dropout
  int dropout = -1;   ///< the share that is dropped, where nothing else says so: of attention
  int momentum = -1, cudnn = -1;
  bool is_exported_in_training = false;  ///< what the program has for `training`
};

struct Step {
  enum class Form { kOperator, kComposed, kSize, kWithoutGradients, kWithoutAutocast };

  Form form = Form::kOperator;
  std::string target;  ///< as the program calls it
  c10::optional<c10::OperatorHandle> op;
  const Composed* composed = nullptr;
  SizeFunction size = nullptr;
  std::shared_ptr<Executable> inner;  ///< of the last two forms
  bool is_enabled = false;            ///< gradients, within `inner`
  std::vector<Slot> arguments;
  ModeSlots mode;
  std::vector<std::vector<int>>
      results;                ///< of each that it returns the register, or those of a list; -1: none
  std::vector<bool> is_list;  ///< of each
  std::vector<int> over;      ///< registers that nothing reads after it
};

/// Makes steps of nodes, one after the other.
class StepMaker {
 public:
  StepMaker(Names& names, std::vector<std::string>& unsupported) : names_(names), unsupported_(unsupported) {}

  /// Adds to `unsupported` what cannot be called here, and gives a step without form then. Throws WrongJson
  /// for arguments that do not fit.
  Step make(const Node& node);

 private:
  void make_operator(const Node& node, Step& step);
  void make_inner(const Node& node, Step& step);
  void take_arguments(const Node& node, const c10::FunctionSchema& schema, Step& step);
  void take_results(const Node& node, Step& step);

  Names& names_;
  std::vector<std::string>& unsupported_;
};

}  // namespace glidepath::pt2
