// src/schedule/schedule_table.cpp - every schedule: words, arguments and formula, as papers print them.
#include "schedule/schedule_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/words.h"
#include "schedule/schedule_points.h"

namespace glidepath {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Factor = std::function<double(double)>;

/// A formula that asks for nothing but progress.
Curve curve(Factor factor) {
  return [factor = std::move(factor)](double u, const Stretch&) { return factor(u); };
}

/// An entry's `make` without arguments.
auto plain(Factor factor) {
  return [factor = std::move(factor)](ScheduleCall&, const ScheduleContext*) { return curve(factor); };
}

/// The number at a name's end, 1 to 999: 2 of step-d2.
std::optional<int> number_at_end(std::string_view name, std::string_view prefix) {
  if (name.substr(0, prefix.size()) != prefix) return std::nullopt;
  const std::string_view digits = name.substr(prefix.size());
  const std::int64_t count = words::count(digits).value_or(0);
  return digits.size() <= 3 && count > 0 ? std::optional<int>(static_cast<int>(count)) : std::nullopt;
}

// Progress is checked to be in [0, 1], so these are the ends: cos(pi) is -1 in floating point, yet the cosine
// of a rounded product may not be.
double cos_pi(double progress) {
  if (progress <= 0) return 1;
  if (progress >= 1) return -1;
  return std::cos(kPi * progress);
}

double cosine(double progress) { return (1 + cos_pi(progress)) / 2; }

double mix(double from, double to, double progress, bool cosine_shape) {
  const double left = cosine_shape ? cosine(progress) : 1 - progress;
  return from * left + to * (1 - left);  // exact at both ends
}

Curve drops(std::vector<double> milestones, double gamma) {
  return curve([milestones = std::move(milestones), gamma](double u) {
    const auto passed = std::count_if(milestones.begin(), milestones.end(), [&](double m) { return u >= m; });
    return std::pow(gamma, static_cast<double>(passed));
  });
}

std::vector<double> take_milestones(ScheduleCall& call) {
  std::vector<double> milestones;
  call.show_bare(true);
  for (const std::string& given : call.take_positional()) {
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
  return milestones;
}

double sgdr(double epochs, double first_cycle, double multiplier) {
  double length = first_cycle;
  if (multiplier == 1) {
    const double cycles = snapped(epochs / length);
    return cosine(cycles - std::floor(cycles));
  }
  while (epochs >= length) {
    epochs -= length;
    length *= multiplier;
  }
  return cosine(epochs / length);
}

Curve make_sgdr(ScheduleCall& call, const ScheduleContext* context) {
  call.show_bare(true);
  const double first = call.number("T0", 10, 0, kInfinity, true);
  const double multiplier = call.number("Tmult", 2, 1, kInfinity);
  call.show_bare(false);
  if (multiplier != std::floor(multiplier)) {
    call.refuse(fmt::format("Tmult \"{}\" must be a whole number, for example sgdr(10,2)", multiplier));
  }
  if (context == nullptr) return {};
  needed(call, context->updates, "a budget in updates, epochs or percent: its restarts are at epochs");
  const double per_epoch =
      needed(call, context->steps_per_epoch, "the updates of an epoch (--steps-per-epoch)");
  return [=](double u, const Stretch& stretch) {
    const double factor = sgdr(snapped(u * stretch.updates) / per_epoch, first, multiplier);
    // A cycle that ends with the budget lands; it does not restart.
    return u == 1 && factor == 1 ? 0 : factor;
  };
}

Curve make_wsd(ScheduleCall& call) {
  const double decay = call.share("decay", 0.2);
  const std::string shape = call.word("shape", "sqrt", {"sqrt", "linear", "cosine"});
  return curve([=](double u) {
    const double begin = 1 - decay;
    if (u >= 1) return 0.0;
    if (u < begin || decay == 0) return 1.0;
    const double v = (u - begin) / decay;
    return shape == "linear" ? 1 - v : shape == "cosine" ? cosine(v) : 1 - std::sqrt(v);
  });
}

Curve make_flat_power(ScheduleCall& call) {
  const double decay = call.share("decay", 0.5);
  const double power = call.number("power", 1.2, 0, kInfinity, true);
  return curve([=](double u) {
    if (u >= 1) return 0.0;
    return 1 - u >= decay ? 1.0 : std::pow((1 - u) / decay, power);
  });
}

Curve make_anytime(ScheduleCall& call, const ScheduleContext* context) {
  constexpr double kUsual = 0.1;
  const auto given = call.take("alpha");
  const double alpha = given ? share_or_length(call, "alpha", *given, kUsual, context) : kUsual;
  if (given && *words::number(words::split_number(*given).first) == 0)
    call.refuse("alpha must be above 0, for example 10% or 500it");
  return [=](double u, const Stretch& stretch) {
    const double p = u * (1 - stretch.warmup);  // of the run, after its warm-up
    return std::sqrt(alpha / (p + alpha));
  };
}

std::vector<ScheduleEntry> make_table() {
  std::vector<ScheduleEntry> table;

  table.push_back({{"const", "const", "1", "", "const", "1"}, plain([](double) { return 1.0; })});

  table.push_back({{"linear", "linear", "1 - p", "Li et al., ICLR 2020 (arXiv 1905.04753)", "linear", "0"},
                   plain([](double u) { return 1 - u; })});

  table.push_back({{"poly", "poly(power=0.9)", "(1 - p)^power",
                    "DeepLab, Chen et al. 2016 (arXiv 1606.00915)", "poly(power=2)", "0"},
                   [](ScheduleCall& call, const ScheduleContext*) {
                     const double power = call.number("power", 0.9, 0, kInfinity, true);
                     return curve([=](double u) { return std::pow(1 - u, power); });
                   }});

  table.push_back({{"cosine", "cosine", "(1 + cos(pi p)) / 2",
                    "Loshchilov & Hutter, ICLR 2017 (arXiv 1608.03983)", "cosine", "0"},
                   plain(cosine)});

  table.push_back({{"step-dN", "step-d2", "gamma^k after k of N drops, at i / (N + 1)",
                    "He et al., CVPR 2016", "step-d2", "gamma^N"},
                   [](ScheduleCall& call, const ScheduleContext*) {
                     const int count = *number_at_end(call.name(), "step-d");
                     std::vector<double> milestones;
                     for (int i = 1; i <= count; ++i)
                       milestones.push_back(static_cast<double>(i) / (count + 1));
                     return drops(milestones, call.number("gamma", 0.1, 0, 1, true));
                   }});

  table.push_back({{"step", "step(0.5,0.75,gamma=0.1)", "gamma^k after k milestones", "He et al., CVPR 2016",
                    "step(0.5,0.75)", "gamma^milestones"},
                   [](ScheduleCall& call, const ScheduleContext*) {
                     std::vector<double> milestones = take_milestones(call);
                     return drops(std::move(milestones), call.number("gamma", 0.1, 0, 1, true));
                   }});

  table.push_back({{"exp", "exp(gamma=0.97,full_epochs=200)", "gamma^(p full_epochs)", "Li et al., ICLR 2020",
                    "exp(0.97)", "gamma^full_epochs"},
                   [](ScheduleCall& call, const ScheduleContext*) {
                     call.show_bare(true);
                     const double gamma = call.number("gamma", 0.97, 0, 1, true);
                     call.show_bare(false);
                     const double epochs = call.number("full_epochs", 200, 0, kInfinity, true);
                     return curve([=](double u) { return std::pow(gamma, u * epochs); });
                   }});

  table.push_back({{"htd", "htd(L=-6,U=3)", "(1 - tanh(L + (U - L) p)) / 2",
                    "Hsueh et al., WACV 2019 (arXiv 1806.01593)", "htd(-6,3)", "0.0025"},
                   [](ScheduleCall& call, const ScheduleContext*) {
                     call.show_bare(true);
                     const double lower = call.number("L", -6, -1000, 1000);
                     const double upper = call.number("U", 3, -1000, 1000);
                     call.show_bare(false);
                     if (!(lower < upper)) call.refuse("L must be below U, for example htd(-6,3)");
                     return curve([=](double u) { return (1 - std::tanh(lower + (upper - lower) * u)) / 2; });
                   }});

  table.push_back({{"sgdr", "sgdr(T0=10,Tmult=2)", "cosine with restarts, cycles in epochs",
                    "Loshchilov & Hutter, ICLR 2017", "sgdr(10,2)", "where its cycle stands"},
                   make_sgdr});

  table.push_back({{"sgdr-rN", "sgdr-r2", "cosine with N restarts at even intervals",
                    "Li et al., ICLR 2020, appendix", "sgdr-r2", "0"},
                   [](ScheduleCall& call, const ScheduleContext*) {
                     const int cycles = *number_at_end(call.name(), "sgdr-r") + 1;
                     return curve([=](double u) {
                       if (u >= 1) return 0.0;  // the end of the last cycle, not the beginning of one more
                       const double position = snapped(u * cycles);
                       return cosine(position - std::floor(position));
                     });
                   }});

  table.push_back({{"rex", "rex", "(1 - p) / (1/2 + (1 - p) / 2)",
                    "Chen et al., MLSys 2022 (arXiv 2107.04197)", "rex", "0"},
                   plain([](double u) { return (1 - u) / (0.5 + 0.5 * (1 - u)); })});

  table.push_back({{"uba", "uba(phi=2)", "2u / (2 phi + (2 - phi) u), u = 1 + cos(pi p)",
                    "arXiv 2505.24452; formula from third-party code", "uba", "0"},
                   [](ScheduleCall& call, const ScheduleContext*) {
                     const double phi = call.number("phi", 2, 0, 1e6, true);
                     return curve([=](double p) {
                       const double u = 1 + cos_pi(p);
                       return std::min(1.0, 2 * u / (2 * phi + (2 - phi) * u));
                     });
                   }});

  table.push_back({{"onecycle", "onecycle(peak=30%,div=25,final_div=10000,shape=cosine)",
                    "1/div up to 1 at peak, down to 1/(div final_div)", "Smith 2018 (arXiv 1803.09820)",
                    "onecycle", "1/(div final_div)"},
                   [](ScheduleCall& call, const ScheduleContext*) {
                     const double peak = call.share("peak", 0.3);
                     const double div = call.number("div", 25, 1, kInfinity);
                     const double final_div = call.number("final_div", 1e4, 1, kInfinity);
                     const bool cosine_shape = call.word("shape", "cosine", {"cosine", "linear"}) == "cosine";
                     return curve([=](double u) {
                       if (u < peak) return mix(1 / div, 1, u / peak, cosine_shape);
                       return mix(1, 1 / (div * final_div), peak < 1 ? (u - peak) / (1 - peak) : 1,
                                  cosine_shape);
                     });
                   },
                   WarmupRule{0, false}});

  table.push_back({{"wsd", "wsd(decay=20%,shape=sqrt)", "1, then to 0 over the last part",
                    "Haegele et al., NeurIPS 2024 (arXiv 2405.18392)", "wsd(decay=20%)", "0"},
                   [](ScheduleCall& call, const ScheduleContext*) { return make_wsd(call); }});

  table.push_back({{"flat-power", "flat-power(decay=50%,power=1.2)", "min(1, ((1 - p) / decay)^power)", "",
                    "flat-power", "0"},
                   [](ScheduleCall& call, const ScheduleContext*) { return make_flat_power(call); }});

  table.push_back({{"anytime", "anytime(alpha=10%)", "sqrt(alpha / (p + alpha))",
                    "Meterez et al. 2026 (arXiv 2602.03702)", "anytime", "sqrt(alpha/(1 + alpha))"},
                   make_anytime});

  table.push_back({{"inverse-sqrt", "inverse-sqrt(warmup=5%)", "sqrt(w / p) after a warm-up of w",
                    "Vaswani et al., NeurIPS 2017", "inverse-sqrt", "sqrt(warmup)"},
                   [](ScheduleCall&, const ScheduleContext*) -> Curve {
                     return [](double u, const Stretch& stretch) {
                       const double w = stretch.warmup, p = w + (1 - w) * u;
                       return std::sqrt(w / std::max(p, w));
                     };
                   },
                   WarmupRule{0.05, true, "its rate is sqrt(warmup / p)"}});

  table.push_back({{"plateau", "plateau(factor=0.1,patience=5%,threshold=0.0001)",
                    "factor^k after k plateaus of the loss", "ReduceLROnPlateau, PyTorch", "plateau",
                    "as the loss decides"},
                   nullptr,
                   WarmupRule{0, false},
                   [](ScheduleCall& call) {
                     PlateauOptions options;
                     options.factor = call.number("factor", options.factor, 0, 1, true);
                     options.patience = call.share("patience", options.patience);
                     options.threshold = call.number("threshold", options.threshold, 0, 1);
                     if (options.factor >= 1) call.refuse("factor must be below 1");
                     if (!(options.patience > 0)) call.refuse("patience must be above 0");
                     return options;
                   }});

  table.push_back({{"d2z", "d2z(warmup=10%)", "warm-up, then linear to 0",
                    "Bergsma et al., ICLR 2025 (arXiv 2502.15938)", "d2z", "0"},
                   plain([](double u) { return 1 - u; }),
                   WarmupRule{0.1}});

  table.push_back({{"points", "points(0:1,30%:1,100%:0,shape=linear)",
                    "straight lines between progress:factor", "", "points(0:1,30%:1,100%:0)", "0"},
                   [](ScheduleCall& call, const ScheduleContext*) { return make_points(call); }});

  return table;
}

}  // namespace

double share_or_length(ScheduleCall& call, const std::string& key, const std::string& given, double fallback,
                       const ScheduleContext* context) {
  const auto [digits, unit] = words::split_number(given);
  const auto amount = words::number(digits);
  if (!amount || *amount < 0 || (unit != "%" && unit != "it" && unit != "ep" && !unit.empty())) {
    call.refuse(
        fmt::format("{} \"{}\" must be a share or a length, for example 5%, 500it or 2ep", key, given));
  }
  const bool counted = unit == "it" || unit == "ep";
  const double share = unit == "%" ? *amount / 100 : *amount;
  if (counted || share != fallback)
    call.note(key, counted ? words::number_text(*amount) + std::string(unit) : words::share_text(share));
  if (!counted) return share;
  if (context == nullptr) return 0;
  const double updates = needed(
      call, context->updates,
      fmt::format("a budget in updates, epochs or percent for a {} in it or ep; give {}={}",
                  key == "warmup" ? "warm-up" : key, key, words::share_text(fallback > 0 ? fallback : 0.05))
          .c_str());
  const double per_epoch =
      unit == "ep" ? needed(call, context->steps_per_epoch, "the updates of an epoch (--steps-per-epoch)")
                   : 1;
  return *amount * per_epoch / updates;
}

const std::vector<ScheduleEntry>& schedule_table() {
  static const std::vector<ScheduleEntry> table = make_table();
  return table;
}

const ScheduleEntry* find_schedule(const std::string& name) {
  for (const ScheduleEntry& entry : schedule_table()) {
    const std::string& known = entry.info.name;
    const bool counted = known.back() == 'N';
    if (counted ? number_at_end(name, known.substr(0, known.size() - 1)).has_value() : name == known)
      return &entry;
  }
  return nullptr;
}

const std::vector<ScheduleInfo>& schedule_list() {
  static const std::vector<ScheduleInfo> list = [] {
    std::vector<ScheduleInfo> infos;
    for (const ScheduleEntry& entry : schedule_table()) infos.push_back(entry.info);
    return infos;
  }();
  return list;
}

double needed(const ScheduleCall& call, double value, const char* what) {
  if (!(value > 0)) call.refuse(fmt::format("needs {}", what));
  return value;
}

double snapped(double x) {
  const double whole = std::round(x);
  return std::abs(x - whole) <= 4 * std::numeric_limits<double>::epsilon() * std::abs(x) ? whole : x;
}

}  // namespace glidepath
