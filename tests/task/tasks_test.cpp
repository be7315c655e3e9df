// tests/task/tasks_test.cpp - losses and metrics beside PyTorch's and those counted in Python
// (tests/data/golden/task/make_tasks.py).
#include <cmath>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/task.h"

namespace glidepath {
namespace {

using Json = nlohmann::json;

constexpr double kSmoothing = 0.1;

torch::Tensor tensor_of(const Json& values, const Json& shape, torch::ScalarType type) {
  return torch::tensor(values.get<std::vector<double>>(), torch::kFloat64)
      .view(shape.get<std::vector<std::int64_t>>())
      .to(type);
}

std::unique_ptr<Task> task_of(const std::string& name, const Json& golden) {
  if (name == "classify") return make_classification(kSmoothing, 12);
  if (name == "multilabel") return make_multilabel(4);
  if (name == "regress") return make_regression();
  if (name == "segment") return make_segmentation(4, golden.at("ignored"), kSmoothing);
  return make_language(golden.at("bytes_per_token"), kSmoothing);
}

Batch rows_of(const Values& values, std::int64_t first, std::int64_t count) {
  Batch batch;
  batch.inputs = {values[0].narrow(0, first, count)};
  batch.targets = {values[1].narrow(0, first, count)};
  batch.examples = count;
  return batch;
}

class GoldenTask : public testing::TestWithParam<const char*> {
 protected:
  GoldenTask() {
    std::ifstream file(GLIDEPATH_TEST_DATA "/task/tasks.json");
    golden_ = Json::parse(file).at(GetParam());
    task_ = task_of(GetParam(), golden_);
    const bool is_float = std::string(GetParam()) == "regress";
    outputs_ = tensor_of(golden_.at("outputs"), golden_.at("shape"), torch::kFloat32).requires_grad_(true);
    targets_ = tensor_of(golden_.at("targets"), golden_.at("target_shape"),
                         is_float ? torch::kFloat32 : torch::kInt64);
    whole_ = rows_of({outputs_, targets_}, 0, targets_.size(0));
  }
  double wanted(const char* name) const { return golden_.at(name); }

  Json golden_;
  std::unique_ptr<Task> task_;
  torch::Tensor outputs_, targets_;
  Batch whole_;
};

TEST_P(GoldenTask, LossIsPyTorchs) {
  EXPECT_EQ(task_->terms(whole_), golden_.at("terms").get<std::int64_t>());
  const torch::Tensor loss = task_->loss({outputs_}, whole_);
  EXPECT_NEAR(loss.item<double>(), wanted("loss"), 1e-6);
  EXPECT_NEAR(task_->loss_sum({outputs_}, whole_).item<double>(), wanted("plain_loss") * wanted("terms"),
              1e-4);
  loss.backward();
  EXPECT_GT(outputs_.grad().abs().sum().item<double>(), 0);
}

TEST_P(GoldenTask, MetricsOverSeveralBatchesAreThoseCountedAtOnce) {
  const std::int64_t examples = whole_.examples, half = examples / 2;
  std::vector<std::string> names;
  for (const Metric& metric : task_->metrics()) {
    SCOPED_TRACE(metric.name);
    names.push_back(metric.name);
    torch::Tensor sums = torch::zeros({metric.size}, torch::kFloat64);
    double right = 0;
    for (const auto& [first, count] : {std::pair{std::int64_t{0}, half}, std::pair{half, examples - half}}) {
      const Batch part = rows_of({outputs_, targets_}, first, count);
      if (metric.sums) sums += metric.sums(part.inputs, part);
      if (const torch::Tensor some = task_->correct(part.inputs, part); some.defined())
        right += some.item<double>();
    }
    const double value = metric.value ? metric.value(sums, wanted("plain_loss")) : right / wanted("terms");
    EXPECT_NEAR(value, golden_.at("metrics").at(metric.name).get<double>(), 1e-6);
  }
  EXPECT_EQ(names.size(), golden_.at("metrics").size());
}

TEST_P(GoldenTask, OutputsOfAnotherShapeAreRefused) {
  const torch::Tensor wrong = torch::zeros({targets_.size(0) + 1, 2, 3, 4, 5});
  try {
    task_->loss({wrong}, whole_);
    FAIL() << "taken";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr(std::string("task \"") + GetParam() + "\": the model gives ["));
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTask,
                         testing::Values("classify", "multilabel", "regress", "segment", "language"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(Segmentation, OfNothingButIgnoredPixelsThereIsNothingToLearn) {
  const auto task = make_segmentation(3, 255);
  const torch::Tensor outputs = torch::randn({1, 3, 2, 2}).requires_grad_(true);
  const Batch batch(torch::zeros({1, 3, 2, 2}), torch::full({1, 2, 2}, 255, torch::kInt64));
  const torch::Tensor loss = task->loss({outputs}, batch);
  EXPECT_EQ(loss.item<double>(), 0);
  loss.backward();
  EXPECT_EQ(outputs.grad().abs().sum().item<double>(), 0);
  EXPECT_EQ(task->terms(batch), 0);
}

TEST(Segmentation, WithoutIgnoredLabelsEveryPixelIsATerm) {
  const auto task = make_segmentation(2);
  const torch::Tensor logits = torch::zeros({1, 2, 2, 2});
  const Batch batch(logits, torch::zeros({1, 2, 2}, torch::kInt64));
  EXPECT_NEAR(task->loss({logits}, batch).item<double>(), std::log(2.0), 1e-6);
  EXPECT_EQ(task->terms(batch), 4);
}

TEST(Regression, OneNumberAnExampleMayComeAsAColumn) {
  const auto task = make_regression();
  Batch batch;
  batch.examples = 2;
  batch.targets = {torch::tensor({1.0F, 3.0F})};
  EXPECT_NEAR(task->loss({torch::tensor({{1.0F}, {5.0F}})}, batch).item<double>(), 2, 1e-6);
}

}  // namespace
}  // namespace glidepath
