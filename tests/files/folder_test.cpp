// tests/files/folder_test.cpp - what links in our own folders can not do, and what a user's own still can.
#include "files/folder.h"

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "files/atomic_file.h"
#include "support/files.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    fs::create_directories(run_);
    fs::create_directories(elsewhere_);
    std::ofstream(precious_) << "precious\n";
  }
  ~FolderTest() override {
    EXPECT_EQ(text_of(precious_), "precious\n");  // whatever a test does
    EXPECT_EQ(std::distance(fs::directory_iterator(elsewhere_), fs::directory_iterator()), 1);
  }
  void write(const Folder& folder, const std::string& name, const std::string& text) {
    const int file = folder.open_or_create(name, O_WRONLY);
    EXPECT_EQ(::write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(file);
  }

  TemporaryFolder temporary_{"folder"};
  const fs::path run_ = temporary_.path() / "run", elsewhere_ = temporary_.path() / "elsewhere",
                 precious_ = elsewhere_ / "precious";
};

TEST_F(FolderTest, FollowsTheLinksOfThePathThatAUserGives) {
  fs::create_directory_symlink(run_, temporary_.path() / "link");
  write_file(temporary_.path() / "link" / "a", "text");
  EXPECT_EQ(text_of(run_ / "a"), "text");
  const Folder inside = Folder::make(temporary_.path() / "link").make_inside("checkpoint");
  write_file(inside, "b", "text");
  EXPECT_EQ(text_of(run_ / "checkpoint" / "b"), "text");
  EXPECT_EQ(inside.path(), temporary_.path() / "link" / "checkpoint");
}

TEST_F(FolderTest, RefusesALinkInThePlaceOfAFolderOfItsOwn) {
  fs::create_directory_symlink(elsewhere_, run_ / "checkpoint");
  fs::create_symlink(precious_, run_ / "tensorboard");
  const Folder run = Folder::open(run_);
  const auto message = (run_ / "checkpoint").string() + ": is no folder but a link or a file";
  EXPECT_THAT([&] { run.make_inside("checkpoint"); }, ThrowsMessage<LinkInTheWay>(HasSubstr(message)));
  EXPECT_THAT([&] { run.find_inside("checkpoint"); }, ThrowsMessage<LinkInTheWay>(HasSubstr(message)));
  EXPECT_THROW(run.make_inside("tensorboard"), LinkInTheWay);
  try {
    run.make_inside("checkpoint");
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_status(), kExitWrongInput);
  }
}

TEST_F(FolderTest, WritesToNoFileThatALinkLeadsTo) {
  const Folder run = Folder::open(run_);
  fs::create_symlink(precious_, run_ / "symbolic");
  fs::create_hard_link(precious_, run_ / "hard");
  fs::create_symlink(elsewhere_ / "new", run_ / "dangling");
  ASSERT_EQ(::mkfifo((run_ / "pipe").c_str(), 0600), 0);
  for (const std::string name : {"symbolic", "hard", "dangling", "pipe"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(run.open_plain(name, O_WRONLY), -1);
    write(run, name, "ours");
    EXPECT_EQ(text_of(run_ / name), "ours");
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(run_ / name)));
  }
}

TEST_F(FolderTest, GoesOnWithAFileOfItsOwn) {
  const Folder run = Folder::open(run_);
  std::ofstream(run_ / "part") << "half";
  const int file = run.open_plain("part", O_WRONLY | O_APPEND);
  ASSERT_GE(file, 0);
  EXPECT_EQ(::write(file, "!", 1), 1);
  ::close(file);
  EXPECT_EQ(text_of(run_ / "part"), "half!");
}

TEST_F(FolderTest, RemovesLinksAndNotWhatTheyLeadTo) {
  const Folder run = Folder::open(run_);
  fs::create_directories(run_ / "old" / "deep");
  std::ofstream(run_ / "old" / "deep" / "file") << "x";
  fs::create_directory_symlink(elsewhere_, run_ / "old" / "link");
  fs::create_directory_symlink(elsewhere_, run_ / "link");
  run.remove_all("old");
  run.remove_all("link");
  EXPECT_THAT(run.names(), ElementsAre());
}

TEST_F(FolderTest, AtomicFilesReplaceALinkUnderTheirOwnName) {
  fs::create_symlink(precious_, run_ / "summary.json");
  fs::create_symlink(precious_, run_ / "summary.json.part");  // what earlier versions opened
  write_file(run_ / "summary.json", "{}");
  EXPECT_EQ(text_of(run_ / "summary.json"), "{}");
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(run_ / "summary.json")));
  EXPECT_THAT(Folder::open(run_).names(), ElementsAre("summary.json"));
}

TEST_F(FolderTest, KeepsItsPlaceWhenItIsMovedAndALinkTakesItsName) {
  const Folder run = Folder::open(run_);
  fs::rename(run_, temporary_.path() / "moved");
  fs::create_directory_symlink(elsewhere_, run_);
  write_file(run, "a", "text");
  EXPECT_EQ(text_of(temporary_.path() / "moved" / "a"), "text");
}

TEST_F(FolderTest, MakesFoldersThatOthersCannotEnter) {
  const Folder one = Folder::open(run_).make_unique(".figure-"),
               two = Folder::open(run_).make_unique(".figure-");
  EXPECT_NE(one.path(), two.path());
  EXPECT_EQ(fs::status(one.path()).permissions(), fs::perms::owner_all);
}

TEST_F(FolderTest, TakesSingleNamesAlone) {
  const Folder run = Folder::open(run_);
  for (const char* name : {"", ".", "..", "a/b", "../elsewhere/precious"})
    EXPECT_THROW(run.create(name), InternalError) << name;
}

}  // namespace
}  // namespace glidepath
