// src/export/protobuf.h - messages in protocol buffers' wire format, written field by field.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>

namespace glidepath {

/// Source  Protocol Buffers documentation, "Encoding".
class ProtobufMessage {
 public:
  void integer(std::uint32_t field, std::int64_t value) {
    tag(field, 0);
    varint(static_cast<std::uint64_t>(value));
  }
  void number(std::uint32_t field, float value) {
    tag(field, 5);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 4; ++i, bits >>= 8) bytes_ += static_cast<char>(bits & 0xFF);
  }
  void text(std::uint32_t field, const std::string& value) { data(field, value.data(), value.size()); }
  void message(std::uint32_t field, const ProtobufMessage& value) { text(field, value.bytes_); }
  void data(std::uint32_t field, const void* data, std::size_t bytes) {
    tag(field, 2);
    varint(bytes);
    bytes_.append(static_cast<const char*>(data), bytes);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void tag(std::uint32_t field, std::uint32_t type) { varint(field << 3 | type); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

}  // namespace glidepath
