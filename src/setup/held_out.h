// src/setup/held_out.h - training images that are kept apart, to choose on.
#pragma once
#include <cstdint>
#include <string>

#include "glidepath/dataset.h"

namespace glidepath {

/// Moves images from dataset.train to dataset.val: `amount` is a number of them or a share, "5000", "10%";
/// "none" moves none. Of every class the same share, to one image (those of the largest remainders have one
/// more), so that the classes stay balanced; which images they are depends on their places in the training
/// split and on nothing else: runs of every seed are chosen on the same. Both parts keep the order. The paper
/// holds out 5,000 of CIFAR-10's (section 4.1). Throws InputError that begins with val for more than leaves
/// each class one image, and for fewer than there are classes.
void hold_out(Dataset& dataset, const std::string& amount);

/// Leaves a share in (0, 1] of the training images, rounded to a whole number, of every class the same to one
/// image, in their order: which they are depends on the seed and their places alone, and those of a smaller
/// fraction are among those of a larger one, to one image of a class. Throws InputError that begins with
/// train_fraction where fewer are left than there are classes.
void keep_fraction(Dataset& dataset, double fraction, std::uint64_t seed);

}  // namespace glidepath
