// The schedule in a training loop of one's own: no torch.
#include <cstdio>
#include <glidepath/budget.h>
#include <glidepath/schedule.h>

int main() {
  const std::int64_t updates = 10;
  const glidepath::Schedule schedule = glidepath::parse_schedule("linear");
  for (std::int64_t step = 0; step < updates; ++step) {
    std::printf("%g\n", 0.1 * schedule(glidepath::progress_at(step, updates)));
  }
  return schedule(1) == 0 ? 0 : 1;
}
