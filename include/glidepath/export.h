// include/glidepath/export.h - a run's model in a format that other programs load.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace glidepath {

/// Which versions of ONNX's operators are written; what the networks need is the same in all of them, but
/// that gpt needs 17.
constexpr std::int64_t kOldestOpset = 13, kNewestOpset = 22;

struct ExportOptions {
  /// safetensors: the weights, float32, under torchvision's names. torchscript: the network too, in
  /// evaluation mode, as torch::jit::load reads it. onnx: the network as an ONNX model. The networks that are
  /// built in have all three.
  std::string format = "safetensors";
  /// Empty: export.safetensors, export.pt or export.onnx in the run's folder, where an earlier one is
  /// replaced. Another file that is there already is refused.
  std::filesystem::path out;
  std::int64_t opset = 17;  ///< of an ONNX model, in [kOldestOpset, kNewestOpset]
};

struct ExportResult {
  std::filesystem::path file;
  std::uint64_t bytes = 0;
  std::int64_t step = -1;              ///< a checkpoint's update; -1: the run's result
  std::vector<std::string> operators;  ///< of an ONNX model, sorted
  std::vector<std::string> notes;      ///< what the file does not have of the run, for people
};

/// Writes the model of a run (its result, or its newest checkpoint where it has none; or a file of weights in
/// it), whole or not at all. Input: images float32 [batch, channels, side, side], normalised, any number of
/// them; output: logits [batch, classes]. Of a run on images with masks: images of any height and width,
/// logits [batch, classes, height, width]; on text: tokens int64 [batch, tokens], as many as the run's
/// context at most, logits [batch, tokens, classes]. How data become that input, and the names of the
/// classes, are in the file as JSON, under "preprocessing": a metadata entry of safetensors and ONNX, an
/// extra file preprocessing.json of TorchScript (docs/models.md). Throws InputError for what is no run, a
/// model or data of a program's own, an option out of range or a file that is there; RunError where the disk
/// refuses.
ExportResult export_run(const std::filesystem::path& run, const ExportOptions& options = {});

}  // namespace glidepath
