// tests/files/home_test.cpp - ~ in paths, as a shell has it.
#include "files/home.h"

#include <cstdlib>
#include <pwd.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

class HomeTest : public testing::Test {
 protected:
  HomeTest() { ::setenv("HOME", "/home/somebody", 1); }
  ~HomeTest() override {
    ::setenv("HOME", before_.c_str(), 1);
    ::unsetenv("GLIDEPATH_TEST_FOLDER");
  }
  const std::string before_ = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
};

TEST_F(HomeTest, IsExpandedAtTheBeginningAlone) {
  EXPECT_EQ(expand_home("~"), "/home/somebody");
  EXPECT_EQ(expand_home("~/runs/a"), "/home/somebody/runs/a");
  for (const std::string path : {"", "runs/~", "./~", "./~/x", "/~", "a~b"})
    EXPECT_EQ(expand_home(path), path);
}

TEST_F(HomeTest, OfAUserIsWhatTheSystemSays) {
  const std::string root = ::getpwuid(0)->pw_dir;
  EXPECT_EQ(expand_home("~root/x"), root + "/x");
  EXPECT_EQ(expand_home("~no-such-user-here/x"), std::nullopt);
}

TEST_F(HomeTest, IsTheSystemsWhereTheEnvironmentHasNone) {
  const std::string listed = ::getpwuid(::getuid())->pw_dir;
  ::unsetenv("HOME");
  EXPECT_EQ(home_folder(), listed);
  ::setenv("HOME", "", 1);
  EXPECT_EQ(home_folder(), listed);
}

TEST_F(HomeTest, StandsInVariablesToo) {
  EXPECT_EQ(folder_named_by("GLIDEPATH_TEST_FOLDER"), "");
  ::setenv("GLIDEPATH_TEST_FOLDER", "~/data", 1);
  EXPECT_EQ(folder_named_by("GLIDEPATH_TEST_FOLDER"), "/home/somebody/data");
  ::setenv("GLIDEPATH_TEST_FOLDER", "~no-such-user-here", 1);
  EXPECT_THROW(folder_named_by("GLIDEPATH_TEST_FOLDER"), InputError);
}

}  // namespace
}  // namespace glidepath
