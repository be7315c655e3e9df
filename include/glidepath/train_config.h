// include/glidepath/train_config.h - everything that determines a training run, as flags, TOML and a struct.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace glidepath {

/// The defaults are the paper's CIFAR-10 protocol (Li et al., ICLR 2020, section 4.1). Each field is a flag
/// (--base-lr) and a key of config.toml and of study files (base_lr).
struct TrainConfig {
  std::string data = "cifar10";  ///< data set name
  std::string data_dir;          ///< folder of its files; empty: the usual places
  std::string split;             ///< image folders without splits: "80/20", "80/10/10"; DataChoice::split
  std::string test_on = "auto";  ///< image folders: the split that is tested on; DataChoice::test_on
  std::string val = "none";      ///< held out of the training images, to choose on: "5000", "10%"; or none
  double train_fraction = 1;     ///< (0, 1]: of the training images, by class; each seed has its part
  std::int64_t train_limit = 0;  ///< first N training images; of folders N over all classes; 0: all
  std::int64_t test_limit = 0;   ///< likewise of test images
  std::int64_t context = 128;    ///< data of tokens: how many make an example, >= 1
  std::string ignored_label = "auto";  ///< of masks, left out: a label, none, or auto: 255
  std::string task = "auto";  ///< classify, multilabel, regress, segment, language; auto: the data set's
  std::string model = "resnet18";
  double width = 1;           ///< channel multiplier
  std::string stem = "auto";  ///< cifar, imagenet, auto
  std::string plugin;  ///< a shared library that brings model, task or data (glidepath/plugin.h); "": none
  /// SHA-256 of the file that is the model ("script:FILE") and of the plug-in: with another content a run is
  /// another run. "": what the files have when the run begins. Not for other models, or without a plug-in.
  std::string model_sha256, plugin_sha256;
  std::string init;    ///< weights to begin with: a safetensors file or a run's folder; "": random ones
  std::string freeze;  ///< parameters that are not trained, by name: "conv1.*,layer1.*"
  std::string frozen_norms = "eval";  ///< of norms whose parameters are all frozen: eval (as they are), train
  std::string schedule = "linear";
  std::string budget = "100%";
  std::string deadline;        ///< when not empty, in place of budget: a time, 2026-12-01T05:00:00Z
  std::string full = "200ep";  ///< what 100 % means, in any unit but percent
  double base_lr = 0.1;        ///< > 0
  /// "budget^E": base_lr is multiplied by budget / full to the power E in [-2, 2]; off. Not by a deadline.
  std::string base_lr_scale = "off";
  std::string optimizer = "sgd";      ///< sgd, adagrad, rmsprop, adam, amsgrad, adamw, muon
  std::string optimizer_of;           ///< of parameters by name, "fc.*=sgd"; of several that fit, the first
  std::string lr_scale;               ///< likewise: what their rates are multiplied by, "fc.*=10"
  std::string lr_until;               ///< likewise: the share of the budget at which they have landed
  double momentum = 0.9;              ///< [0, 1); of sgd alone
  bool nesterov = true;               ///< of sgd and muon alone
  double muon_momentum = 0.95;        ///< [0, 1); of muon alone, as are the next
  std::int64_t muon_steps = 5;        ///< of Newton and Schulz, >= 1
  std::string muon_weights = "free";  ///< free, normalised: kept at the norm sqrt(rows)
  double beta1 = 0.9;                 ///< [0, 1); of adam, amsgrad, adamw alone, as is beta2
  double beta2 = 0.999;               ///< [0, 1)
  double rmsprop_alpha = 0.99;        ///< [0, 1); of rmsprop alone
  std::string eps = "auto";    ///< of all but sgd: >= 1e-37, or auto: PyTorch's, 1e-10 for adagrad, else 1e-8
  double weight_decay = 5e-4;  ///< >= 0
  std::string weight_decay_of;  ///< of parameters by name, "bn*=0"
  /// Likewise weight_decay, and that of weight_decay_of; or timescale: base_lr * weight_decay * updates
  /// stays.
  std::string weight_decay_scale = "off";
  std::string weight_decay_schedule = "const";  ///< a schedule: what weight decay is multiplied by on the way
  std::string momentum_schedule = "const";  ///< likewise momentum and muon_momentum, by sgd and muon alone
  bool decay_norm_bias = true;              ///< false leaves weight decay out of norm parameters and biases
  double label_smoothing = 0;               ///< [0, 1)
  double mixup = 0;                         ///< >= 0: alpha of the Beta distribution; 0: images are not mixed
  double cutmix = 0;                        ///< likewise; with both, each has half of the batches
  double random_erasing = 0;                ///< [0, 1]: the chance that a rectangle of an image is erased
  std::int64_t micro_batch = 0;  ///< examples that pass at once, gradients added up; 0: the whole batch
  std::string clip_norm =
      "none";  ///< gradients longer than this, all together, are shortened to it: > 0, none
  std::int64_t batch_size = 128;
  bool sync_bn = false;               ///< batch norm over the batches of all processes, not of each
  bool augment = true;                ///< random crop padded by an eighth of the side (4 px at 32), and flip
  std::string crop_padding = "auto";  ///< pixels, or auto: an eighth of the side; of images in memory
  std::string crop_fill = "black";    ///< black, reflect: what crops have beyond the edge
  std::string flip = "auto";          ///< auto, none, random, alternating; LoaderOptions::flip
  std::string auto_augment = "none";  ///< none, trivial, rand(2,9): of images, after crop and flip
  std::string train_res =
      "auto";  ///< image folders: side of training images by progress, auto: 224; with masks: of crops
  std::string eval_res = "auto";   ///< image folders: side of test images, auto: the last one of train_res
  bool exif_orientation = false;   ///< image folders: turn photographs as their EXIF data say
  std::string max_corrupt = "1%";  ///< image folders: images of a split that may be skipped, or a share of it
  std::uint64_t seed = 0;
  std::string precision = "auto";       ///< fp32, tf32, bf16, fp16, auto: what the device is fastest with
  std::string loss_scale = "auto";      ///< none, dynamic, auto: dynamic with fp16
  std::string channels_last = "auto";   ///< true, false, auto
  std::string device = "auto";          ///< cpu, cuda, cuda:N, auto
  bool deterministic = true;            ///< the same bits on the same GPU; false: cuDNN's fastest kernels
  std::string data_on_device = "auto";  ///< true, false, auto: in a GPU's memory where the images fit
  std::string conv = "auto";            ///< library, winograd, auto: winograd in float32 on the CPU
  std::string cuda_graphs = "auto";     ///< true, false, auto: on a GPU where this build has them
  std::int64_t threads = 0;             ///< 0: every core
  std::int64_t data_wait = 60;          ///< seconds to wait for data that cannot be read
  std::int64_t workers = 0;             ///< threads that decode an image folder; 0: every core
  std::string eval_every = "1ep";       ///< a budget (1ep, 10%, 500it) or "end"
  /// Training images from which batch norm's statistics are estimated anew before the final test; or "off".
  std::string bn_estimate = "4096";
  std::string average = "none";  ///< of the weights on the way: none, ema(10%), lawa(5,2%); WeightAverage
  std::string saved_statistics = "fresh";  ///< fresh, running: batch norm's, in model.safetensors
  std::string test_augment = "none";       ///< none, flip, flip-shift: views of a test image, averaged
  std::int64_t eval_batch_size = 250;
  std::string
      measure;  ///< measures of training and their moments, in canonical form (docs/measures.md); "": none
  std::string checkpoint_every = "5m";  ///< a budget: 5m, 10it, 1ep, 10%
  std::int64_t keep_checkpoints = 2;    ///< the last K, >= 1
  std::string on_divergence = "stop";   ///< stop, rewind: back to the last evaluation, base_lr halved

  bool operator==(const TrainConfig& other) const;
  bool operator!=(const TrainConfig& other) const { return !(*this == other); }
};

/// One key as every front end shows it.
struct ConfigKey {
  std::string name;          ///< base_lr
  std::string help;          ///< one line, with unit and range
  std::string default_text;  ///< 0.1
  bool affects_result;     ///< false for where and how fast it runs (data_dir): left out of a run's identity
  std::string group = {};  ///< its heading in --help: Data, Model, Budget and schedule, Optimizer, ...
  /// Of a key that once was not: the value by which programs acted that did not know it. Configurations that
  /// they wrote are read so. Empty: the default.
  std::string before = {};
  /// Whether that differs from the default by rounding alone: finished runs of theirs then count as the
  /// default's, as those of another CPU do.
  bool before_is_near = false;
};
const std::vector<ConfigKey>& train_config_keys();

/// Sets one key from text and checks its value alone. Throws InputError: `base_lr "x": not a number above 0`,
/// or for an unknown key the nearest known one.
void set_config_value(TrainConfig& config, const std::string& key, const std::string& text);
/// The value of a key as text that set_config_value reads back.
std::string config_value(const TrainConfig& config, const std::string& key);
/// Checks every value and the values together; throws InputError.
void check_config(const TrainConfig& config);

/// Sets `deadline` to the end of the Slurm job that this process is in, less a margin (docs/budgets.md).
/// Throws InputError outside a job or in one without a time limit, RunError where Slurm does not answer.
void set_slurm_deadline(TrainConfig& config);

/// Who wrote a configuration, which says what a key means that is not there.
enum class ConfigOrigin {
  kGiven,   ///< a user: the default
  kWritten  ///< to_toml(), maybe of an earlier version: ConfigKey::before
};

/// TOML both ways. Throws InputError with file, line and key; the values together are for check_config.
TrainConfig read_train_config(const std::filesystem::path& file, ConfigOrigin origin = ConfigOrigin::kGiven);
TrainConfig parse_train_config(const std::string& toml, const std::string& name_for_errors,
                               ConfigOrigin origin = ConfigOrigin::kGiven);
std::string to_toml(const TrainConfig& config);

}  // namespace glidepath
