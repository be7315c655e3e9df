// tests/cli/wrong_input_test.cpp - what the program says to wrong command lines, files and configurations.
// The cases and their messages are in wrong_inputs.txt, to be read.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "cli/support.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

struct Case {
  std::string line, message;
  int exit_status = 0;
  bool needs_no_cuda = false;
};

struct Section {
  std::string name;
  std::vector<Case> cases;
};

void PrintTo(const Section& section, std::ostream* out) { *out << section.name; }

std::vector<Section> read_sections() {
  std::ifstream file(GLIDEPATH_SOURCE_DIR "/tests/cli/wrong_inputs.txt");
  std::vector<Section> sections;
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, 3, "## ") == 0) {
      sections.push_back({line.substr(3), {}});
    } else if (line.compare(0, 2, "$ ") == 0 || line.compare(0, 3, "$? ") == 0) {
      Case entry;
      entry.needs_no_cuda = line[1] == '?';
      entry.line = line.substr(line.find(' ') + 1);
      // A line that goes on in the next one, until the status.
      for (std::string more; std::getline(file, more);) {
        if (more.size() > 2 && (more[0] == '1' || more[0] == '2') && more[1] == ' ') {
          entry.exit_status = more[0] - '0';
          entry.message = more.substr(2) + "\n";
          break;
        }
        entry.line += "\n" + more;
      }
      sections.back().cases.push_back(entry);
    }
  }
  return sections;
}

/// `message` with each <N> replaced by the number that `actual` has there.
std::string with_numbers_of(std::string message, const std::string& actual) {
  for (auto place = message.find("<N>"); place != message.npos; place = message.find("<N>")) {
    const auto end =
        std::min(actual.size(), actual.find_first_not_of("0123456789", std::min(place, actual.size())));
    message.replace(place, 3, place < end ? actual.substr(place, end - place) : "no number");
  }
  return message;
}

class WrongInput : public CliTest, public testing::WithParamInterface<Section> {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    make_configs();
    if (GetParam().name == "data") make_cifar();
    if (GetParam().name == "where a run is kept") make_runs();
    if (GetParam().name == "measures") make_measured();
    if (GetParam().name == "image folders") make_images();
    if (GetParam().name == "studies" || GetParam().name == "reports") make_stores();
    fs::create_directory(folder_ / "empty");
    fs::create_directories(folder_ / "run");
  }

  void make_configs() {
    const std::string base =
        "data = \"digits\"\nmodel = \"mlp\"\nfull = \"10ep\"\nbudget = \"3it\"\neval_every = "
        "\"end\"\nthreads = 1\n";
    write("d.toml", base);
    write("text.txt", "not a file of ours\n");
    write("value.toml", "seed = 3\nbase_lr =\n");
    write("type.toml", "base_lr = [0.1, 0.2]\n");
    write("date.toml", "deadline = 2026-12-01T06:00:00Z\n");
    write("time.toml", "deadline = 2026-12-01T06:00\n");
    write("bare.toml", "budget = 30ep\n");
    write("control.toml", "model = \"a\\u001Bb\"\n");
    write("unknown.toml", "seed = 3\nbass_lr = 0.1\n");
    write("range.toml", "momentum = 1.5\n");
    write("twice.toml", "seed = 3\nseed = 4\n");
    write("table.toml", "[optimizer]\nbase_lr = 0.1\n");
    write("model.toml", base + "width = 2\n[versions]\nglidepath = \"0\"\n");
    replace("model.toml", "mlp", "mpl");
    write("bytes.toml", std::string("\xff\xfe\0", 3));
    const std::string grid = "[base]\n" + base + "[grid]\n";
    write("study.toml", grid + "seed = [1, 2]\n");
    write("title.toml", "title = \"a\\nb\"\n" + grid + "seed = [1]\n");
    write("syntax.toml", "[grid]\nseed = [1, 2\n");
    write("list.toml", grid + "seed = []\n");
    write("again.toml", grid + "seed = [1, 2, 1]\n");
    write("spelling.toml", "[grid]\nbudget = [\"60m\", \"1h\"]\n");
    write("single.toml", grid + "seed = 1\n");
    write("both.toml", grid + "budget = [\"3it\"]\n");
    write("section.toml", "[bse]\nseed = 1\n");
    write("item.toml", grid + "schedule = [\"linear\", \"lineer\"]\n");
  }

  // Sparse files: label 0 and black pixels everywhere, which the reader takes.
  void make_cifar() {
    constexpr std::uintmax_t kBytes = 30'730'000;
    for (const char* name : {"truncated", "empty", "longer", "folder", "label"}) {
      const fs::path dir = folder_ / (std::string("cifar-") + name);
      fs::create_directory(dir);
      for (const char* file : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                               "data_batch_5.bin", "test_batch.bin"}) {
        std::ofstream(dir / file).put('\0');
        fs::resize_file(dir / file, kBytes);
      }
    }
    fs::resize_file(folder_ / "cifar-truncated/data_batch_3.bin", 1'048'576);
    fs::resize_file(folder_ / "cifar-empty/data_batch_1.bin", 0);
    fs::resize_file(folder_ / "cifar-longer/test_batch.bin", kBytes + 1);
    fs::remove(folder_ / "cifar-folder/data_batch_2.bin");
    fs::create_directory(folder_ / "cifar-folder/data_batch_2.bin");
    std::fstream label(folder_ / "cifar-label/data_batch_4.bin",
                       std::ios::in | std::ios::out | std::ios::binary);
    label.seekp(7 * 3073).put('\x0a');
  }

  void make_images() {
    for (const char* file :
         {"photos/train/cat/1.jpg", "photos/train/dog/1.jpg", "photos/val/cat/1.jpg", "photos/val/dog/1.jpg",
          "above/photos/train/cat/1.jpg", "deep/train/images/bike/1.jpg", "deep/train/images/bag/1.jpg",
          "deep/val/images/bike/1.jpg", "one/train/cat/1.jpg", "one/val/cat/1.jpg",
          "segmentation/train/images/1.jpg", "segmentation/train/masks/1.png",
          "segmentation/val/images/1.jpg", "segmentation/val/masks/1.png", "flowers/iris/1.jpg",
          "flowers/rose/1.jpg"}) {
      fs::create_directories((folder_ / file).parent_path());
      write(file, "an image");
    }
    write("page.html", "<!DOCTYPE html><html><body>log in</body></html>\n");
    write("pointer.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n");
    write("model.pth", std::string("PK\3\4\0\0\0\0\0\0", 10) + "archive/data.pkl and more");
  }

  void make_runs() {
    ASSERT_EQ(shell("glidepath train --config d.toml --quiet --out run").exit_status, 0);
    fs::copy(folder_ / "run", folder_ / "gone", fs::copy_options::recursive);
    fs::remove_all(folder_ / "gone/checkpoint");
    for (const char* name : {"truncated", "header", "flipped", "foreign", "nofile"}) {
      fs::copy(folder_ / "run", folder_ / name, fs::copy_options::recursive);
      fs::remove(folder_ / name / "summary.json");
    }
    const char* const kState = "checkpoint/step-000000003.safetensors";
    fs::resize_file(folder_ / "truncated" / kState, 1000);
    patch(folder_ / "header" / kState, 0, "\xff\xff\xff\xff\xff\xff\xff\x7f");
    patch(folder_ / "flipped" / kState,
          static_cast<std::streamoff>(fs::file_size(folder_ / "run" / kState)) - 40, "\x55");
    fs::copy_file(folder_ / "run/model.safetensors", folder_ / "foreign" / kState,
                  fs::copy_options::overwrite_existing);
    fs::remove(folder_ / "nofile/config.toml");
  }

  void make_measured() {
    ASSERT_EQ(shell("glidepath train --config d.toml --quiet --out trained").exit_status, 0);
    for (const char* name : {"of-another", "damaged", "nothing-yet"})
      fs::copy(folder_ / "trained", folder_ / name, fs::copy_options::recursive);
    replace("of-another/config.toml", "width = 1", "width = 2");
    fs::resize_file(folder_ / "damaged/checkpoint/step-000000003.safetensors", 1000);
    fs::remove(folder_ / "nothing-yet/model.safetensors");
    fs::remove_all(folder_ / "nothing-yet/checkpoint");
  }

  void make_stores() {
    for (const char* name : {"not-sqlite", "other-program", "no-table"}) fs::create_directory(folder_ / name);
    write("not-sqlite/study.sqlite", "this is a text, and long enough for no header of SQLite to be in it\n");
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "other-program/study.sqlite").c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, "CREATE TABLE t (x)", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
    write("no-table/study.sqlite", "");
    fs::create_directories(folder_ / "study-folder/study.sqlite");
  }

  void patch(const fs::path& file, std::streamoff place, const std::string& bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(place).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  void replace(const std::string& name, const std::string& from, const std::string& to) {
    std::string text = read(name);
    text.replace(text.find(from), from.size(), to);
    write(name, text);
  }

  /// Every path with its content; of large files, their size and time.
  std::map<std::string, std::string> snapshot() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      std::string& told = files[entry.path().string()];
      if (!entry.is_regular_file()) continue;
      told = entry.file_size() < 1'000'000
                 ? read(fs::relative(entry.path(), folder_))
                 : std::to_string(entry.file_size()) + " " +
                       std::to_string(entry.last_write_time().time_since_epoch().count());
    }
    return files;
  }
};

TEST_P(WrongInput, IsToldInOneLineAndChangesNothing) {
  ASSERT_FALSE(GetParam().cases.empty());
  const bool has_cuda = GLIDEPATH_LIBTORCH_HAS_CUDA != 0;
  const auto before = snapshot();
  for (const Case& c : GetParam().cases) {
    if (c.needs_no_cuda && has_cuda) continue;
    SCOPED_TRACE(c.line);
    const ProcessResult result = shell(c.line);
    EXPECT_FALSE(result.timed_out);
    EXPECT_EQ(result.exit_status, c.exit_status);
    EXPECT_EQ(with_numbers_of(c.message, result.err), result.err);
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(snapshot() == before) << "files were written or changed";
  }
}

std::string test_name(const testing::TestParamInfo<Section>& info) {
  std::string name;
  bool starts_word = true;
  for (const char c : info.param.name) {
    if (c != ' ') name += starts_word ? static_cast<char>(std::toupper(c)) : c;
    starts_word = c == ' ';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cli, WrongInput, testing::ValuesIn(read_sections()), test_name);

// Names of 300 characters are longer than any file system takes, and too long for the table.
TEST_F(CliTest, NamesTooLongForTheFileSystemAreWrongInput) {
  const std::string name(300, 'a');
  for (const std::string& line :
       {"train --data digits --model mlp --budget 1it --out " + name, "train --resume " + name,
        "train --config " + name, "study " + name + " --out o", "report " + name,
        "train --data cifar10 --data-dir " + name}) {
    SCOPED_TRACE(line);
    const ProcessResult result = shell("glidepath " + line);
    EXPECT_EQ(result.exit_status, 2);
    EXPECT_THAT(result.err, testing::Not(testing::HasSubstr("unexpected")));
    EXPECT_THAT(result.err, testing::HasSubstr(name));
  }
}

TEST_F(CliTest, TooLargeForTheMemoryIsToldInOneLine) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer needs more address space than the limit leaves";
#endif
  const ProcessResult result = shell(
      "ulimit -v 1600000; glidepath train --data digits --model resnet50 --width 63 --budget 1it --threads 1 "
      "--precision fp32");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(
      result.err,
      "glidepath train: out of memory with model resnet50 at width 63 and batch_size 128; give a smaller "
      "one\n");
}

}  // namespace
}  // namespace glidepath
