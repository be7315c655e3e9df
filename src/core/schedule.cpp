// src/core/schedule.cpp - schedules by name, composed with warm-up, floor and budget-unaware form.
#include "glidepath/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/schedule_forms.h"
#include "core/schedule_text.h"
#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

using Factor = std::function<double(double)>;

/// The part of a run that is left behind a warm-up.
struct Stretch {
  double warmup = 0;   ///< share of the run before it, in [0, 1)
  double updates = 0;  ///< in it; 0 when unknown
};
/// Factor at progress on the stretch, in [0, 1].
using Curve = std::function<double(double, const Stretch&)>;

Curve curve_of(Factor factor) {
  return [factor = std::move(factor)](double u, const Stretch&) { return factor(u); };
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A context in which nothing is known and nothing is asked for: text is checked, numbers are not needed yet.
const ScheduleContext* const kTextOnly = nullptr;

double needed(const ScheduleCall& call, double value, const char* what) {
  if (!(value > 0)) call.refuse(fmt::format("needs {}", what));
  return value;
}

Curve unneeded() {
  return curve_of([](double) { return 1.0; });
}

Curve make_step(ScheduleCall& call, const std::vector<std::string>& texts) {
  std::vector<double> milestones;
  call.show_bare(true);
  for (const std::string& given : texts) {
    const auto [digits, unit] = words::split_number(given);
    const auto value = words::number(digits);
    const double milestone = value ? (unit == "%" ? *value / 100 : *value) : -1;
    if ((!unit.empty() && unit != "%") || !(milestone > 0 && milestone < 1)) {
      call.refuse(fmt::format(
          "milestone \"{}\" must be a share of the budget in (0, 1), for example 0.5 or 50%", given));
    }
    if (!milestones.empty() && milestone <= milestones.back()) call.refuse("milestones must rise");
    milestones.push_back(milestone);
    call.note("", words::number_text(milestone));
  }
  call.show_bare(false);
  if (milestones.empty()) call.refuse("needs milestones, for example step(0.5,0.75)");
  const double gamma = call.number("gamma", 0.1, 0, 1, true);
  return curve_of([=](double u) { return forms::step(u, milestones, gamma); });
}

// step-d2, sgdr-r2: the number after the name's last letter.
std::optional<int> counted_suffix(const std::string& name, std::string_view prefix) {
  if (name.compare(0, prefix.size(), prefix) != 0) return std::nullopt;
  const std::string digits = name.substr(prefix.size());
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const int count = std::stoi(digits);
  return count > 0 ? std::optional<int>(count) : std::nullopt;
}

Curve make_sgdr(ScheduleCall& call, const ScheduleContext* context) {
  call.show_bare(true);
  const double first = call.number("T0", 10, 0, kInfinity, true);
  const double multiplier = call.number("Tmult", 2, 1, kInfinity);
  call.show_bare(false);
  if (multiplier != std::floor(multiplier)) {
    call.refuse(fmt::format("Tmult \"{}\" must be a whole number, for example sgdr(10,2)", multiplier));
  }
  if (context == kTextOnly) return unneeded();
  needed(call, context->updates, "a budget in updates, epochs or percent: its restarts are at epochs");
  const double per_epoch =
      needed(call, context->steps_per_epoch, "the updates of an epoch (--steps-per-epoch)");
  return [=](double u, const Stretch& stretch) {
    const double factor =
        forms::sgdr_epochs(forms::snapped(u * stretch.updates) / per_epoch, first, multiplier);
    return u == 1 && factor == 1 ? 0
                                 : factor;  // a cycle that ends with the budget lands; it does not restart
  };
}

const std::vector<std::string>& names() {
  static const std::vector<std::string> list = [] {
    std::vector<std::string> names{"cut", "bac"};
    for (const ScheduleInfo& info : schedule_list())
      names.push_back(info.name == "step-dN" ? "step-d2" : info.name == "sgdr-rN" ? "sgdr-r2" : info.name);
    return names;
  }();
  return list;
}

Curve make_exp(ScheduleCall& call) {
  call.show_bare(true);
  const double gamma = call.number("gamma", 0.97, 0, 1, true);
  call.show_bare(false);
  const double epochs = call.number("full_epochs", 200, 0, kInfinity, true);
  return curve_of([=](double u) { return forms::exponential(u, gamma, epochs); });
}

Curve make_htd(ScheduleCall& call) {
  call.show_bare(true);
  const double lower = call.number("L", -6, -1000, 1000);
  const double upper = call.number("U", 3, -1000, 1000);
  call.show_bare(false);
  if (!(lower < upper)) call.refuse("L must be below U, for example htd(-6,3)");
  return curve_of([=](double u) { return forms::htd(u, lower, upper); });
}

Curve make_onecycle(ScheduleCall& call) {
  const double peak = call.share("peak", 0.3);
  const double div = call.number("div", 25, 1, kInfinity);
  const double final_div = call.number("final_div", 1e4, 1, kInfinity);
  const bool cosine_shape = call.word("shape", "cosine", {"cosine", "linear"}) == "cosine";
  return curve_of([=](double u) { return forms::onecycle(u, peak, div, final_div, cosine_shape); });
}

Curve make_wsd(ScheduleCall& call) {
  const double decay = call.share("decay", 0.2);
  const std::string word = call.word("shape", "sqrt", {"sqrt", "linear", "cosine"});
  const auto shape = word == "linear"   ? forms::WsdShape::kLinear
                     : word == "cosine" ? forms::WsdShape::kCosine
                                        : forms::WsdShape::kSqrt;
  return curve_of([=](double u) { return forms::wsd(u, decay, shape); });
}

Curve make_inverse_sqrt() {
  return [](double u, const Stretch& stretch) {
    return forms::inverse_sqrt(stretch.warmup + (1 - stretch.warmup) * u, stretch.warmup);
  };
}

/// The curve that the call's own arguments make; what is common to all schedules is left in the call.
Curve make_curve(ScheduleCall& call, const ScheduleContext* context) {
  const std::string& name = call.name();
  if (name == "const") return curve_of([](double) { return 1.0; });
  if (name == "linear" || name == "d2z") return curve_of([](double u) { return 1 - u; });
  if (name == "poly") {
    const double power = call.number("power", 0.9, 0, kInfinity, true);
    return curve_of([=](double u) { return forms::poly(u, power); });
  }
  if (name == "cosine") return curve_of(forms::cosine);
  if (name == "rex") return curve_of(forms::rex);
  if (name == "step") return make_step(call, call.take_positional());
  if (const auto drops = counted_suffix(name, "step-d")) {
    std::vector<double> milestones;
    for (int i = 1; i <= *drops; ++i) milestones.push_back(static_cast<double>(i) / (*drops + 1));
    const double gamma = call.number("gamma", 0.1, 0, 1, true);
    return curve_of([=](double u) { return forms::step(u, milestones, gamma); });
  }
  if (const auto restarts = counted_suffix(name, "sgdr-r")) {
    return curve_of([cycles = *restarts + 1](double u) { return forms::sgdr_cycles(u, cycles); });
  }
  if (name == "sgdr") return make_sgdr(call, context);
  if (name == "exp") return make_exp(call);
  if (name == "htd") return make_htd(call);
  if (name == "uba") {
    const double phi = call.number("phi", 2, 0, 1e6, true);
    return curve_of([=](double u) { return forms::uba(u, phi); });
  }
  if (name == "onecycle") return make_onecycle(call);
  if (name == "wsd") return make_wsd(call);
  if (name == "inverse-sqrt") return make_inverse_sqrt();
  call.refuse(fmt::format("unknown schedule \"{}\"; the nearest is {}; `glidepath schedules` lists all", name,
                          words::nearest(name, names())));
}

/// warmup=5%, warmup=500it, warmup=2ep as a share of the budget.
double warmup_share(ScheduleCall& call, const ScheduleContext* context, double fallback) {
  const auto given = call.take("warmup", false);
  if (!given) return fallback;
  const auto [digits, unit] = words::split_number(*given);
  const auto amount = words::number(digits);
  if (!amount || *amount < 0 || (unit != "%" && unit != "it" && unit != "ep" && !unit.empty())) {
    call.refuse(
        fmt::format("warmup \"{}\" must be a share or a length, for example 5%, 500it or 2ep", *given));
  }
  double share = unit == "%" ? *amount / 100 : *amount;
  const bool counted = unit == "it" || unit == "ep";
  if (counted || share != fallback) {
    call.note("warmup", counted ? words::number_text(*amount) + std::string(unit) : words::share_text(share));
  }
  if (counted) {
    if (context == kTextOnly) return 0;
    const double updates =
        needed(call, context->updates,
               "a budget in updates, epochs or percent for a warm-up in it or ep; give warmup=5%");
    const double per_epoch =
        unit == "ep" ? needed(call, context->steps_per_epoch, "the updates of an epoch (--steps-per-epoch)")
                     : 1;
    share = *amount * per_epoch / updates;
  }
  if (!(share < 1)) {
    call.refuse(fmt::format(
        "warmup \"{}\" takes {:.0f} % of the budget; it must leave some for training, for example 5%", *given,
        100 * share));
  }
  return share;
}

double floor_factor(ScheduleCall& call, const ScheduleContext* context) {
  const double share = call.share("floor", 0, false);
  const auto min_lr = call.take("min_lr", false);
  if (!min_lr) return share;
  const auto value = words::number(*min_lr);
  if (!value || *value < 0)
    call.refuse(fmt::format("min_lr \"{}\" must be a learning rate of at least 0", *min_lr));
  if (*value > 0) call.note("min_lr", words::number_text(*value));
  if (share > 0) call.refuse("give floor or min_lr, not both");
  if (context == kTextOnly) return 0;
  if (*value > context->base_lr)
    call.refuse(fmt::format("min_lr {} is above base_lr {}", *value, context->base_lr));
  return *value / context->base_lr;
}

struct Warmup {
  double share = 0;  ///< of the budget
  double start = 0;  ///< factor of its first update
};

// The curve covers what the warm-up leaves, so that it ends where it should all the same. Where updates are
// known it counts in them: a drop then falls on the very update it should, not a rounding error later.
Factor compose(Curve curve, const Warmup& warmup, double floor, double updates) {
  const double warmup_updates = forms::snapped(warmup.share * updates);
  const Stretch stretch{warmup.share, updates - warmup_updates};
  return [=](double p) {
    const double spent = updates > 0 ? forms::snapped(p * updates) : p;
    const double rising = updates > 0 ? warmup_updates : warmup.share;
    if (spent < rising) return warmup.start + (1 - warmup.start) * (spent / rising);
    const double rest = rising > 0 ? (spent - rising) / ((updates > 0 ? updates : 1) - rising) : p;
    const double factor = curve(std::min(1.0, rest), stretch);
    return floor > 0 && factor < 1 ? floor + (1 - floor) * factor : factor;
  };
}

struct Made {
  Factor factor;
  double warmup = 0;  ///< share of the updates of its context
};
Made make_schedule(ScheduleCall& call, const ScheduleContext* context);

// cut(S): S over the full budget, ended where this one ends.  bac(S): S over the full budget, squeezed into
// this one.
Factor make_converted(ScheduleCall& call, const ScheduleContext* context) {
  const auto inner_text = call.take("schedule");
  if (!inner_text) call.refuse(fmt::format("needs a schedule, for example {}(step-d2)", call.name()));
  call.require_all_taken();
  ScheduleCall inner_call = ScheduleCall::parse(*inner_text);
  if (inner_call.name() == "cut" || inner_call.name() == "bac") {
    call.refuse(
        fmt::format("{} inside {} means nothing; give one of them alone", inner_call.name(), call.name()));
  }
  ScheduleContext inner_context;
  if (context != kTextOnly) {
    inner_context = *context;
    inner_context.updates = needed(call, context->full_updates, "the full budget (--full)");
  }
  const Made inner = make_schedule(inner_call, context == kTextOnly ? kTextOnly : &inner_context);
  call.show_bare(true);
  call.note("", inner_call.canonical());
  if (context == kTextOnly || call.name() == "bac") return inner.factor;
  const double updates = needed(call, context->updates, "a budget in updates, epochs or percent");
  const double full = context->full_updates;
  if (inner.warmup * full >= updates) {
    call.refuse(
        fmt::format("the warm-up takes {:.0f} updates of the full budget and this budget has {:.0f}; "
                    "shorten it",
                    inner.warmup * full, updates));
  }
  return [=](double p) { return inner.factor(std::min(1.0, forms::snapped(p * updates) / full)); };
}

std::optional<PlateauOptions> plateau_of(ScheduleCall& call) {
  if (call.name() != "plateau") return std::nullopt;
  PlateauOptions options;
  options.factor = call.number("factor", options.factor, 0, 1, true);
  options.patience = call.share("patience", options.patience);
  options.threshold = call.number("threshold", options.threshold, 0, 1);
  if (options.factor >= 1) call.refuse("factor must be below 1");
  if (!(options.patience > 0)) call.refuse("patience must be above 0");
  call.require_all_taken();
  return options;
}

double default_warmup(const std::string& name) {
  return name == "inverse-sqrt" ? 0.05 : name == "d2z" ? 0.1 : 0;
}

Made make_schedule(ScheduleCall& call, const ScheduleContext* context) {
  if (call.name() == "plateau") call.refuse("plateau follows the loss and cannot be inside another schedule");
  if (call.name() == "cut" || call.name() == "bac") return {make_converted(call, context), 0};
  Curve curve = make_curve(call, context);
  Warmup warmup;
  if (call.name() != "onecycle") {  // rises by itself
    warmup.share = warmup_share(call, context, default_warmup(call.name()));
    warmup.start = call.share("warmup_start", 0.1, false);
  }
  if (call.name() == "inverse-sqrt" && context != kTextOnly && !(warmup.share > 0)) {
    call.refuse("needs a warm-up above 0: its rate is sqrt(warmup / p)");
  }
  const double floor = floor_factor(call, context);
  call.require_all_taken();
  return {compose(std::move(curve), warmup, floor, context == kTextOnly ? 0 : context->updates),
          warmup.share};
}

void check_context(const ScheduleContext& context) {
  struct Field {
    const char* name;
    double value;
    bool ok;
  };
  const auto known = [](double value) { return value >= 0 && std::isfinite(value); };
  for (const Field& field : {Field{"updates", context.updates, known(context.updates)},
                             {"steps_per_epoch", context.steps_per_epoch, known(context.steps_per_epoch)},
                             {"full_updates", context.full_updates, known(context.full_updates)},
                             {"base_lr", context.base_lr, known(context.base_lr) && context.base_lr > 0}}) {
    if (field.ok) continue;
    throw InputError(fmt::format("{} {}: must be a number above 0{}", field.name, field.value,
                                 field.name == std::string_view("base_lr") ? "" : ", or 0 when unknown"));
  }
}

}  // namespace

double Schedule::operator()(double progress) const {
  if (!(progress >= 0 && progress <= 1))
    throw InputError(fmt::format("progress {} is not in [0, 1]", progress));
  if (plateau_)
    throw InputError(fmt::format("\"{}\": follows the loss; it has no value at a progress", text_));
  return factor_(progress);
}

Schedule Schedule::from_plateau(std::string text, const PlateauOptions& options) {
  Schedule schedule(std::move(text), nullptr);
  schedule.plateau_ = options;
  return schedule;
}

Schedule parse_schedule(std::string_view text, const ScheduleContext& context) {
  check_context(context);
  ScheduleCall call = ScheduleCall::parse(text);
  if (const auto plateau = plateau_of(call)) return Schedule::from_plateau(call.canonical(), *plateau);
  Factor factor = make_schedule(call, &context).factor;
  return Schedule(call.canonical(), std::move(factor));
}

std::string canonical_schedule(std::string_view text) {
  ScheduleCall call = ScheduleCall::parse(text);
  if (!plateau_of(call)) make_schedule(call, kTextOnly);
  return call.canonical();
}

}  // namespace glidepath
