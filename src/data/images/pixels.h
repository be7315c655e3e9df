// src/data/images/pixels.h - bytes of images to numbers of a batch, by a table; without torch.
#pragma once
#include <cstdint>
#include <vector>

namespace glidepath {

/// How one image is taken: the window starts at (top, left) of the picture (negative: in the padding), then
/// mirrored.
struct Crop {
  std::int64_t image = 0;  ///< index in the split
  int top = 0, left = 0;   ///< in [-padding, padding]
  bool mirrored = false;
};

/// What a crop has beyond the picture's edge.
enum class Beyond {
  kBlack,      ///< byte 0, as torchvision's RandomCrop(padding=4) before ToTensor and Normalize
  kReflected,  ///< the picture mirrored at its outermost pixels, which stand once; less far than its side
};

struct ImageShape {
  std::int64_t channels, height, width;
  std::int64_t size() const { return channels * height * width; }
};

/// The crops of images [N, C, H, W] into batch [crops, C, H, W], or channels last. `table` [C][256]: the
/// numbers of bytes, as float32, as the bits of bfloat16, or bytes.
template <typename T>
void write_crops(const std::uint8_t* images, const std::vector<Crop>& crops, const ImageShape& picture,
                 const T* table, T* batch, bool channels_last, Beyond beyond = Beyond::kBlack);

/// One image of `size` rows and columns of 4 bytes a pixel (RGB and one that is not looked at), mirrored or
/// not, into [3, size, size] or [size, size, 3]. `table` [3][256].
template <typename T>
void write_pixels(const unsigned char* pixels, std::int64_t size, bool mirrored, const T* table,
                  bool channels_last, T* to);

}  // namespace glidepath
