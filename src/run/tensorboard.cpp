// src/run/tensorboard.cpp - scalars in a file that TensorBoard reads.
#include "run/tensorboard.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>

#include "glidepath/clock.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

// Numbers of the fields of event.proto and summary.proto, and their wire types.
constexpr unsigned kEventWallTime = 1, kEventStep = 2, kEventFileVersion = 3, kEventSummary = 5,
                   kEventSessionLog = 7;
constexpr unsigned kSummaryValue = 1, kValueTag = 1, kValueSimple = 2, kSessionStatus = 1;
constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;
constexpr std::uint64_t kSessionStart = 1;

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

/// The lowest bytes of `value`, the least significant first.
void put_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

void put_key(std::string& out, unsigned field, unsigned wire_type) {
  put_varint(out, field << 3 | wire_type);
}

void put_double(std::string& out, unsigned field, double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  put_key(out, field, kFixed64);
  put_little_endian(out, bits, 8);
}

void put_float(std::string& out, unsigned field, float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  put_key(out, field, kFixed32);
  put_little_endian(out, bits, 4);
}

void put_integer(std::string& out, unsigned field, std::uint64_t value) {
  put_key(out, field, kVarint);
  put_varint(out, value);
}

void put_bytes(std::string& out, unsigned field, std::string_view value) {
  put_key(out, field, kBytes);
  put_varint(out, value.size());
  out.append(value);
}

std::string event_at(double wall_time_seconds, std::int64_t step) {
  std::string event;
  put_double(event, kEventWallTime, wall_time_seconds);
  if (step != 0) put_integer(event, kEventStep, static_cast<std::uint64_t>(step));  // 0 is the default
  return event;
}

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82F63B78U : 0);
    table[byte] = value;
  }
  return table;
}

/// A checksum of data that holds checksums is weak, so TFRecord stores them rotated and shifted.
std::uint32_t masked_crc(std::string_view data) {
  const std::uint32_t crc = crc32c(data);
  return (crc >> 15 | crc << 17) + 0xA282EAD8U;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

std::string file_name(double now, int number) {
  std::string name = fmt::format("events.out.tfevents.{:010d}.{}.{}.{}", static_cast<std::int64_t>(now),
                                 host_name(), ::getpid(), number);
  std::replace(name.begin(), name.end(), '/', '-');
  return name;
}

}  // namespace

std::uint32_t crc32c(std::string_view data) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : data) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFFU];
  return ~crc;
}

TensorBoardWriter::TensorBoardWriter(const Folder& folder) {
  const double now = wall_clock_seconds();
  int descriptor = -1;
  // Two writers of one process may start within a second.
  for (int number = 0; descriptor < 0 && (number == 0 || errno == EEXIST); ++number) {
    path_ = folder.path() / file_name(now, number);
    descriptor = folder.create_new(path_.filename().string());
  }
  if (descriptor >= 0) file_.reset(::fdopen(descriptor, "wb"));
  if (file_ == nullptr) fail();
  std::string event;
  put_double(event, kEventWallTime, now);
  put_bytes(event, kEventFileVersion, "brain.Event:2");
  write_record(event);
}

void TensorBoardWriter::scalar(const std::string& tag, std::int64_t step, double value,
                               double wall_time_seconds) {
  std::string point, summary, event = event_at(wall_time_seconds, step);
  put_bytes(point, kValueTag, tag);
  put_float(point, kValueSimple, static_cast<float>(value));
  put_bytes(summary, kSummaryValue, point);
  put_bytes(event, kEventSummary, summary);
  write_record(event);
}

void TensorBoardWriter::resumed_at(std::int64_t step, double wall_time_seconds) {
  std::string session, event = event_at(wall_time_seconds, step);
  put_integer(session, kSessionStatus, kSessionStart);
  put_bytes(event, kEventSessionLog, session);
  write_record(event);
}

void TensorBoardWriter::flush() {
  if (std::fflush(file_.get()) != 0) fail();
}

void TensorBoardWriter::write_record(const std::string& event) {
  std::string record;
  put_little_endian(record, event.size(), 8);
  put_little_endian(record, masked_crc(record), 4);
  record += event;
  put_little_endian(record, masked_crc(event), 4);
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size()) fail();
}

void TensorBoardWriter::fail() const {
  throw RunError(fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno)));
}

}  // namespace glidepath
