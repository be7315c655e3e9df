// src/model/pt2/program.h - what torch.export.save() writes, as plain structs.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/pt2/archive.h"

namespace glidepath::pt2 {

struct Graph;

/// The kinds of the schema's union Argument (torch/_export/serde/schema.py).
enum class Kind {
  kNone,
  kTensor,           // names[0]
  kTensors,          // names
  kOptionalTensors,  // names; empty ones are None
  kBool,             // ints[0], or names[0] where that is not empty
  kBools,            // ints
  kInt,              // likewise: ints[0] or names[0]
  kInts,             // ints, or names where these are not empty
  kFloat,            // floats[0] or names[0]
  kFloats,           // floats, or names
  kString,           // text
  kDtype,            // ints[0], a number of the schema's
  kMemoryFormat,     // ints[0]
  kLayout,           // ints[0]
  kDevice,           // text: the one of the export, which says nothing of where the program is run
  kGraph,            // graph
  kOther,            // text: the schema's name of it; nothing that is known here
};

struct Argument {
  std::string name;  ///< the operator's name for it; empty for graphs' inputs and outputs
  Kind kind = Kind::kNone;
  std::vector<std::string> names;
  std::vector<std::int64_t> ints;
  std::vector<double> floats;
  std::string text;
  std::shared_ptr<Graph> graph;
};

struct Node {
  std::string target;  ///< "torch.ops.aten.conv2d.default", "_operator.mul"
  std::vector<Argument> inputs, outputs;
};

/// One dimension of a tensor: a number, a symbol such as s77, or an expression of them, of which neither.
struct Extent {
  std::int64_t size = -1;
  std::string symbol;
};

struct TensorFacts {
  std::int64_t dtype = 0;
  std::vector<Extent> sizes;
};

struct Graph {
  std::vector<Argument> inputs, outputs;
  std::vector<Node> nodes;
  std::map<std::string, TensorFacts> tensors;
};

enum class InputKind { kParameter, kBuffer, kConstant, kUser, kValue };

struct ProgramInput {
  InputKind kind = InputKind::kUser;
  Argument argument;  ///< of kValue the value; else names[0] is the graph's name for it
  std::string name;   ///< of parameters and buffers as in the state_dict; of constants as in the archive
  bool is_persistent = true;
};

struct ProgramOutput {
  bool is_mutation = false;  ///< of the buffer `name`; else one that the user gets
  Argument argument;
  std::string name;
};

struct Range {
  std::int64_t least = 0, most = -1;  ///< -1: no end
};

/// A tensor in an entry of raw bytes.
struct StoredTensor {
  std::string entry;  ///< of the archive
  bool is_pickled = false, requires_grad = false;
  std::int64_t dtype = 0, offset = 0;
  std::vector<std::int64_t> sizes, strides;
};

struct Program {
  std::string torch_version;  ///< that wrote it
  Graph graph;
  std::vector<ProgramInput> inputs;
  std::vector<ProgramOutput> outputs;
  std::map<std::string, Range> ranges;  ///< of symbols
  std::map<std::string, StoredTensor> weights, constants;
};

/// The archive's one program. Throws InputError that begins with the file: for a newer schema, weights that
/// are pickled, as before PyTorch 2.9, several programs, kinds of inputs and outputs that cannot be trained,
/// and whatever is not as the schema has it.
Program parse_program(const Archive& archive);

}  // namespace glidepath::pt2
