// tests/files/checksum_test.cpp - checksums of files.
#include "files/checksum.h"

#include <fstream>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace glidepath {
namespace {

TEST(Checksum, IsThatOfSha256sum) {
  const TemporaryFolder folder("checksum");
  const auto file = folder.path() / "abc";
  std::ofstream(file) << "abc";  // the example of FIPS 180-2
  EXPECT_EQ(try_sha256_of(file), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  std::ofstream(file, std::ios::trunc) << std::string(1'000'000, 'a');  // likewise
  EXPECT_EQ(try_sha256_of(file), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  std::ofstream(file, std::ios::trunc) << std::string(2 << 20, 0);  // a whole number of blocks
  EXPECT_EQ(try_sha256_of(file), "5647f05ec18958947d32874eeb788fa396a05d0bab7c1b71f112ceb7e9b31eee");
}

TEST(Checksum, OfWhatIsNoFileThereIsNone) {
  const TemporaryFolder folder("checksum");
  EXPECT_FALSE(try_sha256_of(folder.path()));
  EXPECT_FALSE(try_sha256_of(folder.path() / "none"));
}

}  // namespace
}  // namespace glidepath
