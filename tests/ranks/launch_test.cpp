// tests/ranks/launch_test.cpp - two processes train what one does.
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "data/image_folder.h"
#include "ranks/support.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

// Every update is recorded. 1000 images make a last batch of 104, in parts of 52.
const std::string kCifar =
    "--data cifar10 --train-limit 1000 --test-limit 501 --precision fp32 --threads 1 "
    "--eval-every 1ep --eval-batch-size 100 --full 3ep ";
// 1437 images: the last batch of an epoch has 29, in parts of 15 and 14.
const std::string kDigits = "--data digits --base-lr 0.05 --precision fp32 --threads 1 ";
const std::string kMlp = kDigits + "--model mlp --full 3ep --budget 3ep ";

TEST_F(RanksTest, TwoTimes64IsOneTimes128OnCifar10WithoutBatchNorm) {
  if (!has_cifar()) GTEST_SKIP() << "GLIDEPATH_DATA names no folder with CIFAR-10";
  const std::string model = kCifar + "--model mlp --budget 3ep --base-lr 0.02 ";
  must_train(1, model + "--batch-size 128 --out one");
  must_train(2, model + "--batch-size-per-rank 64 --out two");
  expect_same_curve("one", "two", 2e-5, 0.003);
  EXPECT_EQ(points("one", "train").size(), 24U);
  EXPECT_EQ(summary("one").at("ranks"), 1);
  EXPECT_EQ(summary("two").at("ranks"), 2);
}

TEST_F(RanksTest, TwoTimes64IsOneTimes128OnCifar10WithSynchronisedBatchNorm) {
  if (!has_cifar()) GTEST_SKIP() << "GLIDEPATH_DATA names no folder with CIFAR-10";
  const std::string model = kCifar + "--model resnet8 --width 0.5 --budget 8it --base-lr 0.1 ";
  must_train(1, model + "--batch-size 128 --out one");
  must_train(2, model + "--batch-size 128 --sync-bn true --out two");
  expect_same_curve("one", "two", 2e-4, 0.005);
  // Per rank it is another network, which shows that the tolerance tells one from the other.
  must_train(2, model + "--batch-size 128 --out apart");
  const auto one = points("one", "train"), apart = points("apart", "train");
  double most = 0;
  for (std::size_t i = 0; i < one.size(); ++i)
    most = std::max(most, std::abs(apart.at(i).loss - one[i].loss) / one[i].loss);
  EXPECT_GT(most, 1e-3);
}

TEST_F(RanksTest, PartsThatAreUnequalOrEmptyCountByTheirImages) {
  // 1437 = 11 * 130 + 7: three ranks have 3, 2 and 2 of the last batch; 1437 = 4 * 359 + 1: one has 1.
  for (const std::string batch : {"130", "359"}) {
    for (const std::string norm : {"--model mlp", "--model convnet --sync-bn true --width 0.5"}) {
      SCOPED_TRACE(batch + " " + norm);
      const std::string run = kDigits + norm + " --full 2ep --budget 2ep --batch-size " + batch + " --out " +
                              batch + norm.substr(8, 3);
      must_train(1, run + "one");
      must_train(3, run + "three");
      expect_same_curve(batch + norm.substr(8, 3) + "one", batch + norm.substr(8, 3) + "three", 2e-4, 0.004);
    }
  }
}

// Images are mixed with their neighbours in the whole batch, erased by their places in it, and passed in
// pieces.
TEST_F(RanksTest, MixedAndPassedInPiecesAreThoseOfOneProcess) {
  const std::string run = kMlp + "--batch-size 130 --mixup 0.2 --cutmix 1 --random-erasing 0.25 ";
  must_train(1, run + "--out one");
  must_train(3, run + "--micro-batch 17 --out three");
  expect_same_curve("one", "three", 2e-4, 0.004);
}

/// As numpy.save writes it.
template <typename T>
void write_npy(const std::filesystem::path& file, const char* type, const std::string& shape,
               const std::vector<T>& values) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, shape);
  header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::ofstream stream(file, std::ios::binary);
  stream << "\x93NUMPY" << '\x01' << '\0' << static_cast<char>(header.size() % 256)
         << static_cast<char>(header.size() / 256) << header;
  stream.write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * sizeof(T)));
}

// The later the picture, the fewer of its pixels have a class; a rank's part may have none that has.
TEST_F(RanksTest, PartsOfMasksCountByThePixelsThatHaveAClass) {
  constexpr int kImages = 22, kSide = 16;
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  std::filesystem::create_directories(folder_ / "masks");
  for (const char* split : {"train", "test"}) {
    std::vector<float> images(kImages * 3 * kSide * kSide);
    std::vector<std::uint8_t> masks(kImages * kSide * kSide);
    for (float& value : images) value = normal(random);
    for (std::size_t i = 0; i < masks.size(); ++i)
      masks[i] = random() % kImages < i / (kSide * kSide) ? 255 : static_cast<std::uint8_t>(random() % 3);
    const auto name = [&](const char* what) {
      return folder_ / "masks" / fmt::format("{}_{}.npy", split, what);
    };
    write_npy(name("inputs"), "<f4", fmt::format("{}, 3, {}, {}", kImages, kSide, kSide), images);
    write_npy(name("targets"), "|u1", fmt::format("{}, {}, {}", kImages, kSide, kSide), masks);
  }
  const std::string run =
      "--data tensors:masks --model unet --width 0.1 --batch-size 6 --full 3ep --budget 3ep --base-lr 0.02 "
      "--precision fp32 --threads 1 --eval-every 1ep ";
  must_train(1, run + "--out one");
  must_train(3, run + "--sync-bn true --out three");
  expect_same_curve("one", "three", 2e-4, 0.01);
  EXPECT_EQ(summary("one").at("score"), "test_mean_iou");
  EXPECT_NEAR(summary("one").at("test_mean_iou").get<double>(),
              summary("three").at("test_mean_iou").get<double>(), 0.02);
}

TEST_F(RanksTest, RepeatsToTheLastBit) {
  for (const char* name : {"a", "b"})
    must_train(2, kDigits + "--model convnet --width 0.5 --full 3ep --budget 3ep --out " + name);
  EXPECT_EQ(read("a/model.safetensors"), read("b/model.safetensors"));
  EXPECT_NE(read("a/model.safetensors"), "");
}

TEST_F(RanksTest, GoesOnWithAnotherNumberOfProcesses) {
  const std::string budget =
      "--model mlp --width 4 --augment false --budget 200it --full 200it --checkpoint-every 500it "
      "--eval-every 10it ";
  must_train(1, kDigits + budget + "--out whole");
  for (const auto& [before, after] : {std::pair(1, 2), std::pair(2, 1)}) {
    const std::string run = "from" + std::to_string(before);
    // A run that stops in the middle of its budget, by a signal after its first evaluation.
    const ProcessResult stopped = run_shell(
        "glidepath " + std::string(before > 1 ? "launch -n 2 --threads-per-rank 1 " : "") + "train " +
            kDigits + budget + "--out " + run + " > out.txt 2> err.txt & p=$!; until grep -qs eval " + run +
            "/metrics.jsonl; do sleep 0.02; done; kill -TERM $p; wait $p",
        in_folder());
    EXPECT_EQ(stopped.exit_status, 143) << read("err.txt");
    EXPECT_THAT(read("err.txt"), HasSubstr("go on with: glidepath train --resume " + run));
    EXPECT_LT(points(run, "train").back().step, 200);
    must_train(after, "--resume " + run);
    EXPECT_EQ(points(run, "train").back().step, 200);
    EXPECT_EQ(summary(run).at("updates"), 200);
    EXPECT_EQ(summary(run).at("ranks"), after);
    expect_same_curve("whole", run, 1e-4, 0.004);
  }
}

TEST_F(RanksTest, BudgetsInTimeEndWithTheSameUpdatesAndLand) {
  const ProcessResult result =
      train(2, "--data digits --model convnet --width 0.5 --budget 8s --threads 1 --out timed");
  ASSERT_EQ(result.exit_status, 0) << result.err;
  const auto told = summary("timed");
  // Had one process made another number of updates, the other would still wait for it.
  EXPECT_GT(told.at("updates"), 10);
  EXPECT_EQ(told.at("final_lr"), 0);
  EXPECT_LT(told.at("last_update_lr").get<double>(), 0.1 * 0.02);
  EXPECT_LT(told.at("seconds").get<double>(), 16);
}

TEST_F(RanksTest, RankZeroAloneSpeaksAndWrites) {
  const ProcessResult result = run_shell("glidepath launch -n 2 train " + kMlp + "--out run", in_folder());
  ASSERT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(result.out.find("test accuracy"), result.out.rfind("test accuracy"));
  EXPECT_THAT(result.out, HasSubstr("2 processes of"));
  const ProcessResult again = run_shell("glidepath launch -n 2 train " + kMlp + "--out run", in_folder());
  EXPECT_EQ(again.exit_status, 2);
  EXPECT_THAT(again.err, HasSubstr("run"));
  EXPECT_EQ(std::count(again.err.begin(), again.err.end(), '\n'), 1) << again.err;
  for (const char* epoch : {"epoch    1.00", "epoch    3.00"}) {
    EXPECT_NE(result.err.find(epoch), std::string::npos);
    EXPECT_EQ(result.err.find(epoch), result.err.rfind(epoch));
  }
}

TEST_F(RanksTest, WrongInputIsToldOnce) {
  for (const std::string wrong :
       {"--batch-size 0", "--no-such-flag 1", "--model nothing", "--scale-lr cubic"}) {
    SCOPED_TRACE(wrong);
    const ProcessResult result = train(2, "--data digits " + wrong + " --out run");
    EXPECT_EQ(result.exit_status, 2);
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

TEST_F(RanksTest, ScalesTheRateWhenAskedAlone) {
  must_train(2, kDigits + "--model mlp --budget 2it --batch-size-per-rank 256 --out plain");
  must_train(2,
             kDigits + "--model mlp --budget 2it --batch-size-per-rank 256 --scale-lr linear --out linear");
  must_train(2, kDigits +
                    "--model mlp --budget 2it --batch-size-per-rank 256 --scale-lr sqrt --reference-batch "
                    "128 --out sqrt");
  EXPECT_DOUBLE_EQ(points("plain", "train").front().lr, 0.05);
  EXPECT_DOUBLE_EQ(points("linear", "train").front().lr, 0.2);
  EXPECT_DOUBLE_EQ(points("sqrt", "train").front().lr, 0.1);
}

// Of the test images one damaged file falls to each rank; of the training images all are met in two epochs.
TEST_F(RanksTest, CorruptImagesAreThoseOfAllRanks) {
  const ImageFolder images(16);
  for (const char* name :
       {"train/cat/101", "train/cat/106", "train/dog/103", "train/dog/112", "val/cat/100", "val/dog/105"})
    ASSERT_NE(images.damage(name, 0), "no such file");
  const std::string run =
      "--data " + images.data() +
      " --model resnet8 --width 0.25 --train-res 32 --batch-size 8 --budget 8it --full 8it "
      "--precision fp32 --threads 1 ";
  const ProcessResult one = train(1, run + "--max-corrupt 4 --out one");
  const ProcessResult two = train(2, run + "--max-corrupt 4 --out two");
  ASSERT_EQ(two.exit_status, 0) << two.err;
  const auto lines = [](const std::string& text) {
    std::istringstream stream(text);
    std::multiset<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.insert(line);
    return lines;
  };
  EXPECT_EQ(lines(two.err), lines(one.err));
  EXPECT_EQ(lines(two.err).size(), 6U) << two.err;
  EXPECT_EQ(summary("two").at("corrupt_images"), nlohmann::json({{"train", 4}, {"test", 2}}));

  // Less than all of them, and more than either rank meets alone.
  const ProcessResult past = train(2, run + "--max-corrupt 3 --out past");
  EXPECT_EQ(past.exit_status, 1);
  EXPECT_EQ(std::count(past.err.begin(), past.err.end(), '\n'), 4) << past.err;
  EXPECT_THAT(past.err,
              HasSubstr("with it 4 training image(s) cannot be decoded, and max_corrupt \"3\" allows 3"));
}

TEST_F(RanksTest, MeasuresAreThoseOfOneProcess) {
  const std::string run = kMlp + "--measure grad-norm,weight-norm,effective-lr,grad-norm-online ";
  must_train(1, run + "--out one");
  must_train(2, run + "--out two");
  const auto one = records_of(folder_ / "one", "measure"), two = records_of(folder_ / "two", "measure");
  ASSERT_EQ(one.size(), two.size());
  ASSERT_FALSE(one.empty());
  for (std::size_t i = 0; i < one.size(); ++i) {
    for (const auto& [key, value] : one[i].items()) {
      if (!value.is_number() || key == "seconds") continue;
      const double expected = value;
      EXPECT_NEAR(expected, two[i].at(key).get<double>(), 2e-2 * std::abs(expected) + 1e-6)
          << key << " " << i;
    }
  }
}

// Rank 0's instruments look at batches between an update's sums and its step: no norm of theirs adds up then.
TEST_F(RanksTest, MeasuresOnTheWayWithSynchronisedNorms) {
  const std::string run =
      "--model convnet --width 0.25 --budget 12it --full 12it --sync-bn true "
      "--measure 'grad-norm-online(peek=3)@every=4it' ";
  must_train(2, run + "--out two");
  EXPECT_GE(records_of(folder_ / "two", "measure").size(), 2U);
}

/// A line of sh that starts `command` as every rank of a job of mpirun's, and leaves RANK.err and
/// RANK.status.
std::string as_mpirun(int ranks, const std::string& command) {
  const std::string n = std::to_string(ranks);
  return "for r in $(seq 0 " + std::to_string(ranks - 1) +
         "); do ( export OMPI_COMM_WORLD_RANK=$r OMPI_COMM_WORLD_LOCAL_RANK=$r OMPI_COMM_WORLD_SIZE=" + n +
         " OMPI_COMM_WORLD_LOCAL_SIZE=" + n + " PMIX_NAMESPACE=$(basename $top); " + command +
         " 2> $top/$r.err; echo $? > $top/$r.status ) & done; wait";
}

// Many runs, one a task, became one run of them all, and only one folder was there.
TEST_F(RanksTest, ProcessesThatWereGivenDifferentRunsAreNotOne) {
  const std::string farm =
      "glidepath train --data digits --model mlp --budget 3it --threads 1 --quiet --seed $r --out runs/$r";
  shell("top=$PWD; " + as_mpirun(3, farm));
  for (const char* rank : {"0", "1", "2"}) EXPECT_EQ(read(std::string(rank) + ".status"), "2\n") << rank;
  EXPECT_THAT(read("0.err"),
              testing::MatchesRegex(
                  "glidepath train: --seed: \"0\" on rank 0 and \"1\" on rank 1 [^;]*; mpirun "
                  "started these 3 processes as one job, which makes one run: give all the same options, or "
                  "--alone for a run of each process's own\n"));
  EXPECT_EQ(read("1.err") + read("2.err"), "");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
  shell("top=$PWD; " + as_mpirun(3, farm + " --alone"));
  for (const char* rank : {"0", "1", "2"}) {
    EXPECT_EQ(read(std::string(rank) + ".status"), "0\n") << read(std::string(rank) + ".err");
    EXPECT_EQ(summary(std::string("runs/") + rank).at("seed"), std::stoi(rank));
    EXPECT_EQ(summary(std::string("runs/") + rank).at("ranks"), 1);
  }
}

// Of each machine the folder of that name, which are not the same.
TEST_F(RanksTest, DataThatDifferFromRankToRankAreRefused) {
  const ImageFolder many(8), few(6);
  for (const auto& [name, images] : {std::pair("0", &many), std::pair("1", &few)}) {
    std::filesystem::create_directory(folder_ / name);
    std::filesystem::create_symlink(images->path(), folder_ / name / "images");
  }
  shell("top=$PWD; " +
        as_mpirun(2,
                  "cd $r; glidepath train --data imagefolder:images --model resnet8 --width 0.25 "
                  "--train-res 32 --batch-size 4 --budget 2it --full 2it --threads 1 --quiet"));
  for (const char* rank : {"0", "1"})
    EXPECT_EQ(read(std::string(rank) + ".status"), "2\n") << read("0.err") << read("1.err");
  EXPECT_THAT(read("0.err"),
              testing::AllOf(HasSubstr("training images: \"16\" on rank 0 and \"12\" on rank 1"),
                             HasSubstr("the same configuration and data set")));
}

// The rank that has no image stands in with one that does not count: 0 / 0 made running variances of no
// number.
TEST_F(RanksTest, ALastBatchOfOneImageIsThatOfOneProcess) {
  const std::string run = kDigits +
                          "--model resnet18 --width 0.125 --train-limit 17 --test-limit 20 --batch-size 16 "
                          "--full 2ep --budget 2ep --out ";
  must_train(1, run + "one");
  must_train(2, run + "two --sync-bn true");
  expect_same_curve("one", "two", 2e-3, 0.06);
  must_train(2, run + "apart");
  EXPECT_EQ(summary("apart").at("status"), "done");
}

TEST_F(RanksTest, ShareTheCoresTheyMayUse) {
  if (shell("command -v taskset").exit_status != 0) GTEST_SKIP() << "taskset is not installed";
  const std::string run = "train --data digits --model mlp --budget 3it --quiet --out ";
  ASSERT_EQ(shell("taskset -c 0 glidepath launch -n 2 " + run + "launched").exit_status, 0);
  EXPECT_EQ(summary("launched").at("threads"), 1);
  ASSERT_EQ(shell("top=$PWD; " + as_mpirun(2, "taskset -c 0 glidepath " + run + "bound")).exit_status, 0);
  EXPECT_EQ(summary("bound").at("threads"), 1);
}

}  // namespace
}  // namespace glidepath
