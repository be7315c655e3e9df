// fuzz/train_config.cpp - config.toml of a run: any text is refused, or is a configuration that its own TOML
// gives back.
#include "glidepath/train_config.h"

#include "glidepath/study.h"
#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  TrainConfig config;
  if (!fuzz::accepts([&] { config = parse_train_config(text, "config.toml"); })) return 0;
  const TrainConfig back = parse_train_config(to_toml(config), "to_toml");
  fuzz::require(back == config, "to_toml(config) reads back to the same configuration");
  fuzz::require(run_id(back) == run_id(config), "and is the same run");
  return 0;
}
