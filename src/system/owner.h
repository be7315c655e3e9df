// src/system/owner.h - a process that holds something, and whether it is still there.
#pragma once
#include <cstdint>
#include <string>

namespace glidepath {

struct Owner {
  std::string host;      ///< machine, boot and process-id namespace: processes of one can see each other
  std::int64_t pid = 0;  ///< process id
  std::int64_t start =
      0;  ///< when it started, in clock ticks since boot: tells a reused id from the real one
};
Owner this_process();
/// When a process of this machine started, in clock ticks since boot; -1 if there is none.
std::int64_t process_start(std::int64_t pid);
/// The letter that /proc/PID/stat has for its state ('T': stopped, 'Z': has ended); 0 if nothing is known.
char process_state(std::int64_t pid);
/// True if `owner` is surely not running: it was on this machine and is no more.
bool is_gone(const Owner& owner, const Owner& self);

/// This machine's name, for people.
std::string host_name();

}  // namespace glidepath
