// tests/data/images/open_images_test.cpp - the form of the images at a path is found by looking.
#include "data/images/open_images.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../stores/store_support.h"
#include "data/stores/pack_file_writer.h"

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
  PackFileWriter writer(folder_ / "pack", "", {"ant"});
  for (const auto split : {PackFileWriter::kTrain, PackFileWriter::kTrain, PackFileWriter::kVal}) {
    writer.add(split, {{'x'}, false, 1, 1}, 0, "an image");
  }
  writer.finish();
  EXPECT_EQ(count_training_images(folder_ / "pack"), 2);
  EXPECT_THAT(open_images(folder_ / "pack").val->name(0), HasSubstr("pack: an image"));
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

TEST_F(OpenImages, KnowsImageNetByItsTrainingTar) {
  write(folder_ / "ILSVRC2012_img_train.tar", "");
  EXPECT_THAT(refusal([&] { open_images(folder_); }), HasSubstr("ILSVRC2012_img_val.tar: missing"));
}

}  // namespace
}  // namespace glidepath
