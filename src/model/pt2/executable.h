// src/model/pt2/executable.h - a graph whose operators were found, ready to be called.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/pt2/step.h"

namespace glidepath::pt2 {

/// A norm with running statistics, by the numbers of the graph's inputs; -1 where one is none of these.
struct Norm {
  int mean = -1, variance = -1, weight = -1, bias = -1;
  double momentum = 0.1;
  bool counts_batches = false;       ///< batch norms do; instance norms have a counter and leave it alone
  bool is_frozen_by_export = false;  ///< in evaluation mode, where the rest is in training
};

/// What a norm is told beside the mode.
struct NormState {
  bool is_held = false;
  std::optional<double> momentum;
};

struct RunState {
  bool is_training = false;
  torch::Device device = torch::kCPU;
  bool has_gradients = true;             ///< as it was when the call began
  bool is_exported_in_training = false;  ///< anything of the program: what is off then stays off
  std::map<int, NormState> norms;        ///< by the input that is the running mean
  std::string file;                      ///< that messages begin with
};

class Executable {
 public:
  /// Adds to `unsupported` every operator that cannot be called. Throws WrongJson for a graph that uses what
  /// it does not define, or calls an operator with what it does not take.
  Executable(const Graph& graph, std::vector<std::string>& unsupported);

  /// Outputs in the graph's order; those that are numbers or None are what they are. Throws InputError that
  /// begins with the state's file and names the operator that takes no such tensors.
  std::vector<c10::IValue> run(std::vector<c10::IValue> inputs, const RunState& state) const;

  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return outputs_.size(); }
  /// Norms whose statistics are inputs of this graph.
  std::vector<Norm> norms() const;
  /// Inputs that operators write to, by their numbers.
  const std::vector<bool>& written_inputs() const { return written_; }
  /// Whether it calls anything that has two modes, in the mode that is given.
  bool has_mode(bool training) const;
  /// Whether it calls one of these operators, or a graph in it does.
  bool calls(const std::string& operator_name) const;

 private:
  std::vector<c10::IValue> arguments_of(const Step& step, const Registers& registers,
                                        const RunState& state) const;
  void set_mode(const Step& step, std::vector<c10::IValue>& arguments, const RunState& state) const;
  std::vector<c10::IValue> call(const Step& step, std::vector<c10::IValue> arguments,
                                const RunState& state) const;
  void keep(const Step& step, std::vector<c10::IValue> results, Registers& registers,
            const RunState& state) const;
  void find_written();
  void find_last_reads();

  std::size_t inputs_ = 0;
  int registers_ = 0;
  std::vector<Step> steps_;
  std::vector<Slot> outputs_;
  std::vector<bool> written_;
};

}  // namespace glidepath::pt2
