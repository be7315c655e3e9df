// src/data/formats/exif.cpp - the one entry of EXIF or XMP data that says which way up a photograph is, found
// where Pillow's Image.getexif() finds it.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <zlib.h>

#include "core/letters.h"
#include "data/formats/decode.h"

namespace glidepath {
namespace {

using std::string_view_literals::operator""sv;

std::string_view view(const unsigned char* data, std::size_t bytes) {
  return {reinterpret_cast<const char*>(data), bytes};
}

/// Numbers of a TIFF block, in its byte order; 0 where it has ended.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes) : bytes_(bytes), little_(!bytes.empty() && bytes[0] == 'I') {}
  std::uint64_t number(std::size_t at, int count) const {
    if (at > bytes_.size() || bytes_.size() - at < static_cast<std::size_t>(count)) return 0;
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i)
      value = value << 8 |
              static_cast<unsigned char>(bytes_[at + static_cast<std::size_t>(little_ ? count - 1 - i : i)]);
    return value;
  }

 private:
  std::string_view bytes_;
  bool little_;
};

/// The first value of an entry of any type of numbers but BYTE, which are no numbers to Pillow; 0 for others.
double value_of(const Tiff& tiff, std::size_t entry) {
  const std::size_t there = entry + 8;
  const auto behind = static_cast<std::size_t>(tiff.number(there, 4));
  const auto ratio = [](double over, double under) { return under == 0 ? 0 : over / under; };
  switch (tiff.number(entry + 2, 2)) {
    case 3:  // SHORT; where they are more than two, they lie elsewhere
      return static_cast<double>(tiff.number(tiff.number(entry + 4, 4) > 2 ? behind : there, 2));
    case 4:  // LONG
      return static_cast<double>(tiff.number(tiff.number(entry + 4, 4) > 1 ? behind : there, 4));
    case 5:  // RATIONAL
      return ratio(static_cast<double>(tiff.number(behind, 4)),
                   static_cast<double>(tiff.number(behind + 4, 4)));
    case 6:  // signed ones, of which none is below 0 and an orientation
      return static_cast<double>(tiff.number(there, 1));
    case 8:
      return static_cast<double>(tiff.number(there, 2));
    case 9:
      return static_cast<double>(tiff.number(there, 4));
    default:
      return 0;
  }
}

/// Nothing where the block has no such entry, and 0 where that says nothing.
std::optional<int> orientation_in_tiff(std::string_view bytes) {
  constexpr std::uint64_t kOrientation = 0x0112;
  const Tiff tiff(bytes);
  if (tiff.number(2, 2) != 42) return std::nullopt;
  const auto directory = static_cast<std::size_t>(tiff.number(4, 4));
  const auto entries = static_cast<std::size_t>(tiff.number(directory, 2));
  std::optional<int> found;
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (tiff.number(entry, 2) != kOrientation) continue;
    const double value = value_of(tiff, entry);
    found = value >= 1 && value <= 8 && value == std::floor(value) ? static_cast<int>(value) : 0;
  }
  return found;
}

std::optional<int> orientation_in_exif(std::string_view bytes) {
  if (begins_with(bytes, "Exif\0\0"sv)) bytes.remove_prefix(6);
  return orientation_in_tiff(bytes);
}

/// The first of: tiff:Orientation="6", <tiff:Orientation>6.
std::optional<int> orientation_in_xmp(std::string_view text) {
  constexpr std::string_view kName = "tiff:Orientation";
  for (std::size_t at = text.find(kName); at != text.npos; at = text.find(kName, at + 1)) {
    std::string_view rest = text.substr(at + kName.size());
    if (begins_with(rest, "=\"")) {
      rest.remove_prefix(2);
    } else if (begins_with(rest, ">")) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return rest[0] - '0';
  }
  return std::nullopt;
}

/// What an image file says of itself beside its pixels.
struct Metadata {
  std::string exif, xmp;
};

Metadata metadata_of_jpeg(std::string_view file) {
  constexpr unsigned char kApp1 = 0xE1, kScan = 0xDA;
  constexpr std::string_view kXmp = "http://ns.adobe.com/xap/1.0/\0"sv;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(file[at]); };
  Metadata found;
  std::size_t at = 2;
  while (at + 4 <= file.size() && byte(at) == 0xFF) {
    const unsigned char marker = byte(at + 1);
    if (marker == 0xFF) {  // padding
      ++at;
      continue;
    }
    const std::size_t length = static_cast<std::size_t>(byte(at + 2)) << 8 | byte(at + 3);
    if (marker == kScan || length < 2 || file.size() - at - 2 < length) break;
    const std::string_view segment = file.substr(at + 4, length - 2);
    if (marker == kApp1 && begins_with(segment, "Exif\0"sv) && found.exif.empty())
      found.exif = segment.substr(std::min<std::size_t>(6, segment.size()));
    if (marker == kApp1 && begins_with(segment, kXmp) && found.xmp.empty())
      found.xmp = segment.substr(kXmp.size());
    at += 2 + length;
  }
  return found;
}

/// Inflated, up to a size that no such text has.
std::string inflated(std::string_view bytes) {
  constexpr uLong kMost = 1U << 20;
  std::string text(kMost, '\0');
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(bytes.size(), kMost));
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = kMost;
  const int status = inflate(&stream, Z_FINISH);
  text.resize(kMost - stream.avail_out);
  inflateEnd(&stream);
  return status == Z_STREAM_END ? text : std::string();
}

/// The text after `count` more zeros.
std::string_view after_zeros(std::string_view text, int count) {
  for (; count > 0; --count) {
    const std::size_t zero = text.find('\0');
    if (zero == text.npos) return {};
    text.remove_prefix(zero + 1);
  }
  return text;
}

/// The text of a tEXt, zTXt or iTXt chunk without its keyword, and inflated.
std::string text_of_chunk(std::string_view kind, std::string_view chunk) {
  std::string_view text = after_zeros(chunk, 1);
  if (kind == "tEXt") return std::string(text);
  if (text.empty()) return {};
  if (kind == "zTXt") return inflated(text.substr(1));
  const bool is_deflated = text[0] == 1;
  text = after_zeros(text.substr(std::min<std::size_t>(2, text.size())), 2);
  return is_deflated ? inflated(text) : std::string(text);
}

/// ImageMagick's way: a line with the kind, one with the length, then hexadecimal digits.
std::string exif_in_raw_profile(const std::string& text) {
  std::size_t at = 0;
  for (int lines = 0; lines < 3; ++lines) {
    at = text.find('\n', at);
    if (at == text.npos) return {};
    ++at;
  }
  std::string bytes;
  int high = -1;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      bytes += static_cast<char>(high << 4 | digit);
      high = -1;
    }
  }
  return bytes;
}

Metadata metadata_of_png(std::string_view file) {
  Metadata found;
  std::string raw_profile;
  const auto length_at = [&](std::size_t at) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(file[at + i]);
    return value;
  };
  for (std::size_t at = 8; file.size() >= 12 && at <= file.size() - 12;) {
    const std::size_t length = length_at(at);
    if (length > file.size() - at - 12) break;
    const std::string_view kind = file.substr(at + 4, 4), chunk = file.substr(at + 8, length);
    if (kind == "eXIf") found.exif = chunk;
    const bool is_text = kind == "tEXt" || kind == "zTXt" || kind == "iTXt";
    if (is_text && begins_with(chunk, "Raw profile type exif\0"sv))
      raw_profile = exif_in_raw_profile(text_of_chunk(kind, chunk));
    if (is_text && begins_with(chunk, "XML:com.adobe.xmp\0"sv)) found.xmp = text_of_chunk(kind, chunk);
    at += 12 + length;
  }
  if (found.exif.empty()) found.exif = raw_profile;
  return found;
}

Metadata metadata_of_webp(std::string_view file) {
  Metadata found;
  const auto length_at = [&](std::size_t at) {
    std::size_t value = 0;
    for (std::size_t i = 4; i > 0; --i) value = value << 8 | static_cast<unsigned char>(file[at + i - 1]);
    return value;
  };
  for (std::size_t at = 12; file.size() >= 8 && at <= file.size() - 8;) {
    const std::size_t length = length_at(at + 4);
    if (length > file.size() - at - 8) break;
    const std::string_view kind = file.substr(at, 4), chunk = file.substr(at + 8, length);
    if (kind == "EXIF") found.exif = chunk;
    if (kind == "XMP ") found.xmp = chunk;
    at += 8 + length + length % 2;
  }
  return found;
}

}  // namespace

int exif_orientation_of(const unsigned char* data, std::size_t bytes) {
  const std::string_view file = view(data, bytes);
  Metadata metadata;
  if (begins_with(file, "\xFF\xD8")) metadata = metadata_of_jpeg(file);
  if (begins_with(file, "\x89PNG\r\n\x1A\n")) metadata = metadata_of_png(file);
  if (begins_with(file, "RIFF") && file.substr(std::min<std::size_t>(8, file.size()), 4) == "WEBP")
    metadata = metadata_of_webp(file);
  const std::optional<int> exif = orientation_in_exif(metadata.exif);
  const int value = exif ? *exif : orientation_in_xmp(metadata.xmp).value_or(1);
  return value >= 1 && value <= 8 ? value : 1;
}

}  // namespace glidepath
