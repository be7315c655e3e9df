// tests/data/stores/matlab_test.cpp - meta.mat as scipy writes it; damaged ones.
#include "data/stores/matlab.h"

#include "store_support.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

class Matlab : public StoreTest {
 protected:
  static std::string plain() { return text_of(std::string(GLIDEPATH_TEST_DATA) + "/images/meta_plain.mat"); }
};

// The compressed form, and what torchvision makes of it, is in tar_collections_test.cpp.
TEST_F(Matlab, ReadsTheTableOfClasses) {
  const std::vector<Synset> synsets = read_synsets(plain(), "meta.mat");
  ASSERT_EQ(synsets.size(), 6U);
  EXPECT_EQ(synsets[0].id, 1);
  EXPECT_EQ(synsets[0].wnid, "n02119789");
  EXPECT_EQ(synsets[0].words, "kit fox, Vulpes macrotis");
  EXPECT_EQ(synsets[0].children, 0);
  EXPECT_EQ(synsets[5].id, 6);
  EXPECT_EQ(synsets[5].wnid, "n00004258");
  EXPECT_EQ(synsets[5].children, 3);
}

TEST_F(Matlab, RefusesAFileCutOffAnywhere) {
  const std::string whole = plain();
  for (std::size_t length = 0; length < whole.size(); length += 37) {
    SCOPED_TRACE(length);
    const std::string message = refusal([&] { read_synsets(whole.substr(0, length), "meta.mat"); });
    EXPECT_THAT(message, HasSubstr("meta.mat: "));
    EXPECT_THAT(message, HasSubstr("copy or fetch it again"));
  }
}

TEST_F(Matlab, RefusesOtherFiles) {
  EXPECT_THAT(refusal([] { read_synsets(std::string(500, 'x'), "a.mat"); }),
              HasSubstr("is no little-endian MATLAB 5"));
  std::string other = plain();
  other.replace(other.find("synsets"), 7, "sunsets");
  EXPECT_THAT(refusal([&] { read_synsets(other, "a.mat"); }), HasSubstr("holds no array \"synsets\""));
  other = plain();
  other.replace(other.find("WNID"), 4, "WINE");
  EXPECT_THAT(refusal([&] { read_synsets(other, "a.mat"); }), HasSubstr("synsets lacks ILSVRC2012_ID, WNID"));
}

}  // namespace
}  // namespace glidepath
