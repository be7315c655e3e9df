// include/glidepath/predict.h - what a trained model says of images that nobody has labelled.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace glidepath {

struct ClassProbability {
  std::int64_t label = 0;  ///< in [0, classes)
  std::string name;        ///< the data set's, or the label's digits
  double probability = 0;  ///< softmax of the model's outputs, in [0, 1]
};

/// Of one image, or text. Where it could not be read or decoded `problem` says why, and there is nothing
/// else.
struct Prediction {
  std::string image;                      ///< as it was given
  std::vector<ClassProbability> classes;  ///< the most probable first
  std::string problem;
  std::string mask = {};  ///< of runs on images with masks: the file that was written
  std::string text = {};  ///< of runs on text: how it goes on
};

struct PredictOptions {
  std::int64_t top = 1;  ///< classes of each image, at least 1; all where there are fewer
  /// Options of the run that are set anew, key -> text: device, threads, precision, eval_res,
  /// eval_batch_size, test_augment, ...
  std::map<std::string, std::string> changes = {};
  std::string masks = {};            ///< of runs on images with masks: the folder that masks are written to
  std::int64_t tokens = 200;         ///< of runs on text: how many it goes on, at least 0
  double temperature = 0.8;          ///< likewise: logits are divided by it; 0: always the most probable
  std::function<int()> stop_signal;  ///< asked between batches, as TrainOptions::stop_signal
};

/// The images at a path: the path itself where it is no folder; of a folder all files below it whose names
/// end as those of images do, sorted, links to folders not followed. Throws InputError for a folder without
/// any.
std::vector<std::string> images_at(const std::filesystem::path& path);

/// Has the model of a run (its result, or its newest checkpoint where it has none; or a file of weights in
/// it) look at image files, and tells of each in their order. A run's folder is all that is needed: network,
/// preprocessing and names of classes are in it, the data set is not opened. Images are prepared as that
/// run's test images were: those of an image folder resized and cut in the middle; for a data set of small
/// images the shorter side becomes as long as theirs, and grey where theirs are. A run on images with masks
/// labels every pixel, at the image's size, and writes a grey PNG of the image's name into options.masks. A
/// run on text (tokens:FILE) takes `images` for texts, and goes on with each: characters drawn by the run's
/// seed and the text's place. Throws InputError for what is no run or cannot be used, Interrupted on a
/// signal.
void predict(const std::filesystem::path& run, const std::vector<std::string>& images,
             const PredictOptions& options, const std::function<void(const Prediction&)>& on_prediction);

}  // namespace glidepath
