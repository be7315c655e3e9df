// tests/support/python.h - runs Python's packages as second readers of what we write.
#pragma once
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/wait.h>

#include <gtest/gtest.h>

namespace glidepath {

/// The interpreter: $GLIDEPATH_TEST_PYTHON, or python3 of the PATH.
inline std::string python_program() {
  const char* given = std::getenv("GLIDEPATH_TEST_PYTHON");
  return given != nullptr ? given : "python3";
}

struct PythonResult {
  int status = -1;
  std::string output;  ///< stdout and stderr together
};

/// Runs a script kept as a file in `folder`. Arguments must not need quoting inside single quotes.
inline PythonResult run_python(const std::filesystem::path& folder, const std::string& script,
                               const std::string& argument = {}) {
  const std::filesystem::path file = folder / "script.py";
  std::ofstream(file) << script;
  const std::string command =
      "'" + python_program() + "' '" + file.string() + "' '" + argument + "' 2>&1 </dev/null";
  PythonResult result;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

/// Whether `import module` works there.
inline bool python_has(const std::string& module) {
  const std::string command = "'" + python_program() + "' -c 'import " + module + "' >/dev/null 2>&1";
  return std::system(command.c_str()) == 0;
}

}  // namespace glidepath

/// Ends the test, with the reason, where Python lacks a package.
#define GLIDEPATH_NEED_PYTHON(module)                                                       \
  if (!glidepath::python_has(module)) {                                                     \
    GTEST_SKIP() << glidepath::python_program() << " has no package \"" << (module)         \
                 << "\"; install it, or set GLIDEPATH_TEST_PYTHON to a Python that has it"; \
  }
