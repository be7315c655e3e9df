// tests/cli/untrusted_test.cpp - runs, studies and names that come from somewhere else; paths of every kind.
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"
#include "glidepath/train_config.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;

const std::string kRun =
    "data = \"digits\"\nmodel = \"mlp\"\nfull = \"10ep\"\nbudget = \"3it\"\neval_every = \"end\"\nthreads = "
    "1\n";

class UntrustedTest : public CliTest {
 protected:
  UntrustedTest() {
    write("d.toml", kRun);
    write("precious", "precious\n");
  }
  ~UntrustedTest() override { EXPECT_EQ(read("precious"), "precious\n"); }
  ProcessResult ok(const std::string& line) const {
    const ProcessResult result = shell(line);
    EXPECT_EQ(result.exit_status, 0) << line << "\n" << result.err;
    return result;
  }
  ProcessResult refused(const std::string& line) const {
    const ProcessResult result = shell(line);
    EXPECT_EQ(result.exit_status, 2) << line << "\n" << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    return result;
  }
};

TEST_F(UntrustedTest, AStudyFilesTextsAreNoProgram) {
  const std::string grid = "[base]\n" + kRun + "[grid]\nseed = [1]\n";
  for (const std::string& text :
       {std::string("[reference]\nsource = \"x\\nsystem(\\\"touch owned\\\")\\n#\"\nbudget = [\"1%\"]\n"
                    "[reference.accuracy]\nlinear = [1]\n"),
        std::string("\n")}) {
    const bool is_title = text == "\n";
    write("s.toml", is_title ? "title = \"a\\u001b]0;x\\u0007\"\n" + grid : grid + text);
    const std::string told = refused("glidepath study s.toml --out out").err;
    EXPECT_THAT(told, HasSubstr(is_title ? "title: holds the control character \\x1b"
                                         : "reference: source: holds the control character \\n"));
    EXPECT_FALSE(fs::exists(folder_ / "out"));
  }
  EXPECT_THAT(refused("glidepath study s.toml --out $(printf 'a\\033b')").err,
              HasSubstr("--out \"a\\x1bb\""));
  EXPECT_THAT(refused("glidepath train --config d.toml --schedule \"$(printf 'lin\\near')\"").err,
              HasSubstr("--schedule \"lin\\near\": holds the control character \\n; leave it out"));
}

TEST_F(UntrustedTest, ARunsOwnFilesAndFoldersAreNoLinks) {
  ok("glidepath train --config d.toml --budget 20it --quiet --out run --checkpoint-every 5it");
  fs::remove(folder_ / "run/summary.json");
  fs::create_directory(folder_ / "elsewhere");
  write("elsewhere/step-000000001.safetensors", "precious\n");
  // Names that earlier versions opened, and those that are written.
  for (const char* name : {"summary.json", "summary.json.part", "model.safetensors", "model.safetensors.part",
                           "metrics.jsonl"}) {
    fs::remove(folder_ / "run" / name);
    fs::create_symlink(folder_ / "precious", folder_ / "run" / name);
  }
  fs::create_symlink(folder_ / "precious", folder_ / "run/checkpoint/step-000000020.safetensors.part");
  ok("glidepath train --resume run --quiet");
  EXPECT_EQ(nlohmann::json::parse(read("run/summary.json")).at("status"), "done");
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(folder_ / "run/metrics.jsonl")));
  for (const char* name : {"tensorboard", "checkpoint"}) {
    fs::remove(folder_ / "run/summary.json");
    fs::rename(folder_ / "run" / name, folder_ / name);
    fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "run" / name);
    EXPECT_THAT(refused("glidepath train --resume run --quiet").err,
                HasSubstr(std::string("run/") + name + ": is no folder but a link"));
    fs::remove(folder_ / "run" / name);
    fs::rename(folder_ / name, folder_ / "run" / name);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "elsewhere"), fs::directory_iterator()), 1);
}

TEST_F(UntrustedTest, AUsersOwnLinksAreFollowed) {
  fs::create_directories(folder_ / "scratch");
  fs::create_directory_symlink(folder_ / "scratch", folder_ / "runs");
  ok("glidepath train --config d.toml --quiet --out runs/a");
  fs::create_directory_symlink(folder_ / "scratch/a", folder_ / "b");
  ok("glidepath measure b --what weight-norm");
  fs::remove(folder_ / "scratch/a/summary.json");
  ok("glidepath train --resume b --quiet");
  EXPECT_TRUE(fs::exists(folder_ / "scratch/a/summary.json"));
  write("s.toml", "[base]\n" + kRun + "[grid]\nseed = [1]\n");
  fs::create_directory_symlink(folder_ / "scratch", folder_ / "study");
  ok("glidepath study s.toml --out study --quiet");
  ok("glidepath report study");
  EXPECT_TRUE(fs::exists(folder_ / "scratch/report.html"));
}

TEST_F(UntrustedTest, AReportGoesIntoNoFolderThatALinkLeadsTo) {
  write("s.toml", "[base]\n" + kRun + "budget = \"10%\"\n[grid]\nseed = [1]\n");
  std::string text = read("s.toml");
  text.erase(text.find("budget = \"3it\"\n"), 15);
  write("s.toml", text);
  ok("glidepath study s.toml --out out --quiet");
  fs::create_directory(folder_ / "elsewhere");
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "out/figures");
  EXPECT_THAT(refused("glidepath report out").err, HasSubstr("out/figures: is no folder but a link"));
  EXPECT_TRUE(fs::is_empty(folder_ / "elsewhere"));
  fs::remove(folder_ / "out/figures");
  // A folder's name may be anything that the system takes.
  const std::string odd = "a\nb 'c' \"d\" \xff";
  fs::rename(folder_ / "out", folder_ / odd);
  const ProcessResult report = ok("glidepath report a*");
  EXPECT_THAT(report.out, HasSubstr("a\\nb 'c' \"d\" \\xff/report.html"));
  EXPECT_GT(fs::file_size(folder_ / odd / "figures/fig1.svg"), 1000U);
}

// A pipe that nobody writes, and a file that is nothing but a hole.
TEST_F(UntrustedTest, NothingIsWaitedForAndNoMemoryIsTakenForAHole) {
  ok("glidepath train --config d.toml --quiet --out run");
  fs::rename(folder_ / "run/config.toml", folder_ / "config.toml");
  ASSERT_EQ(::mkfifo((folder_ / "run/config.toml").c_str(), 0600), 0);
  refused("timeout 20 glidepath train --resume run");
  refused("timeout 20 glidepath measure run");
  fs::remove(folder_ / "run/config.toml");
  fs::rename(folder_ / "config.toml", folder_ / "run/config.toml");

  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  for (const char* weights : {"pipe", "/dev/zero", "run"}) {
    EXPECT_THAT(
        refused(std::string("timeout 20 glidepath evaluate --data digits --model mlp --weights ") + weights)
            .err,
        HasSubstr("cannot be read; give a safetensors file"));
  }
  std::string header =
      R"({"fc.weight":{"dtype":"F32","shape":[15000000000],"data_offsets":[0,60000000000]}})";
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
  write("huge.safetensors", length + header);
  fs::resize_file(folder_ / "huge.safetensors", 8 + header.size() + 60'000'000'000);
  EXPECT_THAT(
      refused("timeout 60 glidepath evaluate --data digits --model mlp --weights huge.safetensors").err,
      HasSubstr("its tensors have 60000000000 bytes"));
  fs::rename(folder_ / "huge.safetensors", folder_ / "run/model.safetensors");
  EXPECT_THAT(refused("timeout 60 glidepath measure run").err,
              HasSubstr("its tensors have 60000000000 bytes"));

  write("deep.toml", std::string(2'000'000, 'a'));
  std::string deep;
  for (int i = 0; i < 500'000; ++i) deep += "a.";
  write("deep.toml", deep + "a = 1\n");
  EXPECT_THAT(refused("glidepath train --config deep.toml").err,
              HasSubstr("has a name of more than 500 parts"));
  EXPECT_THAT(refused("glidepath study deep.toml --out out").err,
              HasSubstr("has a name of more than 500 parts"));
  EXPECT_THAT(refused("timeout 20 glidepath train --config /dev/zero").err,
              HasSubstr("/dev/zero: cannot be read"));
  std::string cut;
  for (int i = 0; i < 10'000; ++i) cut += "cut(";
  write("cut.toml", "schedule = \"" + cut + "linear" + std::string(10'000, ')') + "\"\n");
  EXPECT_THAT(refused("glidepath train --config cut.toml").err, HasSubstr("more than 16 parentheses"));
}

// As every shell has it for a word of its own, and no shell for --out=~/x, a quoted word, or a file.
TEST_F(UntrustedTest, TheHomeFolderIsKnownWhereverAPathIsTaken) {
  fs::create_directories(folder_ / "home");
  fs::rename(folder_ / "d.toml", folder_ / "home/d.toml");
  const std::string home = "HOME=" + (folder_ / "home").string() + " ";
  ok(home + "glidepath train --config='~/d.toml' --out='~/run' --quiet");
  EXPECT_TRUE(fs::exists(folder_ / "home/run/summary.json"));
  ok(home + "glidepath measure '~/run' --what weight-norm");
  ok(home + "glidepath evaluate --data digits --model mlp --weights='~/run/model.safetensors'");
  write("home/s.toml", "[base]\n" + kRun + "[grid]\nseed = [1]\n");
  ok(home + "glidepath study '~/s.toml' --out='~/out' --quiet");
  ok(home + "glidepath report '~/out' --out='~/report'");
  EXPECT_TRUE(fs::exists(folder_ / "home/report/report.html"));
  EXPECT_THAT(ok(home + "glidepath watch '~/out' --json").out, HasSubstr("\"done\":1"));
  ok(home + "glidepath schedules --schedule linear --out='~/l.svg'");
  EXPECT_TRUE(fs::exists(folder_ / "home/l.svg"));

  const std::string here = (folder_ / "home").string();
  const std::string nowhere = "data \"imagefolder:" + here + "/photos\": there is nothing at this path";
  EXPECT_THAT(refused(home + "glidepath data info 'imagefolder:~/photos'").err, HasSubstr(nowhere));
  EXPECT_THAT(refused(home + "glidepath data pack 'imagefolder:~/photos' --out p.gpk").err,
              HasSubstr(nowhere));
  EXPECT_THAT(refused(home + "glidepath train --data='imagefolder:~/photos'").err,
              HasSubstr(here + "/photos\": there is nothing"));
  write("home/t.toml", "data = \"imagefolder:~/photos\"\n");
  EXPECT_THAT(refused(home + "glidepath train --config '~/t.toml'").err,
              HasSubstr(here + "/photos\": there is nothing"));
  write("home/t.toml", "data = \"mnist\"\ndata_dir = \"~/data\"\n");
  EXPECT_THAT(refused(home + "glidepath train --config '~/t.toml'").err,
              HasSubstr("is not in " + here + "/data;"));
  EXPECT_THAT(refused(home + "GLIDEPATH_DATA='~/sets' glidepath data info mnist").err,
              HasSubstr("is not in " + here + "/sets or"));
  EXPECT_THAT(refused(home + "glidepath data verify mnist --data-dir='~/data'").err,
              HasSubstr(here + "/data"));

  EXPECT_EQ(
      refused("glidepath train --out='~no-such-user-here/x'").err,
      "glidepath train: --out \"~no-such-user-here/x\": there is no such user, or no home; write ./ before a "
      "name that begins with ~\n");
  ok(home + "glidepath train --config '~/d.toml' --out='./~' --quiet");
  EXPECT_TRUE(fs::exists(folder_ / "~/summary.json"));
}

TEST_F(UntrustedTest, NoHomeIsNoCacheInTheFolderOfTheUser) {
  const ProcessResult result =
      refused("env -u HOME -u XDG_CACHE_HOME -u GLIDEPATH_DATA glidepath data info mnist");
  EXPECT_THAT(result.err, testing::Not(HasSubstr("./.cache")));
  EXPECT_FALSE(fs::exists(folder_ / ".cache"));
}

// JSON is UTF-8, and a folder's name may not be: U+FFFD stands for such bytes.
TEST_F(UntrustedTest, JsonNeverFailsForAName) {
  const auto path = [](const std::string& json, const char* key) {
    return nlohmann::json::parse(json).at(key).get<std::string>();
  };
  EXPECT_EQ(path(ok("glidepath train --config d.toml --json --out $(printf 'r\\377')").out, "out"),
            "r\xEF\xBF\xBD");
  EXPECT_EQ(path(ok("glidepath measure r* --json --what weight-norm").out, "file"),
            "r\xEF\xBF\xBD/model.safetensors");
  ok("glidepath evaluate --data digits --model mlp --json --weights r*/model.safetensors");
  write("s.toml", "[base]\n" + kRun + "[grid]\nseed = [1]\n");
  const std::string study = ok("glidepath study s.toml --quiet --json --out $(printf 's\\377')").out;
  EXPECT_THAT(nlohmann::json::parse(study).at("runs")[0].at("directory").get<std::string>(),
              HasSubstr("s\xEF\xBF\xBD/runs/"));
  EXPECT_EQ(nlohmann::json::parse(ok("glidepath watch $(printf 's\\377') --json").out).at("done"), 1);
  EXPECT_THAT(ok("glidepath report $(printf 's\\377')").out, HasSubstr("s\\xff/report.html"));
  EXPECT_EQ(ok("glidepath schedules").err, "");
}

TEST_F(UntrustedTest, HintsAreCommandsThatAShellTakes) {
  ok("glidepath train --config d.toml --quiet --out 'my run'");
  const std::string told = refused("glidepath train --config d.toml --out 'my run'").err;
  EXPECT_THAT(told, HasSubstr("go on with it by --resume 'my run'"));
  EXPECT_THAT(refused("glidepath data info mnist --data-dir 'my data'").err,
              HasSubstr("glidepath data fetch mnist --data-dir 'my data'"));
}

TEST_F(UntrustedTest, AbsurdTimesAreNoNegativeYears) {
  const ProcessResult dry = ok("glidepath train --config d.toml --budget 1e15it --dry-run");
  EXPECT_THAT(dry.out, HasSubstr("more than 100 years, until after 9999-12-31T23:59:59Z"));
}

}  // namespace
}  // namespace glidepath
