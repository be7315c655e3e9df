// src/data/formats/ink.h - printing inks to light, in Pillow's arithmetic.
#pragma once

namespace glidepath {

/// Red, green or blue of paper with so much cyan, magenta or yellow, and so much black, of 255 each.
inline unsigned char light_of_ink(unsigned char ink, unsigned char black) {
  const int light = 255 - black;
  const int product = ink * light + 128;  // divided by 255, rounded
  return static_cast<unsigned char>(light - ((product + (product >> 8)) >> 8));
}

}  // namespace glidepath
