// tests/docs/commands_test.cpp - every ```console block of docs/: the commands print what the page shows.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "support/markdown.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// stdout and stderr of a command run by sh in `folder`, where `glidepath` is the program of this build.
std::string output_of(const std::string& command, const fs::path& folder) {
  const fs::path file = folder / "command.sh";
  std::ofstream(file) << "glidepath() { " << GLIDEPATH_PROGRAM << " \"$@\"; }\ncd '" << folder.string()
                      << "'\n"
                      << command << "\n";
  std::FILE* pipe = ::popen(("sh '" + file.string() + "' 2>&1 </dev/null").c_str(), "r");
  if (pipe == nullptr) return "sh cannot be run";
  std::string output;
  std::array<char, 4096> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), count);
  ::pclose(pipe);
  return output;
}

TEST(Docs, CommandsPrintWhatTheirPagesShow) {
  const TemporaryFolder temporary("docs");
  const fs::path& folder = temporary.path();
  fs::create_directory(folder / "docs");  // a command may draw a figure of the page
  int commands = 0;
  for (const auto& page : fs::directory_iterator(GLIDEPATH_SOURCE_DIR "/docs")) {
    if (page.path().extension() != ".md") continue;
    for (const auto& block : Markdown(page.path().string()).blocks("console")) {
      for (std::size_t i = 0; i < block.size();) {
        ASSERT_EQ(block[i].rfind("$ ", 0), 0U) << page.path() << ": " << block[i];
        const std::string command = block[i].substr(2);
        std::string expected;
        for (++i; i < block.size() && block[i].rfind("$ ", 0) != 0; ++i) expected += block[i] + "\n";
        EXPECT_EQ(output_of(command, folder), expected) << page.path() << ": " << command;
        ++commands;
      }
    }
  }
  EXPECT_GE(commands, 8);
}

/// Without what stands between backquotes.
std::string without_code(const std::string& line) {
  if (line.rfind("```", 0) == 0) return line;
  std::string rest;
  bool in_code = false;
  for (const char c : line) {
    if (c == '`') in_code = !in_code;
    if (!in_code) rest += c;
  }
  return rest;
}

TEST(Docs, LinksLeadSomewhere) {
  int links = 0;
  for (const auto& page : fs::recursive_directory_iterator(GLIDEPATH_SOURCE_DIR "/docs")) {
    if (page.path().extension() != ".md") continue;
    bool in_code = false;  // where brackets before parentheses are a lambda
    for (const std::string& whole : lines_of(page.path().string())) {
      const std::string line = without_code(whole);
      if (line.rfind("```", 0) == 0 || line.rfind("<!-- cpp", 0) == 0 || line == "-->") in_code = !in_code;
      for (std::size_t begin = line.find("]("); !in_code && begin != std::string::npos;
           begin = line.find("](", begin + 2)) {
        std::string target = line.substr(begin + 2, line.find(')', begin) - begin - 2);
        target = target.substr(0, target.find('#'));
        if (target.empty() || target.rfind("http", 0) == 0) continue;
        EXPECT_TRUE(fs::exists(page.path().parent_path() / target)) << page.path() << ": " << target;
        ++links;
      }
    }
  }
  EXPECT_GE(links, 5);
}

}  // namespace
}  // namespace glidepath
