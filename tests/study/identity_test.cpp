// tests/study/identity_test.cpp - which runs are the same run.
#include "study/plan/identity.h"

#include <gtest/gtest.h>

#include "glidepath/study.h"

namespace glidepath {
namespace {

TEST(RunId, IsTheStartOfSha256OfTheValuesThatAreNotDefaults) {
  // printf 'bn_estimate=4096\nschedule=cosine\nseed=3\n' | sha256sum
  TrainConfig config;
  EXPECT_EQ(run_id(config), "1708de599692be07");  // of the first line
  config.schedule = "cosine";
  config.seed = 3;
  EXPECT_EQ(run_id(config), "0b963dd97731fbd4");
}

// Programs that did not know a key named their runs so; stores of theirs go on.
TEST(RunId, IsTheOldOneWhereANewKeySaysWhatWasDoneBefore) {
  TrainConfig config;
  config.bn_estimate = "off";
  EXPECT_EQ(run_id(config), "e3b0c44298fc1c14");  // of nothing
  config.saved_statistics = "running";
  config.schedule = "cosine";
  config.seed = 3;
  EXPECT_EQ(run_id(config), "5a29061702d7bad6");  // printf 'schedule=cosine\nseed=3\n' | sha256sum
}

// What differs by rounding alone has no name of its own, and an earlier program's run goes on as it was
// begun.
TEST(RunId, OfARunThatWasBegunBeforeAKeyThatOnlyRoundsIsTheDefaults) {
  const TrainConfig now;
  TrainConfig then = now, asked = now;
  then.conv = "library";
  asked.conv = "winograd";
  EXPECT_TRUE(is_run(now, run_id(now)));
  EXPECT_TRUE(is_run(then, run_id(now)));
  EXPECT_TRUE(is_run(then, run_id(then)));
  EXPECT_NE(run_id(then), run_id(now));
  EXPECT_FALSE(is_run(now, run_id(then)));
  EXPECT_FALSE(is_run(asked, run_id(now)));
  then.seed = 2;
  EXPECT_FALSE(is_run(then, run_id(now)));
}

TEST(RunId, IsTheSameForEverySpelling) {
  TrainConfig a, b;
  a.budget = "60m";
  b.budget = "1h";
  EXPECT_EQ(run_id(a), run_id(b));
  a.schedule = "htd(-6,3)";
  b.schedule = "htd( -6, 3 )";
  EXPECT_EQ(run_id(a), run_id(b));
  set_config_value(a, "measure", "grad-norm( bn=batch )@points=20, weight-norm(layers = yes)@every=60it");
  set_config_value(b, "measure", "grad-norm,weight-norm(layers=yes)@every=60it");
  EXPECT_EQ(run_id(a), run_id(b));
}

TEST(RunId, DiffersForEveryOptionThatAffectsTheResultAndForNoOther) {
  const TrainConfig defaults;
  const std::map<std::string, std::string> others = {{"data", "digits"},
                                                     {"data_dir", "/x"},
                                                     {"train_limit", "5"},
                                                     {"train_fraction", "0.5"},
                                                     {"context", "64"},
                                                     {"ignored_label", "11"},
                                                     {"model", "mlp"},
                                                     {"task", "regress"},
                                                     {"width", "2"},
                                                     {"stem", "cifar"},
                                                     {"schedule", "const"},
                                                     {"budget", "5%"},
                                                     {"full", "2ep"},
                                                     {"base_lr", "0.2"},
                                                     {"base_lr_scale", "budget^-0.32"},
                                                     {"weight_decay_scale", "timescale"},
                                                     {"optimizer", "adam"},
                                                     {"momentum", "0.5"},
                                                     {"beta1", "0.8"},
                                                     {"beta2", "0.99"},
                                                     {"rmsprop_alpha", "0.9"},
                                                     {"eps", "1e-3"},
                                                     {"optimizer_of", "fc.*=adam"},
                                                     {"lr_scale", "fc.*=2"},
                                                     {"lr_until", "fc.*=0.5"},
                                                     {"weight_decay_of", "fc.*=0"},
                                                     {"muon_momentum", "0.9"},
                                                     {"muon_steps", "3"},
                                                     {"muon_weights", "normalised"},
                                                     {"average", "ema(10%)"},
                                                     {"nesterov", "false"},
                                                     {"weight_decay", "0"},
                                                     {"decay_norm_bias", "false"},
                                                     {"label_smoothing", "0.1"},
                                                     {"clip_norm", "1"},
                                                     {"weight_decay_schedule", "cosine"},
                                                     {"momentum_schedule", "linear"},
                                                     {"auto_augment", "trivial"},
                                                     {"mixup", "0.2"},
                                                     {"cutmix", "1"},
                                                     {"random_erasing", "0.25"},
                                                     {"micro_batch", "16"},
                                                     {"init", "/x"},
                                                     {"plugin", "/x"},
                                                     {"model_sha256", std::string(64, 'a')},
                                                     {"plugin_sha256", std::string(64, 'b')},
                                                     {"freeze", "fc.*"},
                                                     {"frozen_norms", "train"},
                                                     {"batch_size", "64"},
                                                     {"augment", "false"},
                                                     {"crop_padding", "2"},
                                                     {"crop_fill", "reflect"},
                                                     {"flip", "alternating"},
                                                     {"test_augment", "flip"},
                                                     {"seed", "9"},
                                                     {"precision", "fp32"},
                                                     {"channels_last", "true"},
                                                     {"conv", "library"},
                                                     {"device", "cpu"},
                                                     {"deterministic", "false"},
                                                     {"loss_scale", "dynamic"},
                                                     {"data_on_device", "false"},
                                                     {"cuda_graphs", "false"},
                                                     {"threads", "3"},
                                                     {"eval_every", "end"},
                                                     {"measure", "grad-norm"},
                                                     {"eval_batch_size", "100"}};
  for (const ConfigKey& key : train_config_keys()) {
    SCOPED_TRACE(key.name);
    const auto other = others.find(key.name);
    if (other == others.end()) continue;  // an option added since: nothing here knows a value for it
    TrainConfig config;
    set_config_value(config, key.name, other->second);
    ASSERT_NE(config_value(config, key.name), config_value(defaults, key.name));
    EXPECT_EQ(run_id(config) != run_id(defaults), key.affects_result);
  }
}

}  // namespace
}  // namespace glidepath
