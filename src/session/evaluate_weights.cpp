// src/session/evaluate_weights.cpp - loss, accuracy and confusions of weights from anywhere on a test split.
#include <chrono>
#include <functional>

#include <fmt/format.h>
#include <torch/types.h>

#include "config/own_programs.h"
#include "core/safe_text.h"
#include "data/images/corrupt_images.h"
#include "evaluation/evaluate.h"
#include "glidepath/error.h"
#include "glidepath/evaluate.h"
#include "glidepath/train.h"
#include "loop/feed/data_watch.h"
#include "model/weight_names.h"
#include "run/run_weights.h"
#include "session/brought.h"
#include "setup/run_setup.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

std::vector<ClassResult> classes_of(const Dataset& dataset,
                                    const std::vector<std::vector<std::int64_t>>& confusion) {
  std::vector<ClassResult> classes(confusion.size());
  for (std::size_t i = 0; i < classes.size(); ++i) {
    ClassResult& one = classes[i];
    one.name = i < dataset.class_names.size() ? dataset.class_names[i] : std::to_string(i);
    one.correct = confusion[i][i];
    for (std::size_t j = 0; j < classes.size(); ++j) {
      one.images += confusion[i][j];
      if (j == i || confusion[i][j] <= one.mistaken) continue;
      one.taken_for = static_cast<std::int64_t>(j);
      one.mistaken = confusion[i][j];
    }
  }
  return classes;
}

std::vector<std::vector<std::int64_t>> rows_of(const Confusion& confusion, std::int64_t classes) {
  std::vector<std::vector<std::int64_t>> rows(static_cast<std::size_t>(classes));
  for (std::int64_t i = 0; i < classes; ++i) {
    for (std::int64_t j = 0; j < classes; ++j)
      rows[static_cast<std::size_t>(i)].push_back(confusion.count(i, j));
  }
  return rows;
}

/// What helps training alone has no part in a test.
TrainConfig untouched(TrainConfig config) {
  config.label_smoothing = 0;
  return config;
}

/// A data set, a network for it, and what is asked of both.
class Tester {
 public:
  Tester(const TrainConfig& config, const EvaluateOptions& options)
      : config_(config),
        options_(options),
        plan_(plan_compute(config)),
        brought_(brought_by_plugin(untouched(config))),
        dataset_(dataset_of(brought_, options.on_warning)),
        watch_(dataset_, options.on_warning, options.on_warning) {
    if (options.on_note) {
      for (const std::string& note : dataset_.notes) options.on_note("data: " + note);
    }
    watch_.set_stop([this] { stop_if_asked(); });
    dataset_.image_options.train_size = dataset_.image_options.eval_size;  // the size the network is made for
    model_ = model_of(brought_, dataset_, plan_);
    task_ = task_of(brought_, dataset_, plan_, model_);
  }

  /// `load` puts weights into the model and returns their update.
  EvaluationResult test(const fs::path& file, const std::function<std::int64_t(Model&)>& load) {
    EvaluationResult result;
    result.file = file;
    result.step = load(*model_);
    const bool has_classes =
        !brought_.task && (config_.task == "auto" ? dataset_.task : config_.task) == "classify";
    Confusion confusion(has_classes ? dataset_.classes : 0);
    const auto begun = std::chrono::steady_clock::now();
    const DataWatch::MayStop here(watch_);
    const Evaluation found = evaluate(
        *model_, *task_, dataset_, dataset_.test, config_.eval_batch_size, plan_, alone_,
        [this] { stop_if_asked(); }, test_views(config_.test_augment), has_classes ? &confusion : nullptr);
    watch_.tell();
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    result.accuracy = found.accuracy;
    result.loss = found.loss;
    for (std::size_t i = 0; i < found.metrics.size(); ++i) {
      const Metric& metric = task_->metrics()[i];
      if (metric.value) result.metrics.push_back(told_metric(metric, found.metrics[i]));
    }
    if (dataset_.test.corrupt) result.corrupt_images = dataset_.test.corrupt->count();
    result.images = dataset_.test.size() - result.corrupt_images;
    result.tested_on = dataset_.tested_on;
    if (!has_classes) return result;
    result.confusion = rows_of(confusion, dataset_.classes);
    result.classes = classes_of(dataset_, result.confusion);
    return result;
  }

 private:
  void stop_if_asked() const {
    const int signal = options_.stop_signal ? options_.stop_signal() : 0;
    if (signal != 0) throw Interrupted("stopped", signal);
  }

  const TrainConfig& config_;
  const EvaluateOptions& options_;
  ComputePlan plan_;
  const Experiment brought_;
  Dataset dataset_;
  DataWatch watch_;
  std::shared_ptr<Model> model_;
  Ranks alone_{nullptr, {}};
  std::shared_ptr<const Task> task_;
};

/// What to do about weights that do not fit, where it can be told.
std::string remedy(const fs::path& weights) {
  std::error_code ignored;
  const fs::path run = weights.has_parent_path() ? weights.parent_path() : fs::path(".");
  if (fs::exists(run / "config.toml", ignored))
    return fmt::format("; they are of a run: glidepath evaluate {} takes its options",
                       shell_word(run.string()));
  return "; is its --model, --width, --stem or number of classes another?";
}

}  // namespace

EvaluationResult evaluate_weights(const TrainConfig& config, const fs::path& weights,
                                  const EvaluateOptions& options) {
  check_config(config);
  return Tester(config, options).test(weights, [&](Model& model) {
    TensorMap tensors;
    try {
      tensors = load_safetensors(weights, nullptr, Checksum::kNone, most_weight_bytes(model));
    } catch (const InputError& error) {
      const std::string message = error.what(), file = weights.string();
      throw InputError(message.rfind(file, 0) == 0 ? message : file + ": " + message);
    }
    try {
      for (const std::string& note : load_stored_weights(model, tensors)) {
        if (options.on_warning) options.on_warning(fmt::format("{}: {}", weights.string(), note));
      }
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: {}{}", weights.string(), error.what(), remedy(weights)));
    }
    return std::int64_t{-1};
  });
}

std::vector<EvaluationResult> evaluate_run(const fs::path& run,
                                           const std::map<std::string, std::string>& changes,
                                           const EvaluateOptions& options) {
  const RunWeights found = find_run_weights(run);
  TrainConfig config = with_programs_of_run(read_run_config(found.run), found.run);
  for (const auto& [key, text] : changes) set_config_value(config, key, text);
  check_config(config);
  Tester tester(config, options);
  std::vector<EvaluationResult> results;
  for (const fs::path& file : found.files) {
    results.push_back(
        tester.test(file.lexically_normal(), [&](Model& model) { return load_run_weights(file, model); }));
  }
  return results;
}

}  // namespace glidepath
