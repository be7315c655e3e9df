// src/budget/clock.cpp - the clocks that budgets are spent by.
#include "glidepath/clock.h"

#include <chrono>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

#include "core/steady_seconds.h"

namespace glidepath {

double budget_clock_seconds() {
#if defined(CLOCK_BOOTTIME)
  timespec time{};
  if (clock_gettime(CLOCK_BOOTTIME, &time) == 0) {
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }
#endif
  return steady_seconds();
}

double wall_clock_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

double seconds_since_process_start() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');  // the program's name may hold spaces
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  constexpr int kStartTime = 22, kAfterName = 3;  // proc(5): clock ticks after the boot
  for (int i = kAfterName; i <= kStartTime; ++i) fields >> field;
  double ticks = 0;
  if (!(std::istringstream(field) >> ticks)) return 0;
  const double age = budget_clock_seconds() - ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  // In a container with a clock of its own (time namespaces) the two need not agree.
  constexpr double kDay = 86400;
  return age >= 0 && age < kDay ? age : 0;
}

}  // namespace glidepath
