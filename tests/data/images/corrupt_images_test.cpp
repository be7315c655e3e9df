// tests/data/images/corrupt_images_test.cpp - counting and telling of what cannot be decoded.
#include "data/images/corrupt_images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

TEST(CorruptImages, AreCountedAndToldOfOnce) {
  CorruptImages corrupt("training");
  corrupt.set_limit(3, "1%");
  corrupt.add(9, "b.jpg", "is empty");
  corrupt.add(2, "a.jpg", "is truncated");
  corrupt.add(9, "b.jpg", "is empty");
  EXPECT_EQ(corrupt.count(), 2);
  EXPECT_THAT(corrupt.take_news(), testing::ElementsAre("a.jpg: is truncated; the image is skipped",
                                                        "b.jpg: is empty; the image is skipped"));
  corrupt.add(2, "a.jpg", "is truncated");
  EXPECT_TRUE(corrupt.take_news().empty());
  corrupt.add(3, "c.jpg", "is empty");
  try {
    corrupt.add(4, "d.jpg", "is truncated");
    FAIL();
  } catch (const RunError& error) {
    EXPECT_STREQ(
        error.what(),
        "d.jpg: is truncated; with it 4 training image(s) cannot be decoded, and max_corrupt \"1%\" allows "
        "3; repair or remove them, or allow more");
  }
}

}  // namespace
}  // namespace glidepath
