// include/glidepath/forecast.h - what larger budgets would reach, told from what smaller ones did.
#pragma once
#include <cstddef>
#include <optional>
#include <vector>

namespace glidepath {

/// A point of a budget curve: how runs end that were each annealed to this budget. (One run's learning curve
/// is no such thing: what it reaches on the way was not annealed.)
struct BudgetPoint {
  double budget = 0;          ///< > 0, all in one unit
  double error = 0;           ///< > 0: percentage points that are wrong, or a loss
  double standard_error = 0;  ///< of `error` as a mean over seeds, >= 0
};

struct ForecastInterval {
  double low = 0, median = 0, high = 0;  ///< 5, 50 and 95 % quantiles of the error
};

/// Budgets at which something is reached with even odds, and with 90 % confidence.
struct BudgetOdds {
  double even = 0, likely = 0;
};

/// The posterior over the laws that a budget curve may follow, on a grid, without an optimiser.
///
/// With c the error that no budget gets below, k = budget / the largest one fitted, and e_L the error there:
///   Hill, from the error e0 at chance   e(k) = c + (e0 - c) / (1 + (h - 1) k^a), h = (e0 - c) / (e_L - c)
///   Janoschek, likewise                 e(k) = c + (e0 - c) exp(-ln h k^a)
///   where chance is not known           e(k) = c + (e_L - c) k^-a
/// Errors are compared as logarithms, with the seeds' noise and four sizes of misfit. A forecast is a mixture
/// of Student's t with 4 degrees of freedom that widens with the distance.
class Forecast {
 public:
  /// `error_at_chance`: 90 for ten classes alike, in the errors' unit; none for losses and where it is not
  /// known. The last five budgets are fitted at most, neighbours at least 1.3 apart. Throws InputError where
  /// fewer than three are left, for numbers out of range, and where the last error is above 0.97 of chance's.
  explicit Forecast(std::vector<BudgetPoint> points, std::optional<double> error_at_chance = {});

  /// What a run of this budget would reach. `spread` > 0: of one run, where seeds have this standard
  /// deviation; 0: of the mean of many. Within the measured budgets it is told from the two neighbours, on
  /// straight lines between logarithms. Throws InputError below the smallest budget.
  ForecastInterval at(double budget, double spread = 0) const;
  /// That the error is at most this.
  double probability_of(double error, double budget, double spread = 0) const;
  /// The smallest budget up to `most` at which that probability is reached; none where it is not.
  std::optional<double> budget_for(double error, double probability, double most) const;

  /// The budgets at which `share`, in (0, 1), of what a run of `full` reaches is reached, both being what the
  /// same draw of the posterior says: scores are `whole` - error, as percent that are right of 100. No more
  /// than `full`, at which all of it is reached. Throws InputError below the smallest budget, for a share out
  /// of range, and where no error of the curve is below `whole`.
  BudgetOdds budgets_for_share(double share, double full, double whole = 100) const;

  /// Those that were fitted, the smallest first.
  const std::vector<BudgetPoint>& fitted() const { return fitted_; }
  /// All, the smallest first.
  const std::vector<BudgetPoint>& points() const { return points_; }

 private:
  enum class Law { kHill, kJanoschek, kPower };
  struct Component {
    Law law;
    std::size_t exponent;  // of kExponents
    double floor, last;    // c and e_L
    double weight;
  };
  /// A forecast for one budget: kernels around logarithms of errors.
  struct Mixture {
    std::vector<double> centres, weights, widths;
    double below(double log_error) const;
    double quantile(double share) const;
  };

  void fit();
  double log_error_of(const Component& component, double power) const;
  double drawn_error(const Component& component, double slope, double budget) const;
  Mixture mixture_at(double budget, double spread) const;

  std::vector<BudgetPoint> points_, fitted_;
  std::optional<double> chance_;
  std::vector<Component> components_;
};

}  // namespace glidepath
