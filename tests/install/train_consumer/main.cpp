// A whole run from C++, on the digits that the library carries.
#include <cstdio>
#include <glidepath/train.h>

int main() {
  glidepath::TrainConfig config;
  config.data = "digits";
  config.model = "mlp";
  config.base_lr = 0.05;
  config.full = "10ep";
  config.budget = "50%";
  const glidepath::TrainResult result = glidepath::train(config);
  std::printf("accuracy %.3f after %lld updates, lr %g\n", result.test_accuracy,
              static_cast<long long>(result.updates), result.final_lr);
  return result.test_accuracy > 0.5 && result.final_lr == 0 ? 0 : 1;
}
