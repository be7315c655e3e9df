// tests/budget/throttled_loop.cpp - a loop of one's own under Glide, which works for so many seconds on a
// machine that tests/support/throttle.py slows down in the middle, and then checks what Glide promises.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "glidepath/glide.h"

namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Some milliseconds of a core's time.
void work() {
  volatile double sum = 0;
  for (int i = 0; i < 4'000'000; ++i) sum = sum + std::sqrt(static_cast<double>(i));
}

struct Update {
  double at, seconds, rate;  ///< `at`: seconds since the loop began
};

double mean_seconds(const std::vector<Update>& updates, double from, double to) {
  double sum = 0, count = 0;
  for (const Update& update : updates) {
    if (update.at < from || update.at >= to) continue;
    sum += update.seconds;
    ++count;
  }
  return sum / count;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const double budget = std::atof(arguments[1]);
  glidepath::GlideOptions options;
  options.budget = std::string(arguments[1]) + "s";
  options.base_lr = 1;
  const double begun = seconds_now();
  glidepath::Glide glide(options);
  std::vector<Update> updates;
  while (!glide.done()) {
    const double at = seconds_now(), rate = glide.lr();
    work();
    glide.update();
    updates.push_back({at - begun, seconds_now() - at, rate});
  }
  const double spent = seconds_now() - begun;

  bool is_kept = true;
  const auto promise = [&](bool kept, const std::string& text) {
    fmt::print("{} {}\n", kept ? "kept:  " : "BROKEN:", text);
    is_kept = is_kept && kept;
  };
  double jump = 0, rise = 0;
  for (std::size_t i = 1; i < updates.size(); ++i) {
    jump = std::max(jump, updates[i - 1].rate - updates[i].rate);
    rise = std::max(rise, updates[i].rate - updates[i - 1].rate);
  }
  const double before = mean_seconds(updates, 0, 0.3 * budget);
  const double slowed = mean_seconds(updates, 0.37 * budget, 0.63 * budget);
  promise(slowed > 2 * before, fmt::format("it was slowed down: {:.1f} ms an update, {:.1f} in the middle",
                                           1e3 * before, 1e3 * slowed));
  promise(
      std::abs(spent - budget) <= std::max(0.01 * budget, 2.0),
      fmt::format("ends within 1 % or 2 s of {:g} s: {:.2f} s, {} updates", budget, spent, updates.size()));
  promise(updates.back().rate < 0.02,
          fmt::format("the last rate is below 0.02: {:.4f}", updates.back().rate));
  promise(glide.lr() == 0, fmt::format("and then 0: {}", glide.lr()));
  promise(rise <= 0 && jump < 0.05, fmt::format("no jumps: {:.4f} down, {:.4f} up at most", jump, rise));
  return is_kept ? 0 : 1;
}
