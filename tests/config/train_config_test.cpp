// tests/config/train_config_test.cpp - train options as text, both ways, and what wrong ones are told.
#include "glidepath/train_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/toml.h"
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
  config.data_dir = "a \"quoted\" \\ folder with a ‖sign‖";
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

// Words for keys whose default is a number.
TEST(TrainConfig, QuotesWordsWhereNumbersAreUsual) {
  TrainConfig config;
  set_config_value(config, "bn_estimate", "off");
  set_config_value(config, "eval_res", "96");
  set_config_value(config, "train_res", "128..224");
  EXPECT_EQ(parse_train_config(to_toml(config), "config.toml"), config);
  EXPECT_EQ(toml::parse(to_toml(config))["bn_estimate"].value<std::string>(), "off");
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
           {"precision", "fp8", "precision \"fp8\": must be one of auto, fp32, tf32, bf16, fp16"},
           {"loss_scale", "1024", "loss_scale \"1024\": must be one of auto, none, dynamic"},
           {"cuda_graphs", "yes", "cuda_graphs \"yes\": must be one of auto, true, false"},
           {"device", "gpu", "device \"gpu\": must be auto, cpu, cuda or cuda:N"},
           {"device", "cuda:x", "device \"cuda:x\": must be auto, cpu, cuda or cuda:N"},
           {"full", "10%",
            "full \"10%\": the full budget must be in epochs, iterations, time, tok or flop, for example "
            "200ep"},
           {"eval_every", "10s",
            "eval_every \"10s\": must be in epochs, iterations or percent of the budget, or \"end\""},
           {"checkpoint_every", "1e9flop",
            "checkpoint_every \"1e9flop\": must be in time, iterations, epochs or percent of the budget, for "
            "example 5m"},
           {"keep_checkpoints", "0", "keep_checkpoints \"0\": must be a whole number in [1, 1000000000]"},
           {"on_divergence", "go-on", "on_divergence \"go-on\": must be one of stop, rewind"},
           {"optimizer", "lion",
            "optimizer \"lion\": must be one of sgd, adagrad, rmsprop, adam, amsgrad, adamw, muon, "
            "schedule-free-sgd, schedule-free-adamw"},
           {"optimizer", "Adam",
            "optimizer \"Adam\": must be one of sgd, adagrad, rmsprop, adam, amsgrad, adamw, muon, "
            "schedule-free-sgd, schedule-free-adamw"},
           {"beta1", "1", "beta1 \"1\": must be a number in [0, 1)"},
           {"beta2", "-0.1", "beta2 \"-0.1\": must be a number in [0, 1)"},
           {"rmsprop_alpha", "nan", "rmsprop_alpha \"nan\": must be a number in [0, 1)"},
           {"eps", "0", "eps \"0\": must be auto or a number of at least 1e-37"},
           {"eps", "1e-40", "eps \"1e-40\": must be auto or a number of at least 1e-37"},
           {"eps", "inf", "eps \"inf\": must be auto or a number of at least 1e-37"},
           {"eps", "small", "eps \"small\": must be auto or a number of at least 1e-37"},
           {"lr", "0.1", "\"lr\" is not a train option; here it is base_lr"},
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

// toml++ 3.3 breaks an assertion for the first two, and runs into undefined behaviour for the others.
TEST(TrainConfig, MalformedTomlThatTheParserDoesNotExpectIsRefused) {
  for (const char* text :
       {"[[[1]]]\n", "[=", "s\xC3\xA9\x65\x64 = 1\n", "\xEF\xBB\xA0 = 1\n", "[\x0E = 1\n"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(message_of([&] { parse_train_config(text, "my.toml"); }),
                testing::AllOf(testing::StartsWith("my.toml:"), testing::HasSubstr(" not valid TOML: ")));
  }
}

// TOML is UTF-8: what could not be written into config.toml could not be read back from it.
TEST(TrainConfig, TextIsUtf8) {
  TrainConfig config;
  for (const char* text : {"\x98\xF5", "a\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(message_of([&] { set_config_value(config, "data_dir", text); }),
              std::string("data_dir \"") + text + "\": must be UTF-8 text");
  }
  for (const char* text : {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x9B\xAC", "\xEF\xBF\xBD"}) {
    SCOPED_TRACE(text);
    set_config_value(config, "data_dir", text);
    EXPECT_EQ(parse_train_config(to_toml(config), "config.toml").data_dir, text);
  }
}

// What is shown of a run must not steer what shows it.
TEST(TrainConfig, TextIsOneLineWithoutControlCharacters) {
  TrainConfig config;
  for (const auto& [text, shown] :
       std::vector<std::pair<std::string, std::string>>{{"a\nb", "\\n"},
                                                        {"a\x1b[31m", "\\x1b"},
                                                        {"\x7F", "\\x7f"},
                                                        {"\xC2\x9B", "\\x9b"},
                                                        {"\xE2\x80\xAE", "\\u202e"}}) {
    for (const char* key : {"data", "data_dir", "model", "schedule", "device", "measure"}) {
      EXPECT_EQ(
          message_of([&, value = text] { set_config_value(config, key, value); }),
          std::string(key) + " \"" + text + "\": holds the control character " + shown + "; leave it out");
    }
  }
  EXPECT_THAT(message_of([&] { set_config_value(config, "data_dir", std::string(70'000, 'a')); }),
              testing::HasSubstr("has 70000 bytes; give at most 65536"));
}

TEST(TrainConfig, NesterovNeedsMomentum) {
  EXPECT_EQ(message_of([] { check_config(parse_train_config("momentum = 0.0\n", "my.toml")); }),
            "momentum \"0\": must be above 0 for nesterov; give momentum 0.9, or nesterov false");
}

TEST(TrainConfig, NesterovWithoutMomentumIsNoMatterToOtherOptimizers) {
  EXPECT_NO_THROW(check_config(parse_train_config("optimizer = \"adam\"\nmomentum = 0.0\n", "my.toml")));
}

TEST(TrainConfig, EpsHasOneTextForEverySpelling) {
  for (const char* text : {"1e-8", "1E-08", "0.00000001"}) {
    TrainConfig config;
    set_config_value(config, "eps", text);
    EXPECT_EQ(config.eps, "1e-08");
  }
  EXPECT_EQ(parse_train_config("eps = 1e-3\n", "my.toml").eps, "0.001");
  EXPECT_EQ(parse_train_config("eps = \"auto\"\n", "my.toml").eps, "auto");
}

TEST(TrainConfig, MissingFileIsNamed) {
  EXPECT_EQ(message_of([] { read_train_config("/nowhere/run.toml"); }),
            "/nowhere/run.toml: cannot be read; give a file with train options in TOML");
}

}  // namespace
}  // namespace glidepath
