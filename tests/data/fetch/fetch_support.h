// tests/data/fetch/fetch_support.h - a small data set, the server that gives it, and the folder it goes to.
#pragma once
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/checksum.h"
#include "glidepath/error.h"
#include "glidepath/fetch.h"
#include "support/files.h"
#include "support/python.h"
#include "support/temporary_folder.h"

namespace glidepath {

inline std::string checksum(const std::string& bytes, const std::string& algorithm = "sha256") {
  Hasher hasher(algorithm);
  hasher.add(bytes.data(), bytes.size());
  return hasher.finish();
}

/// Bytes that do not compress, so that archives are as large as what they hold.
inline std::string noise(std::size_t bytes, unsigned seed) {
  std::string text(bytes, '\0');
  std::uint32_t state = seed * 2654435761U + 1;
  for (char& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

/// Runs tests/data/fetch/http_server.py on a folder; ends with this object, or with the test.
class HttpServer {
 public:
  HttpServer(const std::filesystem::path& folder, std::filesystem::path log) : log_(std::move(log)) {
    int input[2], output[2];
    if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0) std::abort();
    const std::string python = python_program();
    const std::string script = std::string(GLIDEPATH_SOURCE_DIR) + "/tests/data/fetch/http_server.py";
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(input[0], 0);
      ::dup2(output[1], 1);
      ::execlp(python.c_str(), python.c_str(), script.c_str(), folder.c_str(), log_.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(input[0]);
    ::close(output[1]);
    input_ = input[1];
    // To the end of the line: Python may write it in two parts, and must not find the pipe closed.
    std::string line;
    for (char c = 0; ::read(output[0], &c, 1) == 1 && c != '\n';) line += c;
    port_ = std::atoi(line.c_str());
    ::close(output[0]);
  }
  ~HttpServer() {
    ::close(input_);
    ::waitpid(pid_, nullptr, 0);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/" + path;
  }
  /// Requests so far, "PATH RANGE STATUS" each.
  std::vector<std::string> requests() const {
    std::ifstream stream(log_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

 private:
  std::filesystem::path log_;
  pid_t pid_ = 0;
  int input_ = -1, port_ = 0;
};

/// A folder of its own for each test; in served/ the data set "tiny": a.bin and b.bin in tiny.tar.gz.
class FetchTest : public testing::Test {
 protected:
  FetchTest() {
    std::filesystem::create_directories(folder_ / "served");
    options_.data_dir = folder_ / "data";
    options_.retry_wait_seconds = 0.01;
    options_.on_note = [this](const std::string& note) {
      const std::lock_guard<std::mutex> lock(mutex_);
      notes_.push_back(note);
    };
  }

  /// Labels 0 to 9 every 100 bytes, noise between.
  static std::string content(unsigned seed, std::size_t records = 2000) {
    std::string text = noise(records * 100, seed);
    for (std::size_t i = 0; i < records; ++i) text[i * 100] = static_cast<char>(i % 10);
    return text;
  }

  static DataFile data_file(const std::string& name, const std::string& bytes) {
    return {name, static_cast<std::int64_t>(bytes.size()), checksum(bytes), false, 0, 100, 10};
  }

  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  /// Packs files of folder_/pack/ with tar; the archive's bytes.
  std::string pack(const std::string& archive) const {
    const std::string command =
        "tar -C '" + (folder_ / "pack").string() + "' -czf '" + (folder_ / archive).string() + "' tiny-bin";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return text_of(folder_ / archive);
  }

  /// The data set, served as tiny.tar.gz, without addresses yet.
  void make_tiny() {
    write("pack/tiny-bin/a.bin", a_);
    write("pack/tiny-bin/b.bin", b_);
    write("pack/tiny-bin/readme.html", "<html>");
    archive_ = pack("served/tiny.tar.gz");
    tiny_ = {"tiny", {"tiny-bin"}, {data_file("a.bin", a_), data_file("b.bin", b_)}, {}, {}};
    tiny_.downloads = {{"tiny.tar.gz", static_cast<std::int64_t>(archive_.size()), checksum(archive_), {}}};
  }

  void serve() { server_ = std::make_unique<HttpServer>(folder_ / "served", folder_ / "log"); }

  /// `how` is the first part of a path of the server: "ok", "cut=1000", ...
  void address(const std::string& how, bool official = true) {
    tiny_.downloads[0].addresses.push_back({server_->url(how + "/tiny.tar.gz"), official});
  }

  std::filesystem::path target() const { return folder_ / "data/tiny-bin"; }
  std::filesystem::path part() const { return target() / ".fetch/tiny.tar.gz.part"; }

  void expect_whole() const {
    EXPECT_TRUE(text_of(target() / "a.bin") == a_);
    EXPECT_TRUE(text_of(target() / "b.bin") == b_);
    EXPECT_FALSE(std::filesystem::exists(target() / ".fetch")) << "work files were left behind";
  }

  void expect_nothing() const {
    EXPECT_FALSE(std::filesystem::exists(target() / "a.bin"));
    EXPECT_FALSE(std::filesystem::exists(target() / "b.bin"));
  }

  template <typename Expected>
  std::string failure() {
    try {
      fetch_dataset(tiny_, options_);
    } catch (const Expected& error) {
      return error.what();
    } catch (const std::exception& error) {
      return std::string("another type of exception: ") + error.what();
    }
    return "nothing was thrown";
  }

  const TemporaryFolder temporary_{"fetch"};
  const std::filesystem::path& folder_ = temporary_.path();
  std::string a_ = content(1), b_ = content(2), archive_;
  DataSource tiny_;
  FetchOptions options_;
  std::mutex mutex_;
  std::vector<std::string> notes_;
  std::unique_ptr<HttpServer> server_;
};

/// Tests that need the server; skipped where there is no Python.
class ServedTest : public FetchTest {
 protected:
  void SetUp() override {
    GLIDEPATH_NEED_PYTHON("http.server");
    make_tiny();
    serve();
  }
};

}  // namespace glidepath
