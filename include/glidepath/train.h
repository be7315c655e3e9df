// include/glidepath/train.h - one training run that ends, at learning rate zero, exactly when its budget
// does.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/clock.h"
#include "glidepath/replan.h"
#include "glidepath/train_config.h"

namespace glidepath {

/// A number of a task beside loss and accuracy (glidepath/metric.h), as it was tested.
struct ToldMetric {
  std::string name;  ///< as in summary.json: "test_mean_iou"; of a status without the split's name
  double value = 0;
  bool higher_is_better = true;
  bool is_share = true;  ///< in [0, 1], told in percent
};

/// Where a run is; given to TrainOptions::on_status after updates, at most ten times a second.
struct TrainStatus {
  std::int64_t step = 0;            ///< updates done
  std::int64_t updates = 0;         ///< updates the budget buys; 0 when a clock decides
  double epoch = 0;                 ///< passes over the training set done
  double progress = 0;              ///< spent / budget, in [0, 1]
  double lr = 0;                    ///< of the last update
  double loss = 0;                  ///< mean training loss over the last updates
  double accuracy = 0;              ///< of training images over the last updates, in [0, 1]
  double test_loss = 0;             ///< of the last evaluation
  double test_accuracy = -1;        ///< of the last evaluation, in [0, 1]; -1 before the first
  std::optional<ToldMetric> score;  ///< of the last evaluation, of a task that has one
  bool on_val = false;              ///< both are of held out training images (TrainConfig::val)
  double seconds = 0;               ///< spent by this run so far, earlier sessions of it included
  double seconds_left = 0;          ///< estimate
  double images_per_second = 0;     ///< of this session's updates, evaluation left out
};

class Measurer;
struct MeasuredRun;
class ProcessGroup;
/// Makes the instruments of a run; instruments() of glidepath/measure.h is one.
using MeasurerFactory = std::function<std::shared_ptr<Measurer>(const MeasuredRun&)>;

struct TrainOptions {
  std::filesystem::path out;  ///< the run directory; empty: nothing is written
  bool resume = false;        ///< go on from out/checkpoint; only the budget and deadline may have changed
  /// With resume: the run to go on from instead, which stays as it is; out is then a new folder. A run that
  /// has finished can be given another budget only so.
  std::filesystem::path resume_from;
  std::function<void(const TrainStatus&)> on_status;
  std::function<void(const TrainStatus&)> on_evaluation;
  /// Told what did not go as wished and does not stop the run: a disk that refuses (at most once a minute),
  /// a checkpoint that cannot be read, a diverged run that goes back. One line without a full stop.
  std::function<void(const std::string&)> on_warning;
  /// Told, in one line, what was found and should be known: which images are tested on, files passed by.
  std::function<void(const std::string&)> on_note;
  bool verbose = false;  ///< and, in lines of their own, each tensor that a run begins with, and whose it is
  /// What a disk refuses of the result, or of the state at a signal, is saved in a new folder of the system's
  /// temporary folder; false: it is an error at once.
  bool rescue = true;
  /// Asked before the first update, after every update and between the batches of an evaluation: a signal
  /// number to stop for, or 0. The run then saves and throws Interrupted.
  std::function<int()> stop_signal;
  /// Seconds on a clock that never goes back; empty: one that goes on while the machine is suspended, where
  /// the system has it. Tests put their own here.
  std::function<double()> clock;
  /// What the program has used before it called train(): part of a time budget, as loading is.
  double seconds_before = 0;
  /// Seconds since 1970, for deadlines; empty: the system's.
  std::function<double()> wall_clock;
  /// With resume and another budget than the run had: what the schedule does from here.
  Replan replan = Replan::kReAnneal;
  /// What takes the measures that TrainConfig::measure asks for; without it, asking is an InputError.
  MeasurerFactory measurer;
  /// The processes that train together, of glidepath/process_group.h; none: this one alone. All of them call
  /// train() with the same configuration. batch_size is that of the whole job. Rank 0 alone writes, and calls
  /// the functions above; its clock is everyone's.
  std::shared_ptr<ProcessGroup> group;
  /// Told, in one line, what a changed budget comes to.
  std::function<void(const std::string&)> on_budget_change;
};

/// The weights of a run that did best on the held out images, on the way or at the end; accuracies in [0, 1].
struct BestResult {
  std::int64_t update = 0;                              ///< after which they were tested
  double val_accuracy = 0, val_accuracy_running = 0;    ///< chosen by the latter, the first of equals
  double test_accuracy = 0, test_accuracy_running = 0;  ///< the latter may be -1: TrainResult has why
};

/// Of weights at a run's end; accuracies in [0, 1].
struct Scores {
  double test_accuracy = 0, test_loss = 0;
  double val_accuracy = 0, val_loss = 0;  ///< where images were held out
};

struct TrainResult {
  std::int64_t updates = 0;
  std::int64_t steps_per_epoch = 0;
  double epochs = 0;
  double test_accuracy = 0;  ///< after the last update, in [0, 1]; with fresh statistics of batch norm, or
                             ///< with running ones where TrainConfig::bn_estimate is "off"
  double test_loss = 0;      ///< likewise
  /// With running statistics; -1 where that would have cost more than 1 % of a budget in time.
  double test_accuracy_running = 0, test_loss_running = 0;
  std::int64_t val_images = 0;            ///< held out by TrainConfig::val; the next four are of them
  double val_accuracy = 0, val_loss = 0;  ///< as test_accuracy, test_loss
  double val_accuracy_running = 0, val_loss_running = 0;  ///< with running statistics
  /// The average of the weights on the way that TrainConfig::average asks for, tested with batch norm's
  /// statistics estimated anew (running ones, of other weights, where bn_estimate is "off").
  std::optional<Scores> average;
  /// As test_accuracy, and as `average`, over the views that TrainConfig::test_augment asks for.
  std::optional<Scores> over_views, average_over_views;
  std::optional<BestResult> best;  ///< of a run that was tested on held out images on the way
  /// Of a task that tells more than an accuracy: each metric as it was tested, the score on the test split
  /// first. Those on held out images have names that begin with val_, those of other weights and views with
  /// best_, average_ and tta_, as accuracies have.
  std::vector<ToldMetric> metrics;
  std::string
      score;  ///< what runs of this task are compared by: "test_accuracy", "test_mean_iou", "test_loss"
  std::int64_t bn_images = 0;  ///< that the fresh statistics are of; 0: none, or no batch norm in the model
  double train_loss = 0;       ///< mean over the last epoch's updates (all of them when the run was shorter)
  double train_accuracy = 0;
  double final_lr = 0;           ///< base_lr * f(1): where the schedule has landed
  double last_update_lr = 0;     ///< the one that the last update used
  double seconds = 0;            ///< everything: loading, training, evaluation, writing
  double images_per_second = 0;  ///< of updates, data and augmentation included, the first three left out
  double flops = 0;              ///< forward + backward of every update
  double peak_memory_mib = 0;    ///< largest resident set of the process
  std::string precision;         ///< what `auto` came to: fp32, tf32, bf16 or fp16
  bool channels_last = false;
  std::int64_t threads = 0;               ///< of each process
  std::int64_t ranks = 1;                 ///< processes that trained together
  std::int64_t corrupt_train_images = 0;  ///< met and replaced by others
  std::int64_t corrupt_test_images = 0;   ///< left out of test_accuracy and test_loss
  std::int64_t rewinds = 0;               ///< times it diverged and went back
  std::int64_t skipped_updates = 0;       ///< by an overflow of the scaled loss
  std::filesystem::path out;  ///< where it was saved: TrainOptions::out, or a folder for want of that one
  std::string summary;        ///< all of this and more, as summary.json has it: a JSON object
};

/// Trains. Out gets config.toml, metrics.jsonl, checkpoint/, model.safetensors, best.safetensors (where
/// the best weights are not the last), average.safetensors (where one was asked for), TensorBoard events,
/// classes.json (the names of the classes) and summary.json. Two runs of one configuration on one machine
/// have the same metrics and weights, whatever stopped or killed them on the way, but for clock readings:
/// "seconds" of metrics.jsonl; "seconds", "images_per_second" and "peak_memory_mib" of summary.json (and
/// every budget in time).
///
/// Throws InputError for a wrong configuration, data set or checkpoint, or when `out` already holds a run and
/// resume is false; RunError for a loss that is not finite, a disk that refuses at the start, or one that
/// refuses the result when the system's temporary folder does too, or, with a checkpoint written, for data
/// that could not be read for TrainConfig::data_wait; Interrupted on a signal; RankFailed, with a checkpoint
/// written where rank 0 could, when another process of the group stops.
TrainResult train(const TrainConfig& config, const TrainOptions& options = {});

/// The configuration of the run in a run directory. Throws InputError when there is none.
TrainConfig read_run_config(const std::filesystem::path& run);

/// Tells the C library to keep freed blocks instead of giving them back to the system after every update,
/// which costs page faults at each. For programs, once at start; does nothing where the C library is not
/// glibc.
void keep_freed_memory();

}  // namespace glidepath
