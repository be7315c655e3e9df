// tests/cli/run_program.h - the program as a user runs it.
#pragma once
#include <array>
#include <cstdio>
#include <string>
#include <sys/wait.h>

namespace glidepath {

struct Ran {
  int status = -1;
  std::string output;  ///< both
};

inline Ran run_program(const std::string& arguments) {
  std::FILE* pipe =
      ::popen((std::string("'") + GLIDEPATH_PROGRAM + "' " + arguments + " 2>&1 </dev/null").c_str(), "r");
  Ran ran;
  std::array<char, 4096> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    ran.output.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

}  // namespace glidepath
