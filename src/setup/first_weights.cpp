// src/setup/first_weights.cpp - weights that a new run begins with, of a file or another run.
#include "setup/first_weights.h"

#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "glidepath/error.h"
#include "model/weight_names.h"
#include "run/run_weights.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

fs::path file_of(const fs::path& given) {
  std::error_code ignored;
  return fs::is_directory(given, ignored) ? find_run_weights(given).files.back() : given;
}

std::string line_of(const BegunTensor& tensor) {
  const std::string own = fmt::format("{} [{}]", tensor.name, fmt::join(tensor.shape, ", "));
  if (tensor.stored_as.empty()) return own + ": anew, the file has none";
  if (tensor.stored_shape != tensor.shape)
    return fmt::format("{}: anew, the file's is [{}]", own, fmt::join(tensor.stored_shape, ", "));
  return tensor.stored_as == tensor.name ? own + ": of the file"
                                         : fmt::format("{}: the file's {}", own, tensor.stored_as);
}

}  // namespace

FirstWeights load_first_weights(const TrainConfig& config, Model& model, std::int64_t classes) {
  const fs::path file = file_of(config.init);
  const std::string name = file.lexically_normal().string();
  std::vector<BegunTensor> begun;
  try {
    begun = load_weights_to_begin_with(model, read_weights(file, most_weight_bytes(model)).tensors, classes);
  } catch (const InputError& error) {
    const std::string message = error.what();
    throw InputError(message.rfind(file.string(), 0) == 0 || message.rfind(name, 0) == 0
                         ? message
                         : fmt::format("{}: {}", name, message));
  }
  FirstWeights first;
  std::vector<std::string> anew;
  for (const BegunTensor& tensor : begun) {
    first.tensors.push_back(terminal_text(line_of(tensor)));
    if (!tensor.stored_as.empty() && tensor.stored_shape != tensor.shape) anew.push_back(tensor.name);
  }
  first.told = fmt::format("begins with the weights of {}", terminal_text(name));
  if (!anew.empty()) first.told += fmt::format("; anew for {} classes: {}", classes, fmt::join(anew, ", "));
  return first;
}

}  // namespace glidepath
