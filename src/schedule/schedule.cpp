// src/schedule/schedule.cpp - schedules by name, composed with warm-up, floor and budget-unaware form.
#include "glidepath/schedule.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/words.h"
#include "glidepath/error.h"
#include "schedule/schedule_points.h"
#include "schedule/schedule_table.h"
#include "schedule/synonyms.h"

namespace glidepath {
namespace {

using Factor = std::function<double(double)>;

// A context in which nothing is known and nothing is asked for: text is checked, numbers are not needed yet.
const ScheduleContext* const kTextOnly = nullptr;

// Schedules as PyTorch, Transformers, timm, Composer and papers call them.
const std::vector<words::Synonym> kElsewhere = {
    {"lin", "linear"},
    {"linearlr", "linear"},
    {"lineardecay", "linear"},
    {"lineartozero", "d2z"},
    {"linearwithwarmup", "linear(warmup=5%)"},
    {"cos", "cosine"},
    {"cosineannealing", "cosine"},
    {"cosineannealinglr", "cosine"},
    {"cosinedecay", "cosine"},
    {"cosinelr", "cosine"},
    {"cosinewithwarmup", "cosine(warmup=5%)"},
    {"cosinewithrestarts", "sgdr-r2"},
    {"cosineannealingwarmrestarts", "sgdr-r2"},
    {"warmrestarts", "sgdr-r2"},
    {"polynomial", "poly"},
    {"polynomiallr", "poly"},
    {"polylr", "poly"},
    {"steplr", "step-d2"},
    {"stepdecay", "step-d2"},
    {"multistep", "step(50%,75%)"},
    {"multisteplr", "step(50%,75%)"},
    {"piecewise", "points(0:1,30%:1,100%:0)"},
    {"exponential", "exp"},
    {"exponentiallr", "exp"},
    {"constant", "const"},
    {"constantlr", "const"},
    {"fixed", "const"},
    {"flat", "const"},
    {"none", "const"},
    {"tanh", "htd"},
    {"1cycle", "onecycle"},
    {"onecyclelr", "onecycle"},
    {"triangular", "onecycle(shape=linear)"},
    {"triangle", "onecycle(shape=linear)"},
    {"cyclic", "sgdr-r2"},
    {"cycliclr", "sgdr-r2"},
    {"trapezoid", "wsd"},
    {"trapezoidal", "wsd"},
    {"warmupstabledecay", "wsd"},
    {"cooldown", "wsd"},
    {"rsqrt", "inverse-sqrt"},
    {"noam", "inverse-sqrt"},
    {"invsqrt", "inverse-sqrt"},
    {"reducelronplateau", "plateau"},
    {"reduceonplateau", "plateau"},
    {"csv", "file(my.csv)"},
    {"custom", "points(0:1,30%:1,100%:0)"},
};

const ScheduleEntry& entry_of(const ScheduleCall& call) {
  if (const ScheduleEntry* entry = find_schedule(call.name())) return *entry;
  std::vector<std::string> known{"cut", "bac", "file"};
  for (const ScheduleInfo& info : schedule_list())
    known.push_back(info.name.back() == 'N' ? info.example : info.name);
  call.refuse(fmt::format("unknown schedule \"{}\"; the nearest is {}; `glidepath schedules` lists all",
                          call.name(), words::suggestion(call.name(), known, kElsewhere)));
}

/// warmup=5%, warmup=500it, warmup=2ep as a share of the budget.
double warmup_share(ScheduleCall& call, const ScheduleContext* context, double fallback) {
  const auto given = call.take("warmup", false);
  if (!given) return fallback;
  const double share = share_or_length(call, "warmup", *given, fallback, context);
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
  const double warmup_updates = snapped(warmup.share * updates);
  const Stretch stretch{warmup.share, updates - warmup_updates};
  const double first = std::max(warmup.start, floor);  // nothing is below the floor
  return [=](double p) {
    const double spent = updates > 0 ? snapped(p * updates) : p;
    const double rising = updates > 0 ? warmup_updates : warmup.share;
    if (spent < rising) return first + (1 - first) * (spent / rising);
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
  return [=](double p) { return inner.factor(std::min(1.0, snapped(p * updates) / full)); };
}

Made make_schedule(ScheduleCall& call, const ScheduleContext* context) {
  if (call.name() == "cut" || call.name() == "bac") return {make_converted(call, context), 0};
  read_points_file(call);
  const ScheduleEntry& entry = entry_of(call);
  if (entry.make_plateau)
    call.refuse(fmt::format("{} follows the loss and cannot be inside another schedule", call.name()));
  Curve curve = entry.make(call, context);
  Warmup warmup;
  if (entry.warmup.allowed) {
    warmup.share = warmup_share(call, context, entry.warmup.share);
    warmup.start = call.share("warmup_start", 0.1, false);
  }
  if (entry.warmup.needed_for != nullptr && context != kTextOnly && !(warmup.share > 0)) {
    call.refuse(fmt::format("needs a warm-up above 0: {}", entry.warmup.needed_for));
  }
  const double floor = floor_factor(call, context);
  call.require_all_taken();
  return {compose(std::move(curve), warmup, floor, context == kTextOnly ? 0 : context->updates),
          warmup.share};
}

// Nothing where the call is of a schedule that is a function of progress.
std::optional<PlateauOptions> plateau_of(ScheduleCall& call) {
  const ScheduleEntry* entry = find_schedule(call.name());
  if (entry == nullptr || !entry->make_plateau) return std::nullopt;
  const PlateauOptions options = entry->make_plateau(call);
  call.require_all_taken();
  return options;
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

std::string without_files(std::string_view text) {
  const std::string canonical = canonical_schedule(text);
  ScheduleCall call = ScheduleCall::parse(text);
  if (call.name() == "cut" || call.name() == "bac")
    call = ScheduleCall::parse(call.take("schedule").value_or(""));
  return call.name() == "file" ? canonical : std::string(text);
}

std::string schedule_label(std::string_view text) {
  ScheduleCall call = ScheduleCall::parse(text);
  if (call.name() == "cut" || call.name() == "bac") {
    const auto inner = call.take("schedule");
    return inner ? fmt::format("{}({})", call.name(), schedule_label(*inner)) : std::string(text);
  }
  constexpr std::size_t kShownPoints = 4;
  const auto name = call.take("name", false);
  const std::vector<std::string> points = call.take_positional();
  if (call.name() != "points" || (!name && points.size() <= kShownPoints)) return std::string(text);
  std::string label = name ? *name
                           : fmt::format("points({},{},..{} more..,{}", points[0], points[1],
                                         points.size() - 3, points.back());
  const std::vector<std::string> rest = call.take_named();
  if (!rest.empty()) label += fmt::format("{}{}", name ? "(" : ",", fmt::join(rest, ","));
  return name && rest.empty() ? label : label + ")";
}

}  // namespace glidepath
