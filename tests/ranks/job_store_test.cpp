// tests/ranks/job_store_test.cpp - the store answers its job's processes, and nobody else.
#include "ranks/meeting/job_store.h"

#include <arpa/inet.h>
#include <cstring>
#include <fstream>
#include <future>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "ranks/meeting/job_secret.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using testing::HasSubstr;

std::vector<std::uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }

class JobStoreTest : public testing::Test {
 protected:
  StoreAddress address(const std::string& secret = "ours") const {
    return {"127.0.0.1", server_.port(), secret};
  }
  c10::intrusive_ptr<JobStore> connect() const {
    return c10::make_intrusive<JobStore>(address(), milliseconds(20000));
  }
  /// A connection of somebody who sends whatever they like.
  int stranger(const std::string& sent) const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(server_.port()));
    EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    EXPECT_EQ(::send(socket, sent.data(), sent.size(), MSG_NOSIGNAL), static_cast<ssize_t>(sent.size()));
    return socket;
  }

  JobStoreServer server_{{"127.0.0.1", 0, "ours"}};
};

TEST_F(JobStoreTest, AnswersAsAStoreOfC10dDoes) {
  const auto store = connect();
  store->set("a", bytes("1"));
  EXPECT_EQ(store->get("a"), bytes("1"));
  const auto odd = bytes(std::string("\0\xff\n", 3));
  store->set("odd", odd);
  EXPECT_EQ(connect()->get("odd"), odd);
  EXPECT_EQ(store->add("n", 5), 5);
  EXPECT_EQ(connect()->add("n", -7), -2);
  EXPECT_TRUE(store->check({"a", "n"}));
  EXPECT_FALSE(store->check({"a", "none"}));
  EXPECT_EQ(store->compareSet("a", bytes("2"), bytes("3")), bytes("1"));
  EXPECT_EQ(store->compareSet("a", bytes("1"), bytes("3")), bytes("3"));
  EXPECT_EQ(store->compareSet("new", bytes("x"), bytes("y")), bytes("x"));
  EXPECT_FALSE(store->check({"new"}));
  EXPECT_EQ(store->compareSet("new", bytes(""), bytes("y")), bytes("y"));
  EXPECT_EQ(store->getNumKeys(), 4);
  EXPECT_TRUE(store->deleteKey("a"));
  EXPECT_FALSE(store->deleteKey("a"));
  const std::string large(1 << 20, 'x');
  store->set("large", bytes(large));
  EXPECT_EQ(store->get("large"), bytes(large));
}

TEST_F(JobStoreTest, WaitingForOnesTurnIsPartOfTheTimeout) {
  const auto store = connect();
  store->setTimeout(milliseconds(200));
  auto first = std::async(std::launch::async, [&] { store->wait({"late"}, milliseconds(60000)); });
  EXPECT_EQ(first.wait_for(milliseconds(100)), std::future_status::timeout);
  EXPECT_THROW(store->check({"a"}), std::runtime_error);
  EXPECT_EQ(first.wait_for(milliseconds(0)), std::future_status::timeout);
  connect()->set("late", bytes("1"));
  first.get();
  EXPECT_TRUE(store->check({"late"}));
}

TEST_F(JobStoreTest, WaitsForKeysThatAreNotThere) {
  const auto store = connect();
  auto late = std::async(std::launch::async, [&] { return connect()->get("late"); });
  auto both = std::async(std::launch::async, [&] { connect()->wait({"late", "later"}); });
  std::this_thread::sleep_for(milliseconds(50));
  store->set("late", bytes("x"));
  EXPECT_EQ(late.get(), bytes("x"));
  EXPECT_EQ(both.wait_for(milliseconds(50)), std::future_status::timeout);
  store->set("later", bytes("y"));
  both.get();
  EXPECT_THROW(store->wait({"never"}, milliseconds(50)), std::runtime_error);
  EXPECT_EQ(store->get("late"), bytes("x")) << "an answer too late is taken for another question's";
}

TEST_F(JobStoreTest, WhoDoesNotKnowTheSecretGetsNowhere) {
  connect()->set("note", bytes("ours"));
  const auto begun = Clock::now();
  try {
    JobStore(address("theirs"), milliseconds(300));
    FAIL() << "connected with another secret";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no store of this job"));
  }
  EXPECT_LT(Clock::now() - begun, std::chrono::seconds(5));
  // What c10d's own store would have taken: a ping, a key that is read.
  for (const std::string& sent : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(64, '\0'),
                                  std::string("\xff\0\0\0\0\0\0\0\x01\x7f", 10)}) {
    const int socket = stranger(sent);
    timeval patience{0, 200000};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char answer[256];
    std::string all;
    for (ssize_t count; (count = ::recv(socket, answer, sizeof answer, 0)) > 0;)
      all.append(answer, static_cast<std::size_t>(count));
    EXPECT_EQ(all.find("ours"), std::string::npos);
    ::close(socket);
  }
  EXPECT_EQ(connect()->get("note"), bytes("ours"));
}

// One thread reads all questions: half a one held it up for ever.
TEST_F(JobStoreTest, HalfSentQuestionsHoldUpNobody) {
  std::vector<int> sockets;
  for (int i = 0; i < 50; ++i) {
    sockets.push_back(stranger(""));
    sockets.push_back(stranger("\xff"));
    sockets.push_back(stranger(std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x03", 11)));
  }
  const auto begun = Clock::now();
  const auto store = connect();
  for (int i = 0; i < 100; ++i) store->add("n", 1);
  EXPECT_EQ(store->add("n", 0), 100);
  EXPECT_LT(Clock::now() - begun, std::chrono::seconds(5));
  for (const int socket : sockets) ::close(socket);
}

TEST_F(JobStoreTest, ListensWhereItIsToldAndNowhereElse) {
  std::ifstream table("/proc/self/net/tcp");
  char wanted[16];
  std::snprintf(wanted, sizeof wanted, ":%04X", server_.port());
  int listening = 0;
  for (std::string line; std::getline(table, line);) {
    const auto place = line.find(wanted);
    if (place == std::string::npos || place > 20 || line.find(" 0A ") == std::string::npos) continue;
    ++listening;
    EXPECT_NE(line.find(std::string("0100007F") + wanted), std::string::npos) << line;
  }
  EXPECT_EQ(listening, 1);
  std::ifstream other("/proc/self/net/tcp6");
  for (std::string line; std::getline(other, line);)
    EXPECT_EQ(line.find(std::string("00000000") + wanted), std::string::npos) << line;
  EXPECT_THROW(JobStoreServer({"127.0.0.1", server_.port(), "ours"}), std::runtime_error);
}

TEST(JobStore, TellsThatItIsGone) {
  auto server = std::make_unique<JobStoreServer>(StoreAddress{"127.0.0.1", 0, "ours"});
  JobStore store({"127.0.0.1", server->port(), "ours"}, milliseconds(20000));
  store.set("a", bytes("1"));
  auto waiting = std::async(std::launch::async, [&] { store.get("never"); });
  std::this_thread::sleep_for(milliseconds(50));
  server.reset();
  EXPECT_EQ(waiting.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_THROW(waiting.get(), std::runtime_error);
  EXPECT_THROW(store.check({"a"}), std::runtime_error);
}

class JobSecretTest : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("HOME", home_.path().c_str(), 1);
    ::chmod(home_.path().c_str(), 0755);
  }
  void TearDown() override { before_.empty() ? ::unsetenv("HOME") : ::setenv("HOME", before_.c_str(), 1); }
  template <typename Expected, typename Call>
  static std::string message_of(Call call) {
    try {
      call();
    } catch (const Expected& error) {
      return error.what();
    }
    return "no error";
  }
  const std::string before_ = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
  const TemporaryFolder home_{"home"};
};

TEST_F(JobSecretTest, OfAUserIsOneForAllThatAskAtOnceAndForNobodyElse) {
  std::vector<std::future<std::string>> asked;
  for (int i = 0; i < 8; ++i) asked.push_back(std::async(std::launch::async, secret_of_user));
  const std::string first = asked.front().get();
  EXPECT_EQ(first.size(), 64U);
  for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_EQ(asked[i].get(), first);
  const auto file = home_.path() / ".config/glidepath/job-secret";
  struct stat found {};
  ASSERT_EQ(::stat(file.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  ::chmod(file.c_str(), 0644);
  EXPECT_THAT(message_of<RunError>(secret_of_user), HasSubstr("is not a file that this user alone may read"));
  ::unsetenv("HOME");
  EXPECT_THAT(message_of<InputError>(secret_of_user), HasSubstr("GLIDEPATH_JOB_SECRET"));
}

TEST_F(JobSecretTest, OfAMeetingIsReadFromFilesAndFoldersOfOnesOwnAlone) {
  const auto folder = home_.path() / "meetings";
  const MeetingFile file(folder / "job");
  EXPECT_FALSE(file.read());
  file.write({4711, "secret"});
  EXPECT_EQ(file.read()->port, 4711);
  EXPECT_EQ(file.read()->secret, "secret");
  ::chmod(folder.c_str(), 0777);
  EXPECT_THAT(message_of<RunError>([&] {
                file.write({1, "x"});
              }),
              HasSubstr("is not a folder that this user alone"));
  ::chmod(folder.c_str(), 0700);
  file.remove();
  std::ofstream(home_.path() / "theirs") << "1 x";
  std::filesystem::create_symlink(home_.path() / "theirs", file.path());
  EXPECT_THROW(file.read(), RunError);
  file.write({5, "y"});  // in the link's place, not where it leads
  std::string kept;
  std::getline(std::ifstream(home_.path() / "theirs"), kept);
  EXPECT_EQ(kept, "1 x");
  EXPECT_EQ(file.read()->port, 5);
  EXPECT_EQ(random_secret().size(), 64U);
  EXPECT_NE(random_secret(), random_secret());
}

}  // namespace
}  // namespace glidepath
