// tests/ranks/clocks_test.cpp - ranks whose clocks and disks differ do the same all the same.
#include <sstream>

#include <gmock/gmock.h>

#include "ranks/support.h"

namespace glidepath {
namespace {

// A save that is due by the clock came at another update on each rank, and the job broke down there.
TEST_F(RanksTest, SavesByTheClock) {
  must_train(2,
             "--data digits --model mlp --budget 300it --full 300it --threads 1 --checkpoint-every 0.2s "
             "--out seconds");
  EXPECT_EQ(points("seconds", "train").back().step, 300);
  must_train(2,
             "--data digits --model convnet --width 0.5 --budget 8s --threads 1 --checkpoint-every 0.5s "
             "--eval-every 20% --measure weight-norm@every=10% --out timed");
  EXPECT_EQ(summary("timed").at("status"), "done");
}

// Resumed, rank 0 knows when the run was last saved and the others are told nothing of it.
TEST_F(RanksTest, SavesByTheClockAfterAResume) {
  const std::string run =
      "--data digits --model mlp --budget 500it --full 500it --threads 1 "
      "--checkpoint-every 0.2s --out run";
  const ProcessResult stopped =
      shell("glidepath launch -n 2 --threads-per-rank 1 train --quiet " + run +
            " 2> err.txt & p=$!; until ls run/checkpoint/step-* > ls.txt 2>&1; do sleep 0.02; done; "
            "kill -TERM $p; wait $p");
  EXPECT_EQ(stopped.exit_status, 143) << read("err.txt");
  must_train(2, "--resume run");
  EXPECT_EQ(points("run", "train").back().step, 500);
}

// Clocks, disks, signals and starts of every rank at random; budgets, evaluations, checkpoints and measures
// by updates, by share and by the clock, "5m" among them. What the ranks came to has to be the same, to the
// bit.
TEST_F(RanksTest, AgreeWhateverTheirClocksAndDisksSay) {
  constexpr int kRanks = 3, kSeeds = 40;
  ProcessOptions options = in_folder();
  options.environment = {{"OMPI_COMM_WORLD_SIZE", std::to_string(kRanks)},
                         {"OMPI_COMM_WORLD_LOCAL_SIZE", std::to_string(kRanks)},
                         {"PMIX_NAMESPACE", "odd"},
                         {"TMPDIR", folder_.string()}};
  const ProcessResult result = run_shell(
      "p=; for r in 0 1 2; do OMPI_COMM_WORLD_RANK=$r OMPI_COMM_WORLD_LOCAL_RANK=$r " ODD_RANK " 1 " +
          std::to_string(kSeeds) +
          " runs > $r.txt 2> $r.err & p=\"$p $!\"; done; "
          "for each in $p; do wait $each || exit 1; done",
      options);
  EXPECT_EQ(result.exit_status, 0) << read("0.txt") << read("0.err") << read("1.txt") << read("1.err");
  EXPECT_EQ(read("1.txt"), read("0.txt"));
  EXPECT_EQ(read("2.txt"), read("0.txt"));
  EXPECT_THAT(read("0.txt"), testing::HasSubstr("seed " + std::to_string(kSeeds) + ": "));
  EXPECT_THAT(read("0.txt"), testing::HasSubstr("stopped, then "));
}

}  // namespace
}  // namespace glidepath
