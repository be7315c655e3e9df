// src/data/packs/pack_store.cpp - a pack of images, mapped into memory.
#include "data/packs/pack_store.h"

#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <sys/mman.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "data/packs/pack_file_writer.h"
#include "data/packs/pack_format.h"
#include "data/stores/input_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// A pack's file, mapped into memory. A disk that fails, or a file that is cut off, ends a program that
/// touches what is not there: the system is asked for each image first, and where it cannot give it, a call
/// that can fail reads it.
class Pack {
 public:
  explicit Pack(const fs::path& path) : file_(path) {
    // Images are read in random order: what the system would read around each is read for nothing.
    ::posix_fadvise(file_.descriptor(), 0, 0, POSIX_FADV_RANDOM);
    if (bytes() == 0) return;
    void* data = ::mmap(nullptr, bytes(), PROT_READ, MAP_SHARED, file_.descriptor(), 0);
    if (data == MAP_FAILED) return;  // then every image is read
    data_ = static_cast<const unsigned char*>(data);
    ::madvise(data, bytes(), MADV_RANDOM);
  }
  ~Pack() {
    if (data_ != nullptr) ::munmap(const_cast<unsigned char*>(data_), bytes());
  }
  Pack(const Pack&) = delete;
  Pack& operator=(const Pack&) = delete;

  std::string name() const { return file_.path().string(); }
  std::uint64_t bytes() const { return file_.size(); }
  void read(void* to, std::uint64_t bytes, std::uint64_t offset) const { file_.read(to, bytes, offset); }
  /// Bytes in the mapping, or in the buffer. An image of plain pixels takes as long to copy as to use.
  const unsigned char* at(std::uint64_t offset, std::uint64_t bytes,
                          std::vector<unsigned char>& buffer) const {
    if (is_in_memory(offset, bytes)) return data_ + offset;
    buffer.resize(bytes);
    file_.read(buffer.data(), bytes, offset);
    return buffer.data();
  }
  [[noreturn]] void refuse(std::uint64_t offset, const std::string& what) const {
    throw InputError(fmt::format("{}: at byte {}: {}; make the pack again", name(), offset, what));
  }

 private:
  /// Has the system bring it there, at once.
  bool is_in_memory(std::uint64_t offset, std::uint64_t bytes) const {
#if defined(MADV_POPULATE_READ)
    constexpr int kPopulate = MADV_POPULATE_READ;
#else
    constexpr int kPopulate = 22;  // Linux 5.14's; older ones refuse it
#endif
    constexpr std::uint64_t kPage = 4096;
    struct stat now {};
    if (data_ == nullptr || ::fstat(file_.descriptor(), &now) != 0) return false;
    if (static_cast<std::uint64_t>(now.st_size) < offset + bytes) return false;
    const std::uint64_t begin = offset / kPage * kPage;
    return ::madvise(const_cast<unsigned char*>(data_) + begin, offset + bytes - begin, kPopulate) == 0;
  }

  InputFile file_;
  const unsigned char* data_ = nullptr;
};

/// Takes the index apart; no number in it is believed.
class IndexReader {
 public:
  /// `bytes` are those of the index, which begins at `begin` of the file.
  IndexReader(const Pack& pack, std::uint64_t begin, const std::vector<unsigned char>& bytes)
      : pack_(pack), bytes_(bytes), begin_(begin), at_(begin), end_(begin + bytes.size()) {}

  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  std::string text(std::uint64_t bytes) { return {reinterpret_cast<const char*>(take(bytes)), bytes}; }
  /// The count of things that need `bytes` bytes each.
  std::uint64_t count(std::uint64_t bytes) {
    const auto value = number<std::uint64_t>();
    if (value > (end_ - at_) / bytes) pack_.refuse(at_ - sizeof value, fmt::format("{} entries", value));
    return value;
  }
  const unsigned char* take(std::uint64_t bytes) {
    if (bytes > end_ - at_) pack_.refuse(at_, "the index ends within an entry");
    at_ += bytes;
    return bytes_.data() + (at_ - begin_ - bytes);
  }
  std::uint64_t position() const { return at_; }
  void expect_end() const {
    if (at_ != end_) pack_.refuse(at_, "the index goes on after its last entry");
  }

 private:
  const Pack& pack_;
  const std::vector<unsigned char>& bytes_;
  std::uint64_t begin_, at_, end_;
};

struct SplitIndex {
  std::vector<PackRecord> records;
  std::vector<std::uint64_t> name_ends;
  std::string names;
};

struct Index {
  std::string settings;
  std::vector<std::string> class_names;
  SplitIndex splits[2];
};

void check_record(const Pack& pack, const PackRecord& record, std::uint64_t classes, std::uint64_t images_end,
                  std::uint64_t at) {
  const bool lies_within = record.offset >= sizeof(PackHeader) && record.offset <= images_end &&
                           record.bytes <= images_end - record.offset;
  if (!lies_within) pack.refuse(at, fmt::format("an image at byte {}, {} long", record.offset, record.bytes));
  if (record.label >= classes) pack.refuse(at, fmt::format("label {} of {} classes", record.label, classes));
  if (record.kind > 1) pack.refuse(at, fmt::format("an image of kind {}", record.kind));
  constexpr auto kMostSide = static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max());
  const bool is_sane = record.height <= kMostSide && record.width <= kMostSide;
  const std::uint64_t pixels = std::uint64_t{record.height} * record.width;
  if (!is_sane || (record.kind == 1 && (record.bytes % 3 != 0 || record.bytes / 3 != pixels))) {
    pack.refuse(
        at, fmt::format("an image of {} x {} pixels in {} bytes", record.width, record.height, record.bytes));
  }
}

SplitIndex read_split(const Pack& pack, IndexReader& reader, std::uint64_t classes,
                      std::uint64_t images_end) {
  SplitIndex split;
  const std::uint64_t count = reader.count(sizeof(PackRecord));
  if (count == 0) pack.refuse(reader.position(), "a split without an image");
  split.records.resize(count);
  split.name_ends.resize(count);
  std::uint64_t names = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = reader.position();
    split.records[i] = reader.number<PackRecord>();
    check_record(pack, split.records[i], classes, images_end, at);
    split.name_ends[i] = names += split.records[i].name_bytes;
  }
  const std::uint64_t at = reader.position();
  split.names = reader.text(reader.count(1));
  if (split.names.size() != names) pack.refuse(at, "names that are longer or shorter than told");
  return split;
}

PackFooter read_footer(const Pack& pack) {
  PackFooter footer;
  constexpr std::uint64_t kLeast = sizeof(PackHeader) + sizeof footer;
  PackHeader header{};
  if (pack.bytes() >= sizeof header) pack.read(&header, sizeof header, 0);
  if (std::memcmp(header.magic, kPackBegin, sizeof kPackBegin) != 0) pack.refuse(0, "is no pack of images");
  if (header.version != kPackVersion) {
    pack.refuse(8,
                fmt::format("version {} of the format, this program knows {}", header.version, kPackVersion));
  }
  if (pack.bytes() < kLeast) pack.refuse(pack.bytes(), "the file is cut off");
  const std::uint64_t at = pack.bytes() - sizeof footer;
  pack.read(&footer, sizeof footer, at);
  if (std::memcmp(footer.magic, kPackEnd, sizeof kPackEnd) != 0) {
    pack.refuse(pack.bytes(), "the file is cut off: it does not end as a pack does");
  }
  if (footer.checksum != pack_checksum(&footer, offsetof(PackFooter, checksum))) {
    pack.refuse(at, "the footer is damaged");
  }
  if (footer.index_offset < sizeof(PackHeader) || footer.index_offset > at ||
      footer.index_bytes != at - footer.index_offset) {
    pack.refuse(at, fmt::format("an index of {} bytes at byte {}", footer.index_bytes, footer.index_offset));
  }
  return footer;
}

Index read_index(const Pack& pack) {
  const PackFooter footer = read_footer(pack);
  std::vector<unsigned char> bytes(footer.index_bytes);
  pack.read(bytes.data(), bytes.size(), footer.index_offset);
  if (pack_checksum(bytes.data(), bytes.size()) != footer.index_checksum) {
    pack.refuse(footer.index_offset, "the index is damaged: its checksum is another");
  }
  IndexReader reader(pack, footer.index_offset, bytes);
  Index index;
  index.settings = reader.text(reader.number<std::uint32_t>());
  const std::uint64_t classes = reader.count(sizeof(std::uint32_t));
  for (std::uint64_t i = 0; i < classes; ++i) {
    index.class_names.push_back(reader.text(reader.number<std::uint32_t>()));
  }
  for (SplitIndex& split : index.splits) split = read_split(pack, reader, classes, footer.index_offset);
  reader.expect_end();
  return index;
}

class PackStore final : public ImageStore {
 public:
  PackStore(std::shared_ptr<const Pack> pack, SplitIndex split)
      : pack_(std::move(pack)), split_(std::move(split)), checked_(split_.records.size()) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(split_.records.size()); }
  std::int64_t label(std::int64_t index) const override { return record(index).label; }
  std::string name(std::int64_t index) const override {
    return fmt::format("{}: {}", pack_->name(), local_name(index));
  }
  std::string local_name(std::int64_t index) const override {
    const PackRecord& image = record(index);
    const std::uint64_t end = split_.name_ends[static_cast<std::size_t>(index)];
    return split_.names.substr(end - image.name_bytes, image.name_bytes);
  }
  std::uint64_t fingerprint(std::int64_t index) const override {
    const PackRecord& image = record(index);
    return std::uint64_t{image.checksum} << 32 | image.bytes;
  }
  StoredImage read(std::int64_t index, std::vector<unsigned char>& buffer) const override {
    const PackRecord& image = record(index);
    StoredImage stored;
    stored.kind = image.kind == 1 ? StoredImage::Kind::kRgb : StoredImage::Kind::kFile;
    stored.data = pack_->at(image.offset, image.bytes, buffer);
    stored.bytes = image.bytes;
    stored.height = static_cast<int>(image.height);
    stored.width = static_cast<int>(image.width);
    // What was whole once stays so, but for what no program can help: one look at each image is enough.
    std::atomic<bool>& is_checked = checked_[static_cast<std::size_t>(index)];
    if (!is_checked.load(std::memory_order_relaxed)) {
      if (pack_checksum(stored.data, stored.bytes) != image.checksum) {
        throw RunError(
            fmt::format("{}: damaged in the pack at byte {}: its checksum is another; make the pack again",
                        name(index), image.offset));
      }
      is_checked.store(true, std::memory_order_relaxed);
    }
    return stored;
  }

 private:
  const PackRecord& record(std::int64_t index) const {
    if (index < 0 || index >= size()) {
      throw InternalError(fmt::format("image {} of {} was asked for", index, size()));
    }
    return split_.records[static_cast<std::size_t>(index)];
  }

  std::shared_ptr<const Pack> pack_;
  SplitIndex split_;
  mutable std::vector<std::atomic<bool>> checked_;
};

}  // namespace

bool is_pack(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  char magic[sizeof kPackBegin] = {};
  const InputFile file(path);
  return file.read_some(magic, sizeof magic, 0) == sizeof magic &&
         std::memcmp(magic, kPackBegin, sizeof magic) == 0;
}

ImageCollection open_pack(const fs::path& path, const ImageChoice& choice) {
  if (choice.test_on != "auto" && choice.test_on != "val")
    throw InputError(fmt::format("test_on \"{}\": a pack has val alone", choice.test_on));
  const auto pack = std::make_shared<const Pack>(path);
  Index index = read_index(*pack);
  ImageCollection collection;
  collection.class_names = std::move(index.class_names);
  collection.train = std::make_shared<PackStore>(pack, std::move(index.splits[0]));
  collection.val = std::make_shared<PackStore>(pack, std::move(index.splits[1]));
  collection.tested_on = "val";
  return collection;
}

PackInfo read_pack_info(const fs::path& path) {
  const Pack pack(path);
  const Index index = read_index(pack);
  PackInfo info;
  info.settings = index.settings;
  info.file_bytes = pack.bytes();
  for (const SplitIndex& split : index.splits) {
    for (const PackRecord& record : split.records) ++(record.kind == 1 ? info.rgb : info.files);
  }
  return info;
}

}  // namespace glidepath
