// fuzz/tar.cpp - a tar is refused, or its files lie where libarchive reads them.
#include <archive.h>
#include <archive_entry.h>
#include <vector>

#include "data/stores/tar_index.h"
#include "harness.h"

using namespace glidepath;

namespace {

/// What libarchive gives when it reads the archive from its beginning to its end.
std::vector<std::string> read_through(const std::string& text) {
  std::vector<std::string> contents;
  archive* reader = archive_read_new();
  archive_read_support_format_tar(reader);
  archive_entry* entry = nullptr;
  if (archive_read_open_memory(reader, text.data(), text.size()) == ARCHIVE_OK) {
    for (;;) {
      const int status = archive_read_next_header(reader, &entry);
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) break;
      if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
        // pax has hard links that carry their data
        if (archive_entry_hardlink(entry) == nullptr || archive_entry_size(entry) == 0) continue;
      }
      std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
      const la_ssize_t count = archive_read_data(reader, content.data(), content.size());
      fuzz::require(count == static_cast<la_ssize_t>(content.size()), "data are there");
      contents.push_back(content);
    }
  }
  archive_read_free(reader);
  return contents;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  static fuzz::MemoryFile memory;
  memory.assign(text);
  std::vector<std::string> contents;
  const bool is_tar = fuzz::accepts([&] {
    const InputFile file(memory.path());
    index_tar(file, whole_file(file), [&](const TarEntry& entry) {
      fuzz::require(entry.offset <= size && entry.size <= size - entry.offset, "a file lies within the tar");
      if (!entry.is_link) contents.push_back(text.substr(entry.offset, entry.size));
    });
  });
  if (is_tar) fuzz::require(contents == read_through(text), "files lie where libarchive reads them");
  return 0;
}
