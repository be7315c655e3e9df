// tests/session/line_plugin.cpp - a plug-in: a straight line through points of its own.
#include <glidepath/examples.h>
#include <glidepath/plugin.h>

#include <torch/nn/modules/linear.h>

namespace {

void extend(glidepath::Experiment& experiment) {
  at::manual_seed(experiment.config.seed);
  torch::nn::Linear line(3, 2);
  experiment.model = glidepath::module_model(line.ptr());
  experiment.task = glidepath::make_regression();
  const torch::Tensor x = torch::linspace(-1, 1, 192).view({64, 3}), y = x.narrow(1, 0, 2) * 2 - 1;
  experiment.data =
      glidepath::own_data(glidepath::tensor_examples({x}, {y}), glidepath::tensor_examples({x}, {y}));
}

}  // namespace

GLIDEPATH_PLUGIN(extend)
