// src/data/sets/examples.cpp - data of one's own.
#include "glidepath/examples.h"

#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "core/own_name.h"
#include "data/batches/random_keys.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

class TensorExamples : public Examples {
 public:
  TensorExamples(Values inputs, Values targets) : inputs_(std::move(inputs)), targets_(std::move(targets)) {
    if (inputs_.empty()) throw InputError("examples: no inputs; give at least one tensor");
    size_ = rows_of(inputs_.front());
    for (const Values* values : {&inputs_, &targets_}) {
      for (const torch::Tensor& each : *values) {
        if (rows_of(each) == size_) continue;
        throw InputError(fmt::format("examples: tensors of {} and of {} rows; all must have as many", size_,
                                     each.size(0)));
      }
    }
  }
  std::int64_t size() const override { return size_; }
  Batch batch(const Request& request) const override {
    const torch::Tensor rows = torch::tensor(request.numbers, torch::kInt64);
    Batch batch;
    batch.examples = rows.numel();
    for (const torch::Tensor& each : inputs_) batch.inputs.push_back(each.index_select(0, rows));
    for (const torch::Tensor& each : targets_) batch.targets.push_back(each.index_select(0, rows));
    return batch;
  }

 private:
  static std::int64_t rows_of(const torch::Tensor& tensor) {
    if (!tensor.defined() || tensor.dim() < 1)
      throw InputError("examples: a tensor without rows; its first dimension must be the examples'");
    return tensor.size(0);
  }

  Values inputs_, targets_;
  std::int64_t size_ = 0;
};

/// Tensors of one shape, side by side.
Values stacked(const std::vector<Values>& each, const std::vector<std::int64_t>& numbers) {
  Values all;
  for (std::size_t place = 0; place < each.front().size(); ++place) {
    std::vector<torch::Tensor> column;
    for (std::size_t i = 0; i < each.size(); ++i) {
      const bool fits =
          each[i].size() == each.front().size() && each[i][place].sizes() == each.front()[place].sizes();
      if (!fits) {
        throw InputError(fmt::format("examples: example {} has other tensors, or of other shapes, than {}",
                                     numbers[i], numbers.front()));
      }
      column.push_back(each[i][place]);
    }
    all.push_back(torch::stack(column));
  }
  return all;
}

class FunctionExamples : public Examples {
 public:
  using Make = std::function<Example(std::int64_t, KeyedRandom*)>;
  FunctionExamples(std::int64_t size, Make make) : size_(size), make_(std::move(make)) {
    if (size < 1) throw InputError(fmt::format("examples: size {}: must be at least 1", size));
  }
  std::int64_t size() const override { return size_; }
  Batch batch(const Request& request) const override {
    if (request.numbers.empty()) return empty();
    std::vector<Values> inputs, targets;
    for (const std::int64_t number : request.numbers) {
      KeyedRandom random = request.random(number);
      Example made = make_(number, request.training ? &random : nullptr);
      inputs.push_back(std::move(made.inputs));
      targets.push_back(std::move(made.targets));
    }
    Batch batch;
    batch.examples = static_cast<std::int64_t>(request.numbers.size());
    batch.inputs = stacked(inputs, request.numbers);
    batch.targets = stacked(targets, request.numbers);
    return batch;
  }

 private:
  /// No rows, of the shapes that example 0 has: a rank's part may be none.
  Batch empty() const {
    const Example like = make_(0, nullptr);
    Batch batch;
    const auto none = [](const torch::Tensor& one) { return one.unsqueeze(0).narrow(0, 0, 0); };
    for (const torch::Tensor& each : like.inputs) batch.inputs.push_back(none(each));
    for (const torch::Tensor& each : like.targets) batch.targets.push_back(none(each));
    return batch;
  }

  std::int64_t size_;
  Make make_;
};

class SelectedExamples : public Examples {
 public:
  SelectedExamples(std::shared_ptr<const Examples> from, std::vector<std::int64_t> numbers)
      : from_(std::move(from)), numbers_(std::move(numbers)) {
    for (const std::int64_t number : numbers_) {
      if (number < 0 || number >= from_->size())
        throw InputError(fmt::format("examples: number {} of {}", number, from_->size()));
    }
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(numbers_.size()); }
  Batch batch(const Request& request) const override {
    Request there = request;
    for (std::int64_t& number : there.numbers) number = numbers_.at(static_cast<std::size_t>(number));
    return from_->batch(there);
  }

 private:
  std::shared_ptr<const Examples> from_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace

KeyedRandom Examples::Request::random(std::int64_t number) const {
  return {seed, kForExample, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(number)};
}

std::shared_ptr<const Examples> tensor_examples(Values inputs, Values targets) {
  return std::make_shared<TensorExamples>(std::move(inputs), std::move(targets));
}

std::shared_ptr<const Examples> function_examples(
    std::int64_t size, std::function<Example(std::int64_t number, KeyedRandom* random)> make) {
  return std::make_shared<FunctionExamples>(size, std::move(make));
}

std::shared_ptr<const Examples> selected_examples(std::shared_ptr<const Examples> from,
                                                  std::vector<std::int64_t> numbers) {
  return std::make_shared<SelectedExamples>(std::move(from), std::move(numbers));
}

Dataset own_data(std::shared_ptr<const Examples> train, std::shared_ptr<const Examples> test) {
  if (!train || !test || train->size() < 1 || test->size() < 1)
    throw InputError("examples: a data set needs some to train on and some to test on");
  Dataset dataset;
  dataset.name = kOwnName;
  dataset.train.examples = std::move(train);
  dataset.test.examples = std::move(test);
  return dataset;
}

}  // namespace glidepath
