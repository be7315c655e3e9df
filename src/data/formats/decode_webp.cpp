// src/data/formats/decode_webp.cpp - WebP through libwebp, lossy and lossless; of an animation its first
// frame.
#include <cstring>
#include <webp/decode.h>
#include <webp/demux.h>

#include <fmt/format.h>

#include "data/formats/decode.h"

namespace glidepath {
namespace {

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

[[noreturn]] void refuse(VP8StatusCode status) {
  const bool is_short = status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED;
  if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
  throw CorruptImage(
      is_short ? "is truncated"
               : fmt::format("is not a WebP that can be decoded: status {}", static_cast<int>(status)));
}

/// Where the frame that is shown first lies in the file, and in the picture.
struct Frame {
  WebPData bytes{nullptr, 0};
  Rectangle place;
};

class WebpDecoder : public FormatDecoder {
 public:
  ImageSize read_header(const StoredImage& image) override {
    file_ = {image.data, image.bytes};
    WebPBitstreamFeatures features;
    const VP8StatusCode status = WebPGetFeatures(file_.bytes, file_.size, &features);
    if (status != VP8_STATUS_OK) refuse(status);
    require_sane_size(features.width, features.height);
    size_ = {features.width, features.height};
    is_animated_ = features.has_animation != 0;
    return size_;
  }

  DecodedArea read_pixels(const Rectangle&, int, std::vector<unsigned char>& pixels) override {
    const auto width = static_cast<std::size_t>(size_.width), height = static_cast<std::size_t>(size_.height);
    const Frame frame = is_animated_ ? first_frame() : Frame{file_, {0, 0, size_.width, size_.height}};
    pixels.assign(width * height * kPixelBytes, 0);  // what no frame covers is black
    const std::size_t row_bytes = width * kPixelBytes;
    const std::size_t first = static_cast<std::size_t>(frame.place.top) * row_bytes +
                              static_cast<std::size_t>(frame.place.left) * kPixelBytes;
    WebPDecoderConfig config;
    if (WebPInitDecoderConfig(&config) == 0) throw CorruptImage("libwebp is of another version");
    config.output.colorspace = MODE_RGBA;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = pixels.data() + first;
    config.output.u.RGBA.stride = static_cast<int>(row_bytes);
    config.output.u.RGBA.size = pixels.size() - first;
    const VP8StatusCode status = WebPDecode(frame.bytes.bytes, frame.bytes.size, &config);
    WebPFreeDecBuffer(&config.output);
    if (status != VP8_STATUS_OK) refuse(status);
    return {pixels.data(), row_bytes, {0, 0, size_.width, size_.height}, 8};
  }

 private:
  Frame first_frame() const {
    const std::unique_ptr<WebPDemuxer, DeleteDemuxer> demuxer(WebPDemux(&file_));
    if (!demuxer) throw CorruptImage("is truncated");
    WebPIterator at;
    if (WebPDemuxGetFrame(demuxer.get(), 1, &at) == 0) throw CorruptImage("has no frame");
    const Frame frame{at.fragment, {at.x_offset, at.y_offset, at.width, at.height}};
    const bool is_whole = at.complete != 0;
    WebPDemuxReleaseIterator(&at);  // its bytes are those of the file
    const bool fits = frame.place.left >= 0 && frame.place.top >= 0 && frame.place.width > 0 &&
                      frame.place.height > 0 && frame.place.left <= size_.width - frame.place.width &&
                      frame.place.top <= size_.height - frame.place.height;
    if (!is_whole) throw CorruptImage("is truncated");
    WebPBitstreamFeatures features;
    const VP8StatusCode status = WebPGetFeatures(frame.bytes.bytes, frame.bytes.size, &features);
    if (status != VP8_STATUS_OK) refuse(status);
    if (!fits || features.width != frame.place.width || features.height != frame.place.height)
      throw CorruptImage("has a first frame that does not fit in it");
    return frame;
  }

  WebPData file_{nullptr, 0};
  ImageSize size_;
  bool is_animated_ = false;
};

}  // namespace

std::unique_ptr<FormatDecoder> make_webp_decoder() { return std::make_unique<WebpDecoder>(); }

}  // namespace glidepath
