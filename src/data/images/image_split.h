// src/data/images/image_split.h - a part of every class to train on, and others to test on.
#pragma once
#include "core/data_split.h"
#include "data/images/image_store.h"

namespace glidepath {

/// Takes `images`, which has a `train` and no `val`, apart by choice.split. Which images fall to which part
/// depends on the split's seed and on their names below the data set's root; one more image in a class moves
/// few of the others, or none. Each part keeps the store's order. Tested on is the second part, or the third
/// with choice.test_on "test". Throws InputError for a class with fewer images than there are parts.
void split_images(ImageCollection& images, const ImageChoice& choice);

}  // namespace glidepath
