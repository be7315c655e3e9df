// src/model/weight_names.h - weights as programs that wrap or store a model call them.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "glidepath/model.h"

namespace glidepath {

/// Which of a file's tensors are a model's.
struct WeightNames {
  std::map<std::string, std::string> stored_as;  ///< by the model's own name
  std::vector<std::string> notes;                ///< what was passed over or left out, for people
};

/// Names that are the model's but for what DataParallel and DistributedDataParallel ("module."),
/// torch.compile
/// ("_orig_mod."), Lightning ("model.") and checkpoints ("state_dict.") put before and between them, also
/// several of these. Counts of batches (num_batches_tracked), which nothing reads, may be missing. Beside
/// such prefixes a checkpoint may hold other things, which are left out; names without them have to be the
/// model's. Throws InputError naming one that is missing, unknown, or there twice.
WeightNames match_weights(const TensorMap& own, const std::vector<std::string>& stored);

/// Copies stored weights into the model under its own names, as load_state_dict() does. Gives the notes.
/// Throws InputError likewise, and for weights that are not finite numbers.
std::vector<std::string> load_stored_weights(Model& model, const TensorMap& stored);

/// One of the model's tensors, and where its numbers are from.
struct BegunTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string stored_as;                   ///< the file's name for it; empty: the model's own, there is none
  std::vector<std::int64_t> stored_shape;  ///< another one than `shape`: the model's own, its head is anew
};

/// The same for a model that may have been made for another number of classes: a tensor whose first size is
/// `classes`, and that has another first size in the file and is otherwise alike, keeps the model's numbers.
std::vector<BegunTensor> load_weights_to_begin_with(Model& model, const TensorMap& stored,
                                                    std::int64_t classes);

}  // namespace glidepath
