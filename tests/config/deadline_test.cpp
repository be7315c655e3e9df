// tests/config/deadline_test.cpp - points in time, and Slurm's time limit told by the environment and by
// squeue.
#include "budget/deadline.h"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "glidepath/train_config.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// Sets a variable of the environment, or unsets it, for one test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    const char* before = std::getenv(name);
    had_ = before != nullptr;
    if (had_) before_ = before;
    if (value != nullptr) {
      ::setenv(name, value, 1);
    } else {
      ::unsetenv(name);
    }
    ::tzset();
  }
  ~Variable() {
    if (had_) {
      ::setenv(name_, before_.c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
    ::tzset();
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  bool had_;
  std::string before_;
};

// Seconds from `date -u -d 2026-12-01T06:00 +%s`.
constexpr double kSixUtc = 1796104800;

TEST(Deadline, ReadsUtcOffsetsAndLocalTime) {
  const Variable zone("TZ", "CET-1CEST,M3.5.0,M10.5.0/3");
  struct Case {
    const char* text;
    double seconds;
  };
  for (const Case& c : {Case{"2026-12-01T06:00Z", kSixUtc},
                        {"2026-12-01T06:00:30Z", kSixUtc + 30},
                        {"2026-12-01T07:00+01:00", kSixUtc},
                        {"2026-12-01T01:00-0500", kSixUtc},
                        {"2026-12-01T07:00", kSixUtc},  // winter
                        {"2026-12-01 07:00:00", kSixUtc},
                        {"2026-07-01T08:00", kSixUtc - 153 * 86400},  // summer: 06:00 UTC, 153 days before
                        {" 2024-02-29T00:00Z", 1709164800}}) {
    EXPECT_EQ(parse_deadline(c.text), c.seconds) << c.text;
    EXPECT_EQ(parse_deadline(deadline_text(c.seconds)), c.seconds);
  }
  EXPECT_EQ(deadline_text(kSixUtc + 0.9), "2026-12-01T06:00:00Z");
}

TEST(Deadline, RefusesWhatIsNoTime) {
  const Variable zone("TZ", "CET-1CEST,M3.5.0,M10.5.0/3");
  for (const char* text :
       {"", "6pm", "2026-12-01", "2026-12-01T6:00", "2026-13-01T06:00Z", "2026-02-30T06:00Z",
        "2026-12-01T24:00Z", "2026-12-01T06:60Z", "2026-12-01T06:00:61Z", "2026-12-01T06:00z",
        "2026-12-01T06:00+1", "2026-12-01T06:00+99:00", "2026-12-01T06:00Zx", "2026-03-29T02:30"}) {
    EXPECT_THROW(parse_deadline(text), InputError) << text;
  }
  try {
    parse_deadline("tomorrow");
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "\"tomorrow\": not a date and time; give a time such as 2026-12-01T06:00 (local) or "
                 "2026-12-01T06:00Z");
  }
}

TEST(Deadline, EndsWithTheYearsThatItCanBeWrittenIn) {
  EXPECT_EQ(deadline_text(253402300799), "9999-12-31T23:59:59Z");
  EXPECT_EQ(deadline_text(253402300800), "after 9999-12-31T23:59:59Z");
  EXPECT_EQ(deadline_text(1e300), "after 9999-12-31T23:59:59Z");
  EXPECT_THROW(parse_deadline("9999-12-31T23:59-14:00"), InputError);
  EXPECT_THROW(parse_deadline("0000-01-01T00:00+14:00"), InputError);
  EXPECT_EQ(parse_deadline("9999-12-31T23:59:59Z"), 253402300799);
}

TEST(Deadline, IsKeptInUtcByAConfiguration) {
  const Variable zone("TZ", "CET-1CEST,M3.5.0,M10.5.0/3");
  TrainConfig config;
  set_config_value(config, "deadline", "2026-12-01T07:00");
  EXPECT_EQ(config.deadline, "2026-12-01T06:00:00Z");
  EXPECT_EQ(parse_train_config(to_toml(config), "config.toml").deadline, config.deadline);
  try {
    set_config_value(config, "deadline", "noon");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("deadline \"noon\": not a date and time"));
  }
}

TEST(Slurm, TellsItsEndByTheEnvironment) {
  const Variable end("SLURM_JOB_END_TIME", "1796104800");
  EXPECT_EQ(slurm_end_seconds(), kSixUtc);
}

class FakeSqueue : public testing::Test {
 protected:
  FakeSqueue()
      : end_("SLURM_JOB_END_TIME", nullptr),
        job_("SLURM_JOB_ID", "4711"),
        zone_("TZ", "UTC"),
        path_("PATH", (folder_.path().string() + ":/usr/bin:/bin").c_str()) {}
  /// A squeue that answers so when it is asked as the real one is.
  void answers(const std::string& text, int status = 0) {
    std::ofstream(folder_.path() / "squeue") << "#!/bin/sh\n[ \"$*\" = '-h -j 4711 -o %e' ] || exit 9\necho '"
                                             << text << "'\nexit " << status << "\n";
    fs::permissions(folder_.path() / "squeue", fs::perms::owner_all);
  }

 private:
  const TemporaryFolder folder_{"squeue"};
  Variable end_, job_, zone_, path_;
};

TEST_F(FakeSqueue, IsAskedWhereTheEnvironmentDoesNotTell) {
  answers("2026-12-01T06:00:00");
  EXPECT_EQ(slurm_end_seconds(), kSixUtc);
}

// As the real one, it tells times in the zone and the form that its environment asks for.
TEST_F(FakeSqueue, IsAskedInUtcWhateverTheUsersEnvironmentSays) {
  const Variable zone("TZ", "America/New_York"), form("SLURM_TIME_FORMAT", "relative"),
      format("SQUEUE_FORMAT", "%A"), locale("LC_ALL", "de_DE.UTF-8");
  answers("'$(test -z \"$SLURM_TIME_FORMAT$SQUEUE_FORMAT\" && date -d @1796104800 +%Y-%m-%dT%H:%M:%S)'");
  EXPECT_EQ(slurm_end_seconds(), kSixUtc);
}

TEST_F(FakeSqueue, AJobWithoutALimitIsRefused) {
  answers("N/A");
  EXPECT_THROW(slurm_end_seconds(), InputError);
}

TEST_F(FakeSqueue, AnAnswerThatIsNoTimeIsNoMissingLimit) {
  answers("Tomorr 06:00");
  EXPECT_THROW(slurm_end_seconds(), RunError);
}

TEST_F(FakeSqueue, ASqueueThatFailsIsAFailure) {
  answers("slurm_load_jobs error", 1);
  EXPECT_THROW(slurm_end_seconds(), RunError);
}

TEST_F(FakeSqueue, AJobNumberThatIsNoneRunsNothing) {
  const Variable job("SLURM_JOB_ID", "1; touch /tmp/owned");
  EXPECT_THROW(slurm_end_seconds(), InputError);
}

TEST(Slurm, OutsideAJobIsSaid) {
  const Variable end("SLURM_JOB_END_TIME", nullptr), job("SLURM_JOB_ID", nullptr);
  EXPECT_THROW(slurm_end_seconds(), InputError);
}

TEST(Slurm, LeavesTimeBeforeTheLimit) {
  EXPECT_EQ(slurm_deadline(1000, 0), 980);           // 2 %
  EXPECT_EQ(slurm_deadline(100, 0), 90);             // at least 10 s
  EXPECT_EQ(slurm_deadline(86400, 0), 86400 - 120);  // at most 2 min
}

}  // namespace
}  // namespace glidepath
