// tests/nn/kernels/matrix_product_test.cpp - products of matrices against LibTorch's in float64.
#include "nn/kernels/matrix_product.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

namespace glidepath {
namespace {

using torch::Tensor;

TEST(MatrixProduct, EqualsTheLibrarysInFloat64) {
  at::manual_seed(3);
  for (const auto& [rows, terms, columns] : std::vector<std::tuple<int, int, int>>{{1, 1, 1},
                                                                                   {12, 5, 32},
                                                                                   {13, 40, 17},
                                                                                   {64, 216, 64},
                                                                                   {7, 300, 100},
                                                                                   {50, 3, 33},
                                                                                   {256, 1000, 256}}) {
    SCOPED_TRACE(testing::Message() << rows << " " << terms << " " << columns);
    const Tensor a = torch::randn({rows, terms}), b = torch::randn({columns, terms}).t();
    const Tensor right = torch::mm(a.to(torch::kFloat64), b.to(torch::kFloat64));
    const Tensor found = matrix_product(a, b);
    EXPECT_EQ(found.sizes(), right.sizes());
    EXPECT_LT(((found - right).norm() / right.norm()).item<double>(), 1e-6);
  }
}

TEST(MatrixProduct, BitsDoNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  const Tensor a = torch::randn({50, 70}), b = torch::randn({70, 130});
  at::set_num_threads(1);
  const Tensor one = matrix_product(a, b);
  at::set_num_threads(3);
  EXPECT_TRUE(matrix_product(a, b).equal(one));
  at::set_num_threads(before);
}

TEST(MatrixProduct, OtherNumbersAndEmptyMatricesAreTheLibrarys) {
  const Tensor a = torch::randn({5, 6}, torch::kFloat64), b = torch::randn({6, 7}, torch::kFloat64);
  EXPECT_TRUE(matrix_product(a, b).equal(torch::mm(a, b)));
  EXPECT_TRUE(matrix_product(torch::empty({2, 0}), torch::empty({0, 3})).equal(torch::zeros({2, 3})));
  EXPECT_EQ(matrix_product(torch::empty({0, 4}), torch::empty({4, 3})).sizes(), (c10::IntArrayRef{0, 3}));
}

}  // namespace
}  // namespace glidepath
