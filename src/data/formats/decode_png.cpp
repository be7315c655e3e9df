// src/data/formats/decode_png.cpp - PNG through libpng, every kind to 8-bit red, green and blue.
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <png.h>

#include "data/formats/decode.h"
#include "data/formats/label_png.h"

namespace glidepath {
namespace {

// Chunks that say nothing of the pixels.
constexpr int kChunkName = 5;
constexpr png_byte kOfNoUse[] =
    "eXIf\0iCCP\0iTXt\0tEXt\0zTXt\0sPLT\0hIST\0pCAL\0sCAL\0oFFs\0pHYs\0tIME\0bKGD";

struct Source {
  const unsigned char* next = nullptr;
  std::size_t left = 0;
  std::jmp_buf back;
  char message[200];
};

[[noreturn]] void leave(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::snprintf(source->message, sizeof source->message, "%s", message);
  std::longjmp(source->back, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, png_size_t bytes) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (bytes > source->left) png_error(png, "is truncated");
  std::memcpy(to, source->next, bytes);
  source->next += bytes;
  source->left -= bytes;
}

class PngDecoder : public FormatDecoder {
 public:
  ~PngDecoder() override { close(); }

  ImageSize read_header(const StoredImage& image) override {
    close();
    source_.next = image.data;
    source_.left = image.bytes;
    read_info();
    const auto width = png_get_image_width(png_, info_), height = png_get_image_height(png_, info_);
    require_sane_size(width, height);
    size_ = {static_cast<int>(width), static_cast<int>(height)};
    return size_;
  }

  // A PNG can only be read from its first row on, and its end tells whether it is whole.
  DecodedArea read_pixels(const Rectangle&, int, std::vector<unsigned char>& pixels) override {
    const auto width = static_cast<std::size_t>(size_.width), height = static_cast<std::size_t>(size_.height);
    pixels.resize(width * height * kPixelBytes);
    rows_.resize(height);
    for (std::size_t row = 0; row < height; ++row) rows_[row] = pixels.data() + row * width * kPixelBytes;
    read_rows();
    return {pixels.data(), width * kPixelBytes, {0, 0, size_.width, size_.height}, 8};
  }

  /// In place of read_pixels().
  void read_labels(std::vector<unsigned char>& labels) {
    const png_byte kind = png_get_color_type(png_, info_);
    if (kind != PNG_COLOR_TYPE_GRAY && kind != PNG_COLOR_TYPE_PALETTE)
      throw CorruptImage(
          "is a PNG in colours or with transparency; a mask holds labels, in grey or a palette");
    if (png_get_bit_depth(png_, info_) > 8)
      throw CorruptImage("is a PNG of 16 bits a pixel; a mask has 8 at most");
    const auto width = static_cast<std::size_t>(size_.width), height = static_cast<std::size_t>(size_.height);
    labels.resize(width * height);
    rows_.resize(height);
    for (std::size_t row = 0; row < height; ++row) rows_[row] = labels.data() + row * width;
    read_label_rows();
  }

 private:
  // The functions with a setjmp() of their own have no objects in them that a long jump would leave behind.

  void read_info() {
    if (setjmp(source_.back) != 0) fail();
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, leave, ignore_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
    // Memory for them is taken by the length that they claim.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, kOfNoUse,
                                static_cast<int>(sizeof kOfNoUse) / kChunkName);
#if defined(PNG_MAXIMUM_INFLATE_WINDOW)
    // Encoders are about that declare a smaller window than they use. Others do not hold them to it.
    png_set_option(png_, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
#endif
    png_set_read_fn(png_, &source_, read_bytes);
    png_set_user_limits(png_, 0x7FFFFFFF, 0x7FFFFFFF);  // the number of pixels has a limit of its own
    png_read_info(png_, info_);
  }

  void read_rows() {
    if (setjmp(source_.back) != 0) fail();
    png_set_palette_to_rgb(png_);
    png_set_expand_gray_1_2_4_to_8(png_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    png_set_gray_to_rgb(png_);
    png_set_filler(png_, 0xFF, PNG_FILLER_AFTER);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != static_cast<std::size_t>(size_.width) * kPixelBytes)
      png_error(png_, "its rows have an unexpected length");
    png_read_image(png_, rows_.data());
  }

  void read_label_rows() {
    if (setjmp(source_.back) != 0) fail();
    png_set_packing(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != static_cast<std::size_t>(size_.width))
      png_error(png_, "its rows have an unexpected length");
    png_read_image(png_, rows_.data());
  }

  [[noreturn]] void fail() {
    close();
    if (std::strcmp(source_.message, "is truncated") == 0) throw CorruptImage("is truncated");
    throw CorruptImage(fmt::format("is not a PNG that can be decoded: {}", source_.message));
  }

  void close() {
    if (png_ != nullptr) png_destroy_read_struct(&png_, &info_, nullptr);
    png_ = nullptr;
    info_ = nullptr;
  }

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  Source source_;
  ImageSize size_;
  std::vector<png_bytep> rows_;
};

}  // namespace

ImageSize decode_label_png(const unsigned char* data, std::size_t bytes, std::vector<unsigned char>& labels) {
  constexpr std::size_t kSignature = 8;
  if (bytes < kSignature || png_sig_cmp(data, 0, kSignature) != 0) throw CorruptImage("is no PNG; masks are");
  PngDecoder decoder;
  StoredImage image;
  image.data = data;
  image.bytes = bytes;
  const ImageSize size = decoder.read_header(image);
  decoder.read_labels(labels);
  return size;
}

std::vector<unsigned char> encode_label_png(const unsigned char* labels, ImageSize size) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(size.width);
  image.height = static_cast<png_uint_32>(size.height);
  image.format = PNG_FORMAT_GRAY;
  std::vector<unsigned char> bytes(PNG_IMAGE_PNG_SIZE_MAX(image));
  png_alloc_size_t length = bytes.size();
  if (png_image_write_to_memory(&image, bytes.data(), &length, 0, labels, 0, nullptr) == 0)
    throw RunError(fmt::format("a mask of {} x {} pixels cannot be written: {}", size.width, size.height,
                               image.message));
  bytes.resize(length);
  return bytes;
}

std::unique_ptr<FormatDecoder> make_png_decoder() { return std::make_unique<PngDecoder>(); }

}  // namespace glidepath
