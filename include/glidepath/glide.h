// include/glidepath/glide.h - a budget, a clock and a schedule in one object: the learning rate of anyone's
// own loop.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "glidepath/budget.h"
#include "glidepath/budget_state.h"
#include "glidepath/clock.h"
#include "glidepath/plateau.h"
#include "glidepath/replan.h"
#include "glidepath/schedule.h"

namespace glidepath {

/// Seconds that come after the last update and belong to the budget all the same.
struct FinalCost {
  double evaluation = 0;  ///< slower where updates become slower
  double writing = 0;     ///< waits for a disk, whatever else the machine does
};

/// All that a checkpoint must keep of a Glide.
struct GlideState {
  std::int64_t step = 0;  ///< updates made
  double seconds = 0;     ///< spent by this and earlier sessions
  BudgetState budget;
  Plateau::State plateau;
  double rate = 1;  ///< what divergences have left of base_lr
};

struct GlideOptions {
  /// As parse_budget reads it (500it, 30ep, 10%, 20m), "until 2026-12-01T06:00", or "slurm": until the end of
  /// the Slurm job that this process is in.
  std::string budget = "100%";
  std::string schedule = "linear";
  double base_lr = 1;  ///< finite, > 0
  /// Needed where the budget or the schedule speaks of epochs, percent or operations, and not otherwise.
  BudgetContext context;
  /// Seconds on a clock that never goes back. Empty: the loop tells the time itself, by update_done and tick.
  std::function<double()> clock = budget_clock_seconds;
  std::function<double()> wall_clock = wall_clock_seconds;  ///< seconds since 1970, for deadlines
  /// What was used before the construction, and is a part of a budget in time.
  double seconds_before = 0;
};

/// A budget, a clock and a schedule: the learning rate of the update about to be made, and whether there is
/// one. Knows nothing of models and optimizers:
///
///   Glide glide({"20m", "linear", 0.1});
///   while (!glide.done()) {
///     set_rate(optimizer, glide.lr());
///     update(model, next_batch());
///     glide.update();
///   }
///
/// The rate is base_lr * f(p), where p is what is spent of the budget: updates made / updates, or, by a
/// clock, the share of the time from the first update to the last one that fits, which comes to 1 whatever
/// the machine's speed does on the way (TimeBudget). Time is counted from the construction: what is done
/// between updates (loading, evaluations) is a part of the budget. What comes after the last is told by
/// keep_back.
class Glide {
 public:
  /// Throws InputError for texts that say nothing, and where the context lacks what they need.
  explicit Glide(const GlideOptions& options);
  /// Goes on where the state was taken, under the budget that it had: that of the options is not looked at.
  /// Throws InputError for a state that cannot be.
  Glide(const GlideOptions& options, const GlideState& state);
  ~Glide();
  Glide(Glide&&) noexcept;
  Glide& operator=(Glide&&) noexcept;

  /// Whether no further update belongs to the budget. By a clock never before the first update; it may become
  /// true during anything that takes long.
  bool done() const;
  std::int64_t step() const;     ///< updates made, earlier sessions included
  std::int64_t updates() const;  ///< updates in the budget; 0 by a clock
  bool by_clock() const;
  double progress() const;  ///< of the update about to be made, in [0, 1]; 1 when done
  double factor() const;    ///< f(progress)
  double lr() const;        ///< base_lr * f(progress), halvings included
  /// The rate now of what is to have landed at this share of the budget, in (0, 1], by the same schedule:
  /// base_lr() times its factor at progress() / share, and from there on its last one. plateau's: lr().
  double lr_until(double share) const;
  double base_lr() const;   ///< halvings included
  double final_lr() const;  ///< base_lr * f(1): where the schedule lands; of a plateau, the rate it has
  double seconds_spent() const;
  double seconds_left() const;       ///< estimated, until the last update ends
  double seconds_kept_back() const;  ///< 0 where the budget is no clock's
  UpdatePace pace() const;           ///< zeros where the budget is no clock's, and before the ninth update
  /// Of a budget in time, all of it; 0 otherwise.
  double seconds_allowed() const;
  /// Whether something that takes `seconds` now leaves a budget in time what an unhurried landing needs, when
  /// `spent_seconds` are spent. True for other budgets.
  bool has_time_for(double seconds, double spent_seconds) const;
  /// Whether a budget in time has seen the machine's speed change so much that what is kept back should be
  /// measured again.
  bool kept_back_is_old() const;
  std::int64_t updates_past_the_end() const;  ///< made by this object although it was done
  const std::string& budget() const;          ///< as text
  const Schedule& schedule() const;

  /// The first update begins now. What came before, loading and compiling, is then not taken for its
  /// duration.
  void begin();
  /// An update has ended, or `count` of them since the last call: reads the clock. Past the end it only
  /// counts, and the rate stays where it landed.
  void update(std::int64_t count = 1);

  /// The same for a loop with a clock of its own: an update took `seconds`, and then, before the next one,
  /// the run has spent `spent_seconds` in all.
  void update_done(double seconds);
  void tick(double spent_seconds);
  /// For processes that act as one: what the one that reads the clock came to, told to each of them, itself
  /// too, after every update. It holds until the next one.
  void follow(double progress, bool done);

  /// For the plateau schedule: the training loss at this progress. Of no consequence for others.
  void observe_loss(double mean);
  /// What comes after the last update. To be told whenever it was measured anew; 0 until then.
  void keep_back(const FinalCost& cost);
  /// Changes the budget from here on and says what that means, in a sentence. With re-anneal the rate goes on
  /// from where it is and lands where the new budget ends. With rewind this becomes a Glide that had the new
  /// budget from the start, which is possible while both budgets have had the same rates; otherwise the
  /// InputError names the update to go back to. A budget in time counts what is spent already.
  /// Throws InputError, and nothing has changed, for a budget that is spent already, or a rate that has
  /// landed.
  std::string replan(const std::string& budget, Replan how = Replan::kReAnneal);
  /// After a divergence: half the rate from here on.
  void halve_rate();

  GlideState state() const;
  /// Goes on where the state was taken. Where that was under another budget than this object's, the budget is
  /// changed as replan does it, and the sentence returned says what was done; it is empty otherwise.
  std::string set_state(const GlideState& state, Replan how = Replan::kReAnneal);

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace glidepath
