// tests/train/train_config_test.cpp - train options as text, both ways, and what wrong ones are told.
#include "glidepath/train_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <toml++/toml.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(TrainConfig, DefaultsAreThePapersProtocol) {
  const TrainConfig config;
  EXPECT_EQ(config.model, "resnet18");
  EXPECT_EQ(config.base_lr, 0.1);
  EXPECT_EQ(config.momentum, 0.9);
  EXPECT_TRUE(config.nesterov);
  EXPECT_EQ(config.weight_decay, 5e-4);
  EXPECT_EQ(config.batch_size, 128);
  EXPECT_EQ(config.full, "200ep");
  EXPECT_NO_THROW(check_config(config));
}

TEST(TrainConfig, EveryKeyGoesThroughTextAndTomlUnchanged) {
  TrainConfig config;
  set_config_value(config, "base_lr", "0.30000000000000004");
  set_config_value(config, "seed", "9223372036854775807");
  set_config_value(config, "nesterov", "false");
  set_config_value(config, "schedule", "step(0.5,0.75)");
  config.data_dir = "a \"quoted\" \\ folder\twith a tab";
  const TrainConfig back = parse_train_config(to_toml(config), "config.toml");
  EXPECT_EQ(back, config);
  for (const ConfigKey& key : train_config_keys()) {
    EXPECT_EQ(config_value(back, key.name), config_value(config, key.name)) << key.name;
  }
}

// toml++ reads what we write as values of the right type, not only our own reader.
TEST(TrainConfig, WritesTypedToml) {
  const auto table = toml::parse(to_toml(TrainConfig()));
  EXPECT_EQ(table["base_lr"].value<double>(), 0.1);
  EXPECT_EQ(table["batch_size"].value<std::int64_t>(), 128);
  EXPECT_EQ(table["nesterov"].value<bool>(), true);
  EXPECT_EQ(table["budget"].value<std::string>(), "100%");
  EXPECT_EQ(table.size(), train_config_keys().size());
}

TEST(TrainConfig, WrongValuesAreNamedWithWhatIsRight) {
  struct Case {
    const char *key, *text, *message;
  };
  for (const Case& c : {
           Case{"base_lr", "0", "base_lr \"0\": must be a number above 0"},
           {"base_lr", "nan", "base_lr \"nan\": must be a number above 0"},
           {"base_lr", "inf", "base_lr \"inf\": must be a number above 0"},
           {"base_lr", "0.1x", "base_lr \"0.1x\": must be a number above 0"},
           {"base_lr", "", "base_lr \"\": must be a number above 0"},
           {"momentum", "1", "momentum \"1\": must be a number in [0, 1)"},
           {"weight_decay", "-1e-4", "weight_decay \"-1e-4\": must be a number of at least 0"},
           {"batch_size", "10k", "batch_size \"10k\": must be a whole number in [1, 1048576]"},
           {"batch_size", "0", "batch_size \"0\": must be a whole number in [1, 1048576]"},
           {"seed", "-1", "seed \"-1\": must be a whole number in [0, 9223372036854775807]"},
           {"nesterov", "yes", "nesterov \"yes\": must be true or false"},
           {"precision", "fp16", "precision \"fp16\": must be one of auto, fp32, bf16"},
           {"device", "gpu", "device \"gpu\": must be auto, cpu, cuda or cuda:N"},
           {"device", "cuda:x", "device \"cuda:x\": must be auto, cpu, cuda or cuda:N"},
           {"full", "10%",
            "full \"10%\": the full budget must be in epochs, iterations, time or flop, for example 200ep"},
           {"eval_every", "10s",
            "eval_every \"10s\": must be in epochs, iterations or percent of the budget, or \"end\""},
           {"lr", "0.1", "\"lr\" is not a train option; the nearest is full"},
           {"batchsize", "1", "\"batchsize\" is not a train option; the nearest is batch_size"},
       }) {
    TrainConfig config;
    EXPECT_EQ(message_of([&] { set_config_value(config, c.key, c.text); }), c.message);
    EXPECT_EQ(config, TrainConfig()) << "a refused value must leave the configuration alone";
  }
}

TEST(TrainConfig, BudgetAndScheduleErrorsNameTheOption) {
  TrainConfig config;
  EXPECT_THAT(message_of([&] { set_config_value(config, "budget", "30x"); }), testing::StartsWith("budget "));
  EXPECT_THAT(message_of([&] { set_config_value(config, "schedule", "linaer"); }),
              testing::AllOf(testing::StartsWith("schedule "), testing::HasSubstr("linear")));
}

TEST(TrainConfig, TomlErrorsNameFileLineAndKey) {
  EXPECT_EQ(message_of([] { parse_train_config("model = \"mlp\"\nbase_lr = -1\n", "my.toml"); }),
            "my.toml:2: base_lr \"-1\": must be a number above 0");
  EXPECT_EQ(message_of([] { parse_train_config("modle = \"mlp\"\n", "my.toml"); }),
            "my.toml:1: \"modle\" is not a train option; the nearest is model");
  EXPECT_EQ(message_of([] { parse_train_config("budget = [\"1%\", \"2%\"]\n", "my.toml"); }),
            "my.toml:1: budget: must be a single text, number, true or false");
  EXPECT_THAT(message_of([] { parse_train_config("model = \n", "my.toml"); }),
              testing::StartsWith("my.toml:1: not valid TOML: "));
}

TEST(TrainConfig, NesterovNeedsMomentum) {
  EXPECT_EQ(message_of([] { parse_train_config("momentum = 0.0\n", "my.toml"); }),
            "nesterov true: needs a momentum above 0; give momentum 0.9 or nesterov false");
}

TEST(TrainConfig, MissingFileIsNamed) {
  EXPECT_EQ(message_of([] { read_train_config("/nowhere/run.toml"); }),
            "/nowhere/run.toml: cannot be read; give a file with train options in TOML");
}

}  // namespace
}  // namespace glidepath
