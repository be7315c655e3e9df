// tests/data/images/folder_store_test.cpp - class folders: their order, and everything that is wrong with
// one.
#include "data/images/folder_store.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/images/folder_listing.h"
#include "data/images/open_images.h"
#include "files/read_failed.h"
#include "glidepath/error.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class FolderStoreTest : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& bytes = "bytes") const {
    const fs::path path = file.empty() ? root_ : root_ / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
  void write_classes(const std::string& split,
                     const std::vector<std::string>& classes = {"cat", "dog"}) const {
    for (const std::string& name : classes) write(split + "/" + name + "/1.jpg");
  }
  std::string message(const ImageChoice& choice = {}) const {
    try {
      open_images(root_, choice);
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
  write_classes("train", {"dog"});
  write_classes("val");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "train/cat");
  fs::create_symlink(root_ / "nowhere.jpg", root_ / "elsewhere/2.jpg");  // leads to nothing: left out
  EXPECT_EQ(open_images(root_).train->size(), 2);
  EXPECT_EQ(open_images(root_).passed_by.text(), "1 file passed by: 1 link(s) to nothing");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "elsewhere/again");
  EXPECT_EQ(message(), at("train/cat/again") + ": is a link to a folder that it is in");
}

// Followed as paths, 40 links that lead back would be 40^8 folders.
TEST_F(FolderStoreTest, LooksIntoAFolderOnceWhateverLinksLeadToIt) {
  write("end/1.jpg");
  const fs::path maze = root_ / "maze";
  fs::create_directory(maze);
  for (int i = 0; i < 40; ++i) fs::create_directory_symlink(maze, maze / std::to_string(i));
  EXPECT_FALSE(holds_images(maze.string()));
  fs::create_directory_symlink(root_ / "end", maze / "way-out");
  EXPECT_TRUE(holds_images(maze.string()));
}

// Kaggle's, fastai's and Roboflow's data sets have train/, valid/ and test/: the last is for the end.
TEST_F(FolderStoreTest, TestsOnValidationBeforeTest) {
  write_classes("train");
  EXPECT_EQ(message(),
            root_.string() +
                ": has a folder train/ and no val/ (or valid/, validation/, dev/, test/); a run is tested "
                "on its images. To have a part of train/ kept for that, give --split 80/20");
  for (const char* name : {"TEST", "test", "dev", "validation", "Valid", "val"}) {  // each before those above
    write_classes(name);
    const ImageCollection images = open_images(root_);
    EXPECT_EQ(images.tested_on, name);
    EXPECT_EQ(images.val->name(0), at(std::string(name) + "/cat/1.jpg"));
  }
  EXPECT_THAT(open_images(root_).notes,
              testing::ElementsAre("tested on " + at("val") +
                                   "; not looked at: Valid, validation, dev, test (--test-on Valid)"));
  ImageChoice choice;
  choice.test_on = "test";
  EXPECT_EQ(open_images(root_, choice).tested_on, "test");
  choice.test_on = "exam";
  EXPECT_EQ(message(choice),
            "test_on \"exam\": " + root_.string() +
                " has no such folder; it has TEST, Valid, dev, test, train, val, validation");
}

TEST_F(FolderStoreTest, TakesTrainInAnyCase) {
  write_classes("Training");
  write_classes("Testing");
  EXPECT_EQ(open_images(root_).train->name(0), at("Training/cat/1.jpg"));
  EXPECT_EQ(open_images(root_).tested_on, "Testing");
  write_classes("TRAIN");
  EXPECT_EQ(open_images(root_).train->name(0), at("TRAIN/cat/1.jpg"));
}

// A val/ that is empty, or holds pictures without classes as Kaggle's test/ does, is no split.
TEST_F(FolderStoreTest, PassesOverASplitWithoutClasses) {
  write_classes("train");
  write_classes("test");
  fs::create_directories(root_ / "val");
  EXPECT_EQ(open_images(root_).tested_on, "test");
  fs::remove_all(root_ / "test");
  EXPECT_EQ(message(), at("val") + ": has no folder; there must be one for each class");
}

TEST_F(FolderStoreTest, NamesWhatIsMissing) {
  EXPECT_THAT(message(), testing::StartsWith("data \"imagefolder:" + root_.string() +
                                             "\": must hold folders "
                                             "train/ and val/ with one folder of images for each class"));
  fs::create_directories(root_ / "train");
  write("val/cat/1.jpg");
  EXPECT_EQ(message(), at("train") + ": has no folder; there must be one for each class");
  write_classes("train");
  EXPECT_EQ(message(),
            at("train/dog") + ": there is no such class in " + at("val") + "; both need the same classes");
  write("val/dog/readme.txt");
  EXPECT_THAT(message(),
              testing::AllOf(
                  testing::StartsWith(at("val/dog") + ": has no image; a class needs files ending in .jpg, "),
                  testing::EndsWith("; 1 file passed by: 1 .txt")));
  root_ /= "nothing";
  EXPECT_EQ(message(), "data \"imagefolder:" + root_.string() + "\": there is nothing at this path");
}

// train/images/{bike,bag} would train one class to 100 %.
TEST_F(FolderStoreTest, RefusesOneClassAndPointsAtTheLevelBelow) {
  write("train/images/bike/1.jpg");
  write("val/images/bike/1.jpg");
  EXPECT_EQ(message(), at("train/images") + ": is the only class in " + at("train") +
                           "; there must be a folder for each of two classes or more");
  write("train/images/bag/1.jpg");
  EXPECT_EQ(message(),
            at("train/images") + ": is the only folder in " + at("train") +
                ", and would be the only class; the classes seem to be the folders in it (bag, bike): move "
                "them up into " +
                at("train"));
}

TEST_F(FolderStoreTest, RefusesPicturesAndTheirMasksAsClasses) {
  for (const char* file : {"train/images/1.jpg", "train/masks/1.png", "val/images/1.jpg", "val/masks/1.png"})
    write(file);
  EXPECT_EQ(message(),
            at("train") +
                ": its folders images, masks are the parts of a data set for segmentation or detection, and "
                "no classes; there must be a folder for each class");
  fs::rename(root_ / "train/images", root_ / "train/nomasks");
  fs::rename(root_ / "val/images", root_ / "val/nomasks");
  EXPECT_EQ(message(), "no error") << "faces with and without masks";
}

// What is one step beside the right path is told the right one.
TEST_F(FolderStoreTest, PointsAtTheRightPath) {
  write_classes("data/train");
  write_classes("data/val");
  const std::string right = "give imagefolder:" + at("data");
  EXPECT_EQ(message(), "data \"imagefolder:" + root_.string() + "\": must hold train/ and val/; " + right);
  const fs::path root = root_;
  root_ = root / "data/train/";
  EXPECT_EQ(message(), "data \"imagefolder:" + root_.string() + "\": is one of the splits in " +
                           (root / "data").string() + "; " + right);
  root_ = root / "data/val";
  EXPECT_THAT(message(), testing::EndsWith(right));
  root_ = root / "data/val/cat";
  EXPECT_THAT(message(),
              testing::EndsWith("it holds 1 image(s), and no folder that says what class they are of"));
  root_ = root / "page.zip";
  write("", "PK\3\4 and more");
  EXPECT_THAT(message(), testing::EndsWith("; it is a zip archive"));
}

TEST_F(FolderStoreTest, CountsWhatIsPassedByByItsKind) {
  write_classes("train");
  write_classes("val");
  for (int i = 0; i < 10; ++i) write("train/cat/x" + std::to_string(i) + ".GIF");
  for (const char* file :
       {"train/dog/a.avif", "val/dog/deep/b.avif", "train/dog/README", "train/cat/.hidden.jpg",
        "train/loose.png", "train/other.webp", "train/labels.csv",
        // what systems leave is neither an image nor of account
        "train/cat/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "train/cat/._1.jpg", "train/cat/.DS_Store",
        "train/cat/Thumbs.db", "train/dog/desktop.ini", "train/dog/.ipynb_checkpoints/1-checkpoint.jpg",
        "train/__MACOSX/cat/1.jpg", "train/@eaDir/x.jpg", "train/.Trash/1.jpg", "val/lost+found/1.jpg"})
    write(file);
  fs::create_symlink(root_ / "nowhere.jpg", root_ / "train/cat/link.jpg");
  const ImageCollection images = open_images(root_);
  EXPECT_EQ(images.train->size(), 2);
  EXPECT_EQ(images.val->size(), 2);
  EXPECT_THAT(images.class_names, testing::ElementsAre("cat", "dog"));
  EXPECT_THAT(images.notes,
              testing::ElementsAre(
                  "2 images beside the class folders of " + at("train") + " passed by",
                  "16 files passed by: 10 .gif, 2 .avif, 1 .csv, 1 hidden .jpg, 1 link(s) to nothing, "
                  "1 without an ending"));
}

TEST_F(FolderStoreTest, TakesEveryEndingOfTorchvisionInAnyCase) {
  write_classes("val");
  write("train/dog/1.jpg");
  for (const char* ending : {"jpg", "JPEG", "Jpe", "jfif", "png", "PPM", "bmp", "pgm", "TIF", "tiff", "WebP"})
    write(std::string("train/cat/1.") + ending);
  EXPECT_EQ(open_images(root_).train->size(), 12);
  EXPECT_TRUE(open_images(root_).passed_by.empty());
}

TEST_F(FolderStoreTest, AFileThatHasGoneIsNamed) {
  write_classes("train");
  write_classes("val");
  write("train/cat/2.jpg");
  const ImageCollection images = open_images(root_);
  fs::remove(root_ / "train/cat/1.jpg");
  std::vector<unsigned char> buffer;
  try {
    images.train->read(0, buffer);
    FAIL();
  } catch (const ReadFailed&) {
    FAIL() << "it will not come back";
  } catch (const RunError& error) {
    EXPECT_EQ(std::string(error.what()),
              at("train/cat/1.jpg") + ": cannot be read: No such file or directory");
  }
}

// A disk that is away takes the folder with it, or leaves the bare place where it was mounted: it may come
// back.
TEST_F(FolderStoreTest, AFileWhoseFolderIsAwayMayComeBack) {
  write_classes("train");
  write_classes("val");
  const ImageCollection images = open_images(root_);
  std::vector<unsigned char> buffer;
  fs::rename(root_ / "train", root_ / "away");
  EXPECT_THROW(images.train->read(0, buffer), ReadFailed);
  fs::create_directories(root_ / "train/cat");
  EXPECT_THROW(images.train->read(0, buffer), ReadFailed);
  fs::remove_all(root_ / "train");
  fs::rename(root_ / "away", root_ / "train");
  EXPECT_EQ(images.train->read(0, buffer).bytes, 5U);
}

// A file with a hole of gigabytes takes no room on the disk, and all of the memory.
TEST_F(FolderStoreTest, RefusesToReadAFileOfGigabytes) {
  write_classes("train");
  write_classes("val");
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
