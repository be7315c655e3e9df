// A plug-in of a project of its own: a straight line.
#include <glidepath/examples.h>
#include <glidepath/plugin.h>

#include <torch/nn/modules/linear.h>

static void extend(glidepath::Experiment& experiment) {
  torch::nn::Linear line(3, 2);
  experiment.model = glidepath::module_model(line.ptr());
  experiment.task = glidepath::make_regression();
  const torch::Tensor x = torch::linspace(-1, 1, 192).view({64, 3}), y = x.narrow(1, 0, 2) * 2 - 1;
  experiment.data =
      glidepath::own_data(glidepath::tensor_examples({x}, {y}), glidepath::tensor_examples({x}, {y}));
}
GLIDEPATH_PLUGIN(extend)
