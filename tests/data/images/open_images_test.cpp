// tests/data/images/open_images_test.cpp - the form of the images at a path is found by looking.
#include "data/images/open_images.h"

#include <set>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../stores/store_support.h"
#include "data/packs/pack_file_writer.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;

class OpenImages : public StoreTest {};

TEST_F(OpenImages, TellsShardsInTrainFromClassFoldersThere) {
  for (const char* split : {"train", "val"}) {
    fs::create_directories(folder_ / split);
    python(std::string("with tarfile.open('") + split +
           "/0.tar', 'w') as t:\n"
           "    for n, s in (('1.jpg', 'one'), ('1.cls', '2')):\n"
           "        i = tarfile.TarInfo(n); i.size = len(s); t.addfile(i, io.BytesIO(s.encode()))\n");
  }
  EXPECT_EQ(open_images(folder_).train->label(0), 2);
  EXPECT_THAT(open_images(folder_).train->name(0), HasSubstr("train/0.tar: 1.jpg"));
  EXPECT_EQ(count_training_images(folder_), 1);
}

TEST_F(OpenImages, KnowsAPackWhateverItIsCalled) {
  PackFileWriter writer(folder_ / "pack", "", {"ant", "bee"});
  for (const auto split : {PackFileWriter::kTrain, PackFileWriter::kTrain, PackFileWriter::kVal}) {
    writer.add(split, {{'x'}, false, 1, 1}, 0, "an image");
  }
  writer.finish();
  EXPECT_EQ(count_training_images(folder_ / "pack"), 2);
  EXPECT_THAT(open_images(folder_ / "pack").val->name(0), HasSubstr("pack: an image"));
}

TEST_F(OpenImages, RefusesAPackOfOneClass) {
  PackFileWriter writer(folder_ / "pack", "", {"ant"});
  for (const auto split : {PackFileWriter::kTrain, PackFileWriter::kVal})
    writer.add(split, {{'x'}, false, 1, 1}, 0, "1");
  writer.finish();
  EXPECT_THAT(refusal([&] { open_images(folder_ / "pack"); }), HasSubstr("has one class alone"));
}

// train.tar beside train/, notes.tar and a tar for each class in it: good class folders are used, and these
// named.
TEST_F(OpenImages, FoldersWithImagesWinOverLeftoverTars) {
  for (const char* file :
       {"train/ant/1.jpg", "train/bee/1.jpg", "val/ant/1.jpg", "val/bee/1.jpg", "train/notes.tar",
        "train/ant.tar", "train.tar", "val.tar.gz", "ILSVRC2012_img_train.tar", "archive.tar"}) {
    fs::create_directories((folder_ / file).parent_path());
    write(folder_ / file, "x");
  }
  const ImageCollection images = open_images(folder_);
  EXPECT_EQ(images.train->size(), 2);
  EXPECT_THAT(images.notes, testing::ElementsAre(
                                "ILSVRC2012_img_train.tar, train.tar, train/ant.tar and 2 more passed by, as "
                                "there are class folders with images"));
  // Folders without an image are what is left of unpacking, or a start of it.
  for (const char* file : {"train/ant/1.jpg", "train/bee/1.jpg", "ILSVRC2012_img_train.tar"})
    fs::remove(folder_ / file);
  EXPECT_THAT(refusal([&] { open_images(folder_); }), HasSubstr("train.tar: at byte 0: "));
}

TEST_F(OpenImages, SplitsAFolderOfClasses) {
  for (int i = 0; i < 50; ++i) {
    for (const char* name : {"ant", "bee"}) {
      if (name[0] == 'b' && i >= 5) continue;
      fs::create_directories(folder_ / "all" / name);
      write(folder_ / "all" / name / fmt::format("{:02}.jpg", i), "x");
    }
  }
  const fs::path root = folder_ / "all";
  EXPECT_EQ(refusal([&] { open_images(root); }), "data \"imagefolder:" + root.string() +
                                                     "\": holds class folders (ant, bee) and no train/ and "
                                                     "val/; to have a part of every class kept for tests, "
                                                     "give --split 80/20");
  EXPECT_EQ(refusal([&] { require_images(root); }), refusal([&] { open_images(root); }));
  ImageChoice choice;
  choice.split = "80/10/10";
  const auto names = [](const ImageStore& store) {
    std::set<std::string> found;
    for (std::int64_t i = 0; i < store.size(); ++i) found.insert(store.local_name(i));
    return found;
  };
  const ImageCollection images = open_images(root, choice);
  EXPECT_EQ(images.train->size(), 40 + 3);
  EXPECT_EQ(images.val->size(), 5 + 1);
  EXPECT_EQ(images.tested_on, "val");
  EXPECT_THAT(images.notes, testing::ElementsAre(
                                "split 80/10/10 by class: 43 images to train on, 6 to test on (val), 6 that "
                                "are not looked at (--test-on test)"));
  choice.test_on = "test";
  const ImageCollection last = open_images(root, choice);
  std::set<std::string> all = names(*images.train);
  EXPECT_EQ(names(*last.train), all);
  for (const auto& part : {names(*images.val), names(*last.val)}) all.insert(part.begin(), part.end());
  EXPECT_EQ(all.size(), 55U) << "every image once";
  for (std::int64_t i = 0; i < last.val->size(); ++i)
    EXPECT_EQ(last.val->label(i), last.val->local_name(i).rfind("bee/", 0) == 0 ? 1 : 0);

  // The same wherever the folder lies, and nearly the same when it gains an image; another with another seed.
  choice.test_on = "auto";
  fs::rename(root, folder_ / "moved");
  EXPECT_EQ(names(*open_images(folder_ / "moved", choice).val), names(*images.val));
  write(folder_ / "moved/ant/99.jpg", "x");
  const auto grown = names(*open_images(folder_ / "moved", choice).val);
  std::vector<std::string> kept;
  for (const std::string& name : names(*images.val)) {
    if (grown.count(name) != 0) kept.push_back(name);
  }
  EXPECT_GE(kept.size(), 5U);
  choice.split = "80/10/10@7";
  EXPECT_NE(names(*open_images(folder_ / "moved", choice).val), grown);
}

TEST_F(OpenImages, SplitsATrainFolderThatHasNothingBesideIt) {
  for (const char* file : {"train/ant/1.jpg", "train/ant/2.jpg", "train/bee/1.jpg", "train/bee/2.jpg"}) {
    fs::create_directories((folder_ / file).parent_path());
    write(folder_ / file, "x");
  }
  ImageChoice choice;
  choice.split = "50/50";
  EXPECT_EQ(open_images(folder_, choice).val->size(), 2);
  choice.split = "80/10/10";
  EXPECT_EQ(refusal([&] { open_images(folder_, choice); }),
            "split \"80/10/10\": class ant has 2 image(s), and each of 3 parts needs one");
  choice.split = "50/50";
  choice.test_on = "test";
  EXPECT_EQ(refusal([&] { open_images(folder_, choice); }),
            "test_on \"test\": the split 50/50 has val alone");
  choice.test_on = "auto";
  fs::create_directories(folder_ / "val");
  fs::copy(folder_ / "train", folder_ / "val", fs::copy_options::recursive);
  EXPECT_EQ(refusal([&] { open_images(folder_, choice); }),
            "split \"50/50\": " + folder_.string() +
                " has splits of its own, of which val is tested on; leave it out");
}

TEST_F(OpenImages, SaysThatAFolderCannotBeLookedInto) {
  fs::create_directories(folder_ / "train");
  fs::permissions(folder_, fs::perms::none);
  const uid_t self = geteuid();
  constexpr uid_t kNobody = 65534;  // the superuser may read everything
  ASSERT_TRUE(self != 0 || seteuid(kNobody) == 0);
  const std::string message = refusal([&] { open_images(folder_); });
  ASSERT_TRUE(self != 0 || seteuid(self) == 0);
  fs::permissions(folder_, fs::perms::owner_all);
  EXPECT_EQ(message, "data \"imagefolder:" + folder_.string() + "\": cannot be read: Permission denied");
}

// Whoever may not list a folder may use what is in it, and knows the names.
TEST_F(OpenImages, TakesSplitsOfAFolderThatCannotBeListed) {
  for (const char* file : {"train/ant/1.jpg", "train/bee/1.jpg", "valid/ant/1.jpg", "valid/bee/1.jpg"}) {
    fs::create_directories((folder_ / file).parent_path());
    write(folder_ / file, "x");
  }
  fs::permissions(folder_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  const uid_t self = geteuid();
  constexpr uid_t kNobody = 65534;  // the superuser may read everything
  if (self == 0) {
    ASSERT_EQ(seteuid(kNobody), 0);
  } else {
    fs::permissions(folder_, fs::perms::owner_exec);
  }
  std::string tested_on;
  const std::string message = refusal([&] { tested_on = open_images(folder_).tested_on; });
  ASSERT_TRUE(self != 0 || seteuid(self) == 0);
  fs::permissions(folder_, fs::perms::owner_all);
  EXPECT_EQ(tested_on, "valid") << message;
}

TEST_F(OpenImages, KnowsImageNetByItsTrainingTar) {
  write(folder_ / "ILSVRC2012_img_train.tar", "");
  EXPECT_THAT(refusal([&] { open_images(folder_); }), HasSubstr("ILSVRC2012_img_val.tar: missing"));
}

}  // namespace
}  // namespace glidepath
