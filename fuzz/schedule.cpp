// fuzz/schedule.cpp - the grammar of schedules: any text is refused, or is a function of progress in [0, 1]
// that its canonical text stands for as well.
#include "glidepath/schedule.h"

#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  std::string canonical;
  const bool is_schedule = fuzz::accepts([&] { canonical = canonical_schedule(text); });
  if (is_schedule) {
    fuzz::require(canonical_schedule(canonical) == canonical, "a canonical text is its own canonical text");
  }
  const ScheduleContext contexts[] = {{}, {782, 391, 78'200, 0.1}, {1, 1, 1, 1}};
  for (const ScheduleContext& context : contexts) {
    fuzz::accepts([&] {
      const Schedule schedule = parse_schedule(text, context);
      fuzz::require(is_schedule, "what can be used has a canonical text");
      fuzz::require(schedule.text() == canonical, "both readers agree on the canonical text");
      if (schedule.plateau()) return;
      const Schedule same = parse_schedule(canonical, context);
      for (const double p : {0.0, 0x1p-60, 0.05, 1.0 / 3, 0.5, 0.999, 1.0}) {
        const double factor = schedule(p);
        fuzz::require(factor >= 0 && factor <= 1, "a factor is in [0, 1]");
        fuzz::require(same(p) == factor, "the canonical text is the same function");
      }
    });
  }
  return 0;
}
