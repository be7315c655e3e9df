// tests/data/images/folder_store_test.cpp - class folders: their order, and everything that is wrong with
// one.
#include "data/images/folder_store.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/images/open_images.h"
#include "glidepath/error.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class FolderStoreTest : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& bytes = "bytes") const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file, std::ios::binary) << bytes;
  }
  std::string message() const {
    try {
      open_images(root_);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  std::string at(const std::string& name) const { return (root_ / name).string(); }

  const TemporaryFolder temporary_{"folders"};
  fs::path root_ = temporary_.path();
};

std::vector<std::string> names_of(const ImageStore& store, const fs::path& root) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < store.size(); ++i)
    names.push_back(fs::path(store.name(i)).lexically_relative(root).string());
  return names;
}

// The order is what torchvision 0.14's ImageFolder(...).samples gives for these names: classes by name, then
// folders by path, then files by name, all by code points (capitals first).
TEST_F(FolderStoreTest, IsInTheOrderOfTorchvision) {
  for (const char* file :
       {"train/dog/b.jpg", "train/dog/B.JPEG", "train/dog/a.PNG", "train/cat/sub/0.jpg", "train/cat/z.png",
        "train/cat/sub-a/1.jpg", "train/Zebra/1.jpg", "val/dog/1.jpg", "val/cat/1.jpg", "val/Zebra/1.jpg",
        "train/dog/notes.txt", "train/dog/.hidden.jpg", "train/.cache/x.jpg"})
    write(file, file);
  const ImageCollection images = open_images(root_);
  EXPECT_THAT(images.class_names, testing::ElementsAre("Zebra", "cat", "dog"));
  EXPECT_THAT(names_of(*images.train, root_ / "train"),
              testing::ElementsAre("Zebra/1.jpg", "cat/z.png", "cat/sub/0.jpg", "cat/sub-a/1.jpg",
                                   "dog/B.JPEG", "dog/a.PNG", "dog/b.jpg"));
  EXPECT_EQ(images.val->size(), 3);
  for (const std::int64_t index : {0, 1, 3, 4})
    EXPECT_EQ(images.train->label(index), index == 0 ? 0 : index < 4 ? 1 : 2);
  std::vector<unsigned char> buffer;
  const StoredImage image = images.train->read(3, buffer);
  EXPECT_EQ(image.kind, StoredImage::Kind::kFile);
  EXPECT_EQ(std::string(image.data, image.data + image.bytes), "train/cat/sub-a/1.jpg");
}

TEST_F(FolderStoreTest, FollowsLinksAndRefusesLoops) {
  write("elsewhere/1.jpg");
  write("val/cat/1.jpg");
  fs::create_directories(root_ / "train");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "train/cat");
  fs::create_symlink(root_ / "nowhere.jpg", root_ / "elsewhere/2.jpg");  // leads to nothing: left out
  EXPECT_EQ(open_images(root_).train->size(), 1);
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "elsewhere/again");
  EXPECT_EQ(message(), at("train/cat/again") + ": is a link to a folder that it is in");
}

TEST_F(FolderStoreTest, TakesTheOtherNamesOfTheValidationSplit) {
  write("train/cat/1.jpg");
  EXPECT_EQ(message(), root_.string() +
                           ": has a folder train/ and no val/ (or validation/, or test/); a run is "
                           "tested on its images");
  write("test/cat/1.jpg");
  EXPECT_EQ(open_images(root_).val->name(0), at("test/cat/1.jpg"));
  write("validation/cat/1.jpg");
  EXPECT_EQ(open_images(root_).val->name(0), at("validation/cat/1.jpg"));
  write("val/cat/1.jpg");
  EXPECT_EQ(open_images(root_).val->name(0), at("val/cat/1.jpg"));
}

TEST_F(FolderStoreTest, NamesWhatIsMissing) {
  EXPECT_THAT(message(), testing::StartsWith("data \"imagefolder:" + root_.string() +
                                             "\": must hold folders "
                                             "train/ and val/ with one folder of images for each class"));
  fs::create_directories(root_ / "train");
  write("val/cat/1.jpg");
  EXPECT_EQ(message(), at("train") + ": has no folder; there must be one for each class");
  write("train/cat/1.jpg");
  write("train/dog/1.jpg");
  EXPECT_EQ(message(),
            at("train/dog") + ": there is no such class in " + at("val") + "; both need the same classes");
  write("val/dog/readme.txt");
  EXPECT_EQ(message(), at("val/dog") + ": has no image; a class needs files ending in .jpg, .jpeg or .png");
  root_ /= "nothing";
  EXPECT_EQ(message(), "data \"imagefolder:" + root_.string() + "\": there is nothing at this path");
}

TEST_F(FolderStoreTest, AFileThatHasGoneIsNamed) {
  write("train/cat/1.jpg");
  write("val/cat/1.jpg");
  const ImageCollection images = open_images(root_);
  fs::remove(root_ / "train/cat/1.jpg");
  std::vector<unsigned char> buffer;
  try {
    images.train->read(0, buffer);
    FAIL();
  } catch (const RunError& error) {
    EXPECT_EQ(std::string(error.what()),
              at("train/cat/1.jpg") + ": cannot be read: No such file or directory");
  }
}

// A file with a hole of gigabytes takes no room on the disk, and all of the memory.
TEST_F(FolderStoreTest, RefusesToReadAFileOfGigabytes) {
  write("train/cat/1.jpg");
  write("val/cat/1.jpg");
  fs::resize_file(root_ / "train/cat/1.jpg", (std::uintmax_t{2} << 30) + 1);
  const ImageCollection images = open_images(root_);
  std::vector<unsigned char> buffer;
  try {
    images.train->read(0, buffer);
    FAIL();
  } catch (const RunError& error) {
    EXPECT_EQ(error.what(), at("train/cat/1.jpg") + ": has more than 2147483648 bytes");
  }
}

TEST_F(FolderStoreTest, SaysWhyAPathCannotBeLookedAt) {
  fs::create_symlink("round", root_ / "round");
  try {
    open_images(root_ / "round");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.what(),
              "data \"imagefolder:" + at("round") + "\": cannot be read: Too many levels of symbolic links");
  }
}

}  // namespace
}  // namespace glidepath
