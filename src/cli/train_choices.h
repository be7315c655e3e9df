// src/cli/train_choices.h - what the options of `glidepath train` come to.
#pragma once
#include <cstdint>
#include <string>

#include "cli/config_options.h"
#include "glidepath/train_config.h"
#include "ranks/same_on_all.h"

namespace glidepath::cli {

struct TrainArguments {
  GivenValues values;
  std::string config_file, recipe, out, resume;
  std::string told;  // what was chosen for the user, to be said
  std::string replan = "re-anneal";
  std::int64_t batch_size_per_rank = 0, reference_batch = 128;
  std::string scale_lr = "none";
  bool quiet = false, json = false, no_progress = false, no_rescue = false, verbose = false, dry_run = false,
       alone = false;
  Facts given;  // every option, for the ranks to compare
};

/// Least to most particular: defaults, the recipe, the run to resume or the file, flags; then what is said of
/// one process, recorded for the whole job of `ranks`, so that it can go on with another number. What was
/// chosen without having been asked for is told in `arguments`.
TrainConfig chosen_config(TrainArguments& arguments, int ranks);

}  // namespace glidepath::cli
