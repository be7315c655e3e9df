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
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A context in which nothing is known and nothing is asked for: text is checked, numbers are not needed yet.
const ScheduleContext* const kTextOnly = nullptr;

double needed(const ScheduleCall& call, double value, const char* what) {
  if (!(value > 0)) call.refuse(fmt::format("needs {}", what));
  return value;
}

Factor unneeded() {
  return [](double) { return 1.0; };
}

Factor make_step(ScheduleCall& call, const std::vector<std::string>& texts) {
  std::vector<double> milestones;
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
  }
  if (milestones.empty()) call.refuse("needs milestones, for example step(0.5,0.75)");
  const double gamma = call.number("gamma", 0.1, 0, 1, true);
  return [=](double p) { return forms::step(p, milestones, gamma); };
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

Factor make_sgdr(ScheduleCall& call, const ScheduleContext* context) {
  const double first = call.number("T0", 10, 0, kInfinity, true);
  const double multiplier = call.number("Tmult", 2, 1, kInfinity);
  if (context == kTextOnly) return unneeded();
  const double updates =
      needed(call, context->updates, "a budget in updates, epochs or percent: its restarts are at epochs");
  const double per_epoch =
      needed(call, context->steps_per_epoch, "the updates of an epoch (--steps-per-epoch)");
  const double epochs = updates / per_epoch;
  return [=](double p) { return forms::sgdr_epochs(p * epochs, first, multiplier); };
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

/// The function that the call's own arguments make; what is common to all schedules is left in the call.
Factor make_factor(ScheduleCall& call, const ScheduleContext* context) {
  const std::string& name = call.name();
  if (name == "const") return [](double) { return 1.0; };
  if (name == "linear" || name == "d2z") return [](double p) { return 1 - p; };
  if (name == "poly") {
    const double power = call.number("power", 0.9, 0, kInfinity, true);
    return [=](double p) { return forms::poly(p, power); };
  }
  if (name == "cosine") return forms::cosine;
  if (name == "rex") return forms::rex;
  if (name == "step") return make_step(call, call.take_positional());
  if (const auto drops = counted_suffix(name, "step-d")) {
    std::vector<double> milestones;
    for (int i = 1; i <= *drops; ++i) milestones.push_back(static_cast<double>(i) / (*drops + 1));
    const double gamma = call.number("gamma", 0.1, 0, 1, true);
    return [=](double p) { return forms::step(p, milestones, gamma); };
  }
  if (const auto restarts = counted_suffix(name, "sgdr-r")) {
    return [cycles = *restarts + 1](double p) { return forms::sgdr_cycles(p, cycles); };
  }
  if (name == "sgdr") return make_sgdr(call, context);
  if (name == "exp") {
    const double gamma = call.number("gamma", 0.97, 0, 1, true);
    const double epochs = call.number("full_epochs", 200, 0, kInfinity, true);
    return [=](double p) { return forms::exponential(p, gamma, epochs); };
  }
  if (name == "htd") {
    const double lower = call.number("L", -6, -kInfinity, kInfinity),
                 upper = call.number("U", 3, -kInfinity, kInfinity);
    if (!(lower < upper)) call.refuse("L must be below U, for example htd(-6,3)");
    return [=](double p) { return forms::htd(p, lower, upper); };
  }
  if (name == "uba") {
    const double phi = call.number("phi", 2, 0, kInfinity, true);
    return [=](double p) { return forms::uba(p, phi); };
  }
  if (name == "onecycle") {
    const double peak = call.share("peak", 0.3);
    const double div = call.number("div", 25, 1, kInfinity),
                 final_div = call.number("final_div", 1e4, 1, kInfinity);
    const bool cosine_shape = call.word("shape", "cosine", {"cosine", "linear"}) == "cosine";
    return [=](double p) { return forms::onecycle(p, peak, div, final_div, cosine_shape); };
  }
  if (name == "wsd") {
    const double decay = call.share("decay", 0.2);
    const std::string word = call.word("shape", "sqrt", {"sqrt", "linear", "cosine"});
    const auto shape = word == "linear"   ? forms::WsdShape::kLinear
                       : word == "cosine" ? forms::WsdShape::kCosine
                                          : forms::WsdShape::kSqrt;
    return [=](double p) { return forms::wsd(p, decay, shape); };
  }
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
  if (unit == "it" || unit == "ep") {
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
  if (share > 0) call.refuse("give floor or min_lr, not both");
  if (context == kTextOnly) return 0;
  if (*value > context->base_lr)
    call.refuse(fmt::format("min_lr {} is above base_lr {}", *value, context->base_lr));
  return *value / context->base_lr;
}

// The rest of the schedule covers what the warm-up leaves, so that it ends where it should all the same.
Factor compose(Factor inner, double warmup, double start, double floor) {
  return [=](double p) {
    if (p < warmup) return start + (1 - start) * (p / warmup);
    const double rest = warmup > 0 ? (p - warmup) / (1 - warmup) : p;
    const double factor = inner(std::min(1.0, rest));
    return floor > 0 ? floor + (1 - floor) * factor : factor;
  };
}

Factor make_schedule(const ScheduleCall& parsed, const ScheduleContext* context);

// cut(S): S over the full budget, ended where this one ends.  bac(S): S over the full budget, squeezed into
// this one.
Factor make_converted(ScheduleCall& call, const ScheduleContext* context) {
  const auto inner_text = call.take("schedule");
  if (!inner_text) call.refuse(fmt::format("needs a schedule, for example {}(step-d2)", call.name()));
  call.require_all_taken();
  const ScheduleCall inner_call = ScheduleCall::parse(*inner_text);
  if (context == kTextOnly) return make_schedule(inner_call, kTextOnly);
  ScheduleContext inner_context = *context;
  inner_context.updates = needed(call, context->full_updates, "the full budget (--full)");
  Factor inner = make_schedule(inner_call, &inner_context);
  if (call.name() == "bac") return inner;
  const double share =
      needed(call, context->updates, "a budget in updates, epochs or percent") / context->full_updates;
  return [inner, share](double p) { return inner(std::min(1.0, p * share)); };
}

std::optional<PlateauOptions> plateau_of(const ScheduleCall& parsed) {
  if (parsed.name() != "plateau") return std::nullopt;
  ScheduleCall call = parsed;
  PlateauOptions options;
  options.factor = call.number("factor", options.factor, 0, 1, true);
  options.patience = call.share("patience", options.patience);
  options.threshold = call.number("threshold", options.threshold, 0, 1);
  if (options.factor >= 1) call.refuse("factor must be below 1");
  if (!(options.patience > 0)) call.refuse("patience must be above 0");
  call.require_all_taken();
  return options;
}

Factor make_schedule(const ScheduleCall& parsed, const ScheduleContext* context) {
  ScheduleCall call = parsed;
  if (call.name() == "plateau") call.refuse("plateau follows the loss and cannot be inside another schedule");
  if (call.name() == "cut" || call.name() == "bac") return make_converted(call, context);
  const bool rises_by_itself = call.name() == "onecycle";
  const bool inverse = call.name() == "inverse-sqrt";
  Factor inner = inverse ? unneeded() : make_factor(call, context);
  const double warmup = rises_by_itself ? 0
                                        : warmup_share(call, context,
                                                       inverse                ? 0.05
                                                       : call.name() == "d2z" ? 0.1
                                                                              : 0);
  if (inverse) {
    if (!(warmup > 0) && context != kTextOnly)
      call.refuse("needs a warm-up above 0: its rate is sqrt(warmup / p)");
    inner = [warmup](double rest) { return forms::inverse_sqrt(warmup + (1 - warmup) * rest, warmup); };
  }
  const double start = rises_by_itself ? 0 : call.share("warmup_start", 0.1, false);
  const double floor = floor_factor(call, context);
  call.require_all_taken();
  return compose(std::move(inner), warmup, start, floor);
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
  const ScheduleCall call = ScheduleCall::parse(text);
  std::string canonical = canonical_schedule(text);
  if (const auto plateau = plateau_of(call)) return Schedule::from_plateau(std::move(canonical), *plateau);
  return Schedule(std::move(canonical), make_schedule(call, &context));
}

std::string canonical_schedule(std::string_view text) {
  const ScheduleCall call = ScheduleCall::parse(text);
  if (!plateau_of(call)) make_schedule(call, kTextOnly);
  std::string canonical;
  for (const char c : text) {
    if (c != ' ' && c != '\t') canonical += c;
  }
  return canonical;
}

}  // namespace glidepath
