// src/data/packs/pack_format.h - the bytes of a pack: many images in one file. Numbers are little-endian.
//
//   header    16 bytes: "GPKIMAGE", the version, zero
//   images    one after the other, each beginning at a multiple of 8
//   index     settings and class names as texts (length, bytes); then for both splits, training first: the
//             number of images (8 bytes), a PackRecord for each, their names (length, then all in one piece)
//   footer    the last 40 bytes of the file
#pragma once
#include <cstdint>
#include <type_traits>

namespace glidepath {

constexpr char kPackBegin[8] = {'G', 'P', 'K', 'I', 'M', 'A', 'G', 'E'};
constexpr char kPackEnd[8] = {'G', 'P', 'K', 'I', 'M', 'E', 'N', 'D'};
constexpr std::uint32_t kPackVersion = 1;

struct PackHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t zero;
};

struct PackRecord {
  std::uint64_t offset;  ///< of the image, from the file's beginning
  std::uint32_t bytes;
  std::uint32_t label;
  std::uint32_t checksum;       ///< CRC-32 (zlib's) of the image's bytes
  std::uint32_t name_bytes;     ///< of its name, in the names after the records
  std::uint32_t height, width;  ///< pixels
  std::uint32_t kind;           ///< 0: an image file; 1: pixels [height, width, 3]
  std::uint32_t zero;
};

struct PackFooter {
  std::uint64_t index_offset, index_bytes;
  std::uint32_t index_checksum;
  std::uint32_t version;
  std::uint32_t zero;
  std::uint32_t checksum;  ///< of the footer before this
  char magic[8];
};

static_assert(sizeof(PackHeader) == 16 && sizeof(PackRecord) == 40 && sizeof(PackFooter) == 40);
static_assert(std::is_trivially_copyable_v<PackRecord>);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "packs are read as they are in memory");

}  // namespace glidepath
