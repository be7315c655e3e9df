// src/data/own/tensor_set.cpp - a data set of four tensors: checked, and what it is for told from their
// types.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "data/own/normalised.h"
#include "data/own/own_sets.h"
#include "data/own/tensor_files.h"
#include "glidepath/error.h"
#include "glidepath/examples.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using torch::Tensor;

constexpr std::int64_t kMostClasses = 1'000'000;

bool is_whole(const Tensor& values) { return at::isIntegralType(values.scalar_type(), /*includeBool=*/true); }

std::string type_name(const Tensor& values) {
  switch (values.scalar_type()) {
    case torch::kFloat64:
      return "float64";
    case torch::kFloat32:
      return "float32";
    case torch::kFloat16:
      return "float16";
    case torch::kBFloat16:
      return "bfloat16";
    case torch::kInt64:
      return "int64";
    case torch::kInt32:
      return "int32";
    case torch::kInt16:
      return "int16";
    case torch::kInt8:
      return "int8";
    case torch::kUInt8:
      return "uint8";
    default:
      return "bool";
  }
}

std::string shape_text(const Tensor& values) {
  return fmt::format("{} [{}]", type_name(values), fmt::join(values.sizes(), ", "));
}

std::string told(const FileTensor& one) { return fmt::format("{} {}", one.called, shape_text(one.values)); }

void require_rows(const FileTensor& inputs, const FileTensor& targets) {
  for (const FileTensor* each : {&inputs, &targets}) {
    if (each->values.dim() < 1 || each->values.numel() == 0)
      throw InputError(fmt::format("{}: is empty; its rows must be examples", told(*each)));
  }
  if (inputs.values.size(0) != targets.values.size(0))
    throw InputError(
        fmt::format("{}: has other rows than {}; each input needs a target", told(targets), told(inputs)));
}

void require_alike(const FileTensor& train, const FileTensor& test) {
  const bool same_kind = train.values.scalar_type() == test.values.scalar_type() ||
                         (is_whole(train.values) && is_whole(test.values)) ||
                         (train.values.is_floating_point() && test.values.is_floating_point());
  if (!same_kind || train.values.sizes().slice(1) != test.values.sizes().slice(1))
    throw InputError(fmt::format("{}: has rows of another type or shape than {}", told(test), told(train)));
}

void require_finite(const FileTensor& one) {
  if (!one.values.is_floating_point()) return;
  const Tensor is_bad = one.values.to(torch::kFloat32).isfinite().logical_not().flatten();
  if (!is_bad.any().item<bool>()) return;
  const auto at = is_bad.to(torch::kUInt8).argmax().item<std::int64_t>();
  const double value = one.values.flatten()[at].item<double>();
  throw InputError(fmt::format("{}: row {} has {}; all must be finite", told(one),
                               at / (one.values.numel() / one.values.size(0)), value));
}

/// Labels in [0, classes), or the ignored one. Throws InputError with the row of one that is not.
void require_labels(const FileTensor& one, std::int64_t classes, std::int64_t ignored,
                    const std::string& known) {
  Tensor is_bad = one.values.lt(0).logical_or_(one.values.ge(classes));
  if (ignored >= 0) is_bad = is_bad.logical_and_(one.values.ne(ignored));
  is_bad = is_bad.flatten();
  if (!is_bad.any().item<bool>()) return;
  const auto at = is_bad.to(torch::kUInt8).argmax().item<std::int64_t>();
  throw InputError(fmt::format("{}: row {} has the label {}, expected 0 to {}{}", told(one),
                               at / (one.values.numel() / one.values.size(0)),
                               one.values.flatten()[at].item<std::int64_t>(), classes - 1, known));
}

using Tensors = std::vector<const FileTensor*>;

/// One more than the largest label in what is trained on, which the tests' have to keep to.
std::int64_t count_classes(const Tensors& trained, const Tensors& tested, std::int64_t ignored) {
  std::int64_t largest = 0;
  for (const FileTensor* each : trained) {
    Tensor labels = each->values.flatten();
    if (ignored >= 0) labels = labels.masked_select(labels.ne(ignored));
    if (labels.numel() > 0) largest = std::max(largest, labels.max().item<std::int64_t>());
    if (largest >= kMostClasses) {
      throw InputError(fmt::format(
          "{}: has the label {}, and there are {} classes at most; numbers to be told are given as "
          "float32",
          told(*each), largest, kMostClasses));
    }
  }
  for (const FileTensor* each : trained) require_labels(*each, largest + 1, ignored, "");
  for (const FileTensor* each : tested) require_labels(*each, largest + 1, ignored, ", as in training");
  return largest + 1;
}

bool has_zeros_and_ones_alone(const Tensor& values) {
  return values.ge(0).logical_and_(values.le(1)).all().item<bool>();
}

bool are_images(const Tensor& inputs) { return inputs.scalar_type() == torch::kUInt8 && inputs.dim() == 4; }

/// What targets are for, one function for each task: checks them, and gives them the task's type.
class TaskOfTensors {
 public:
  TaskOfTensors(Dataset& dataset, TensorFiles& files, const DataChoice& choice)
      : dataset_(dataset), files_(files), choice_(choice) {}

  void set() {
    const Tensor &inputs = files_.train_inputs.values, &targets = files_.train_targets.values;
    if (!is_whole(targets)) return regress();
    if (is_whole(inputs) && inputs.dim() != 4) return language();
    if (targets.dim() == 1) return classify();
    if (targets.dim() == 2) return multilabel();
    segment();
  }

 private:
  void regress() {
    dataset_.task = "regress";
    if (files_.train_targets.values.dim() > 2) refuse("numbers to be told must be [N] or [N, k]");
    give_targets_as(torch::kFloat32);
    for (FileTensor* each : targets_) {
      if (each->values.dim() == 1) each->values = each->values.unsqueeze(1);
    }
  }
  void language() {
    dataset_.task = "language";
    const Tensor& inputs = files_.train_inputs.values;
    if (inputs.dim() != 2 || files_.train_targets.values.sizes() != inputs.sizes())
      refuse(fmt::format(
          "inputs of whole numbers are tokens [N, T], and targets the next ones, likewise; they are {}",
          shape_text(inputs)));
    dataset_.classes = count_classes({&files_.train_inputs, &files_.train_targets},
                                     {&files_.test_inputs, &files_.test_targets}, -1);
    dataset_.tokens = inputs.size(1);
    give_targets_as(torch::kInt64);
  }
  void classify() {
    dataset_.classes = count_classes({&files_.train_targets}, {&files_.test_targets}, -1);
    give_targets_as(torch::kInt64);
  }
  void multilabel() {
    dataset_.task = "multilabel";
    for (const FileTensor* each : targets_) {
      if (!has_zeros_and_ones_alone(each->values))
        throw InputError(fmt::format("{}: several labels of a row must each be 0 or 1", told(*each)));
    }
    dataset_.classes = files_.train_targets.values.size(1);
    give_targets_as(torch::kFloat32);
  }
  void segment() {
    dataset_.task = "segment";
    const Tensor &inputs = files_.train_inputs.values, &targets = files_.train_targets.values;
    if (targets.dim() != 3 || inputs.dim() != 4 || targets.sizes().slice(1) != inputs.sizes().slice(2))
      refuse(fmt::format("masks must be [N, H, W], and images [N, C, H, W] of the same size; they are {}",
                         shape_text(inputs)));
    dataset_.ignored_label = ignored_label(choice_);
    dataset_.classes = count_classes({&files_.train_targets}, {&files_.test_targets}, dataset_.ignored_label);
    give_targets_as(torch::kInt64);
  }

  [[noreturn]] void refuse(const std::string& wanted) const {
    throw InputError(fmt::format("{}: {}", told(files_.train_targets), wanted));
  }
  void give_targets_as(torch::ScalarType type) {
    for (FileTensor* each : targets_) each->values = each->values.to(type).contiguous();
  }

  Dataset& dataset_;
  TensorFiles& files_;
  const DataChoice& choice_;
  std::vector<FileTensor*> targets_{&files_.train_targets, &files_.test_targets};
};

/// Images as bytes, normalised as they are asked for.
class ByteExamples : public Examples {
 public:
  ByteExamples(Tensor images, Tensor targets, ChannelStatistics statistics)
      : rows_(tensor_examples({std::move(images)}, {std::move(targets)})),
        statistics_(std::move(statistics)) {}
  std::int64_t size() const override { return rows_->size(); }
  Batch batch(const Request& request) const override {
    Batch batch = rows_->batch(request);
    batch.inputs[0] = normalised(batch.inputs[0], statistics_);
    return batch;
  }

 private:
  std::shared_ptr<const Examples> rows_;
  ChannelStatistics statistics_;
};

/// Images of bytes are measured. With a label each, and square, they are an image data set as others are.
void set_images(Dataset& dataset, const TensorFiles& files) {
  const Tensor train = files.train_inputs.values.contiguous(), test = files.test_inputs.values.contiguous();
  ByteCounts counts(train.size(1));
  counts.add(train);
  ChannelStatistics statistics = counts.statistics();
  if (dataset.task == "classify" && train.size(2) == train.size(3)) {
    dataset.mean = statistics.mean;
    dataset.stddev = statistics.stddev;
    dataset.train.images = train;
    dataset.train.labels = files.train_targets.values;
    dataset.test.images = test;
    dataset.test.labels = files.test_targets.values;
    return;
  }
  dataset.train.examples = std::make_shared<ByteExamples>(train, files.train_targets.values, statistics);
  dataset.test.examples =
      std::make_shared<ByteExamples>(test, files.test_targets.values, std::move(statistics));
}

void set_numbers(Dataset& dataset, const TensorFiles& files) {
  const auto of = [&](const FileTensor& inputs, const FileTensor& targets) {
    const auto type = is_whole(inputs.values) ? torch::kInt64 : torch::kFloat32;
    return tensor_examples({inputs.values.to(type).contiguous()}, {targets.values});
  };
  dataset.train.examples = of(files.train_inputs, files.train_targets);
  dataset.test.examples = of(files.test_inputs, files.test_targets);
}

}  // namespace

void load_tensor_set(Dataset& dataset, const fs::path& path, const DataChoice& choice) {
  TensorFiles files = read_tensor_files(path);
  require_rows(files.train_inputs, files.train_targets);
  require_rows(files.test_inputs, files.test_targets);
  require_alike(files.train_inputs, files.test_inputs);
  require_alike(files.train_targets, files.test_targets);
  for (const FileTensor* each :
       {&files.train_inputs, &files.train_targets, &files.test_inputs, &files.test_targets})
    require_finite(*each);
  const Tensor inputs = files.train_inputs.values;
  if (is_whole(inputs) && inputs.dim() == 4 && !are_images(inputs))
    throw InputError(fmt::format("{}: images must be uint8 or float32", told(files.train_inputs)));
  TaskOfTensors(dataset, files, choice).set();
  if (are_images(inputs)) {
    set_images(dataset, files);
  } else {
    set_numbers(dataset, files);
  }
  dataset.notes.push_back(fmt::format("{} and {} examples of {}, targets {}: {}", inputs.size(0),
                                      files.test_inputs.values.size(0), shape_text(inputs[0]),
                                      shape_text(files.train_targets.values[0]), dataset.task));
}

}  // namespace glidepath
