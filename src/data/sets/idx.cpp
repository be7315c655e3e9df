// src/data/sets/idx.cpp - the idx format of MNIST and Fashion-MNIST, plain or gzip-compressed.
// Format: http://yann.lecun.com/exdb/mnist, "FILE FORMATS FOR THE MNIST DATABASE".
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include <fmt/format.h>
#include <torch/types.h>
#include <zlib.h>

#include "data/sets/readers.h"
#include "files/read_failed.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::uint32_t kImagesMagic = 0x803, kLabelsMagic = 0x801;

/// zlib reads plain files as they are and inflates compressed ones.
class IdxFile {
 public:
  explicit IdxFile(const fs::path& path) : path_(path) {
    std::error_code error;
    if (fs::is_regular_file(path, error)) file_.reset(gzopen(path.c_str(), "rb"));
    if (!error && !file_) error = {errno, std::generic_category()};
    if (!file_) {
      throw_if_in_trouble(path, error);
      throw InputError(
          fmt::format("{}: missing; fetch the data set, or give the folder that holds it", path.string()));
    }
  }
  void read(void* to, std::int64_t bytes) {
    const int count = gzread(file_.get(), to, static_cast<unsigned>(bytes));
    if (count < 0) refuse_stream();
    if (count < bytes) refuse(fmt::format("ends {} bytes early", bytes - count));
  }
  void expect(const char* what, std::uint32_t expected) {
    std::array<unsigned char, 4> raw{};
    read(raw.data(), 4);
    const std::uint32_t value = static_cast<std::uint32_t>(raw[0]) << 24 |
                                static_cast<std::uint32_t>(raw[1]) << 16 |
                                static_cast<std::uint32_t>(raw[2]) << 8 | raw[3];
    if (value != expected) refuse(fmt::format("{} {}, expected {}", what, value, expected));
  }
  void expect_end() {
    char extra = 0;
    const int count = gzread(file_.get(), &extra, 1);
    if (count < 0) refuse_stream();
    if (count > 0) refuse("goes on after its last record");
    // Only closing tells that a compressed stream stopped before its checksum.
    if (gzclose(file_.release()) != Z_OK) refuse("its compressed stream is cut off");
  }

 private:
  struct Closer {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  [[noreturn]] void refuse_stream() const {
    const int reason = errno;
    int kind = Z_OK;
    gzerror(file_.get(), &kind);
    if (kind == Z_ERRNO) throw_if_in_trouble(path_, {reason, std::generic_category()});
    refuse("its compressed stream is damaged");
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw InputError(fmt::format("{}: {}; fetch it again", path_.string(), what));
  }
  fs::path path_;
  std::unique_ptr<gzFile_s, Closer> file_;
};

}  // namespace

Split read_idx(const fs::path& images, const fs::path& labels, std::int64_t count, std::int64_t size,
               std::int64_t classes) {
  // Extents are compared with what the data set must have before anything is allocated for them.
  IdxFile image_file(images), label_file(labels);
  image_file.expect("magic number", kImagesMagic);
  image_file.expect("number of images", static_cast<std::uint32_t>(count));
  image_file.expect("image height", static_cast<std::uint32_t>(size));
  image_file.expect("image width", static_cast<std::uint32_t>(size));
  label_file.expect("magic number", kLabelsMagic);
  label_file.expect("number of labels", static_cast<std::uint32_t>(count));

  Split split{torch::empty({count, 1, size, size}, torch::kUInt8), torch::empty({count}, torch::kInt64)};
  torch::Tensor bytes = torch::empty({count}, torch::kUInt8);
  image_file.read(split.images.data_ptr(), split.images.numel());
  image_file.expect_end();
  label_file.read(bytes.data_ptr(), count);
  label_file.expect_end();
  split.labels.copy_(bytes);
  check_labels(split.labels, classes, labels.string());
  return split;
}

}  // namespace glidepath
