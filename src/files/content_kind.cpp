// src/files/content_kind.cpp - what a file really is, whatever it is called.
#include "files/content_kind.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "core/letters.h"
#include "files/read_file.h"

namespace glidepath {
namespace {

using std::string_view_literals::operator""sv;

struct Magic {
  std::size_t at;
  std::string_view bytes;
  const char* kind;
};

// Binary formats by their magic numbers; the first that fits.
constexpr Magic kMagics[] = {
    {0, "\xFF\xD8\xFF"sv, "a JPEG image"},
    {0, "\x89PNG\r\n\x1A\n"sv, "a PNG image"},
    {0, "GIF87a"sv, "a GIF image"},
    {0, "GIF89a"sv, "a GIF image"},
    {8, "WEBP"sv, "a WebP image"},
    {4, "ftypavif"sv, "an AVIF image"},
    {4, "ftypavis"sv, "an AVIF image"},
    {4, "ftyphei"sv, "a HEIC image"},
    {4, "ftyphev"sv, "a HEIC image"},
    {4, "ftypmif1"sv, "a HEIF image"},
    {4, "ftypmsf1"sv, "a HEIF image"},
    {4, "ftypcrx "sv, "a Canon raw photograph"},
    {4, "ftyp"sv, "a video"},
    {0, "II*\0"sv, "a TIFF image"},
    {0, "MM\0*"sv, "a TIFF image"},
    {0, "II+\0"sv, "a TIFF image"},
    {0, "MM\0+"sv, "a TIFF image"},
    {0, "\0\0\0\x0CjP  "sv, "a JPEG 2000 image"},
    {0, "\xFF\x4F\xFF\x51"sv, "a JPEG 2000 image"},
    {0, "\0\0\0\x0CJXL "sv, "a JPEG XL image"},
    {0, "\xFF\x0A"sv, "a JPEG XL image"},
    {0, "8BPS"sv, "a Photoshop document"},
    {0, "\0\0\1\0"sv, "an icon"},
    {0, "DDS "sv, "a DirectDraw surface"},
    {0, "v/1\1"sv, "an OpenEXR image"},
    {0, "%PDF-"sv, "a PDF document"},
    {0, "%!PS"sv, "a PostScript document"},
    {0, "\x93NUMPY"sv, "a NumPy array"},
    {0, "\x89HDF\r\n\x1A\n"sv, "an HDF5 file"},
    {0, "PK\3\4"sv, "a zip archive"},
    {0, "\x1F\x8B"sv, "compressed by gzip"},
    {0,
     "\xFD"
     "7zXZ\0"sv,
     "compressed by xz"},
    {0, "\x28\xB5\x2F\xFD"sv, "compressed by zstd"},
    {0, "BZh"sv, "compressed by bzip2"},
    {0, "\x04\x22\x4D\x18"sv, "compressed by lz4"},
    {0, "7z\xBC\xAF\x27\x1C"sv, "a 7z archive"},
    {0, "Rar!\x1A\7"sv, "a RAR archive"},
    {257, "ustar"sv, "a tar archive"},
    {0, "\0\5\x16\7"sv, "what macOS keeps beside a file (AppleDouble)"},
    {0, "\x80\2"sv, "a serialised Python object"},
    {0, "\x80\3"sv, "a serialised Python object"},
    {0, "\x80\4"sv, "a serialised Python object"},
    {0, "GPKIMAGE"sv, "a pack of images"},
    {0, "SQLite format 3"sv, "an SQLite database"},
    {0,
     "\x7F"
     "ELF"sv,
     "a program"},
    {0, "MZ"sv, "a program"},
};

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](unsigned char c) {
    return (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f') || c == 0x7F;
  });
}

/// Texts that stand where a file should be: what a server, git or a copying program left in its place.
std::string kind_of_text(std::string_view bytes) {
  if (begins_with(bytes, "version https://git-lfs.github.com/spec/"))
    return "a git-lfs pointer; get the file itself with git lfs pull";
  if (begins_with(bytes, "/annex/objects/") || begins_with(bytes, "../.git/annex/objects/") ||
      begins_with(bytes, ".git/annex/objects/"))
    return "a git-annex pointer; get the file itself with git annex get";
  if (begins_with(bytes, "\xEF\xBB\xBF")) bytes.remove_prefix(3);
  while (!bytes.empty() && std::isspace(static_cast<unsigned char>(bytes.front())) != 0)
    bytes.remove_prefix(1);
  const std::string text = lower(bytes);
  if (begins_with(text, "<!doctype html") || begins_with(text, "<html") || begins_with(text, "<head"))
    return "an HTML page, as servers send in place of a file; download it again";
  if (text.find("<svg") != text.npos && (begins_with(text, "<?xml") || begins_with(text, "<svg")))
    return "an SVG drawing";
  if (begins_with(text, "<?xml") || begins_with(text, "<error"))
    return "an XML text, as servers send in place of a file; download it again";
  if (begins_with(text, "{") && text.find("\"") != text.npos) return "a JSON text";
  return "a text";
}

}  // namespace

std::string content_kind(const void* data, std::size_t bytes) {
  const std::string_view begin(static_cast<const char*>(data), std::min(bytes, kContentKindBytes));
  if (begin.empty()) return {};
  for (const Magic& magic : kMagics) {
    if (begin.size() < magic.at + magic.bytes.size()) continue;
    if (begin.substr(magic.at, magic.bytes.size()) != magic.bytes) continue;
    if (magic.bytes == "WEBP"sv && !begins_with(begin, "RIFF")) continue;
    return magic.kind;
  }
  if (std::all_of(begin.begin(), begin.end(), [](char c) { return c == '\0'; }))
    return "nothing but zeros, as a copy leaves that was cut off";
  return is_text(begin) ? kind_of_text(begin) : "";
}

std::string content_kind_of(const std::filesystem::path& file) {
  const std::string begin = head_of(file, kContentKindBytes);
  return content_kind(begin.data(), begin.size());
}

}  // namespace glidepath
