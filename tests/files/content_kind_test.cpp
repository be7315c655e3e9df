// tests/files/content_kind_test.cpp - what files really are.
#include "files/content_kind.h"

#include <gtest/gtest.h>

namespace glidepath {
namespace {

TEST(ContentKind, NamesWhatIsKnownByItsBeginning) {
  using namespace std::string_literals;
  struct Case {
    std::string bytes;
    const char* kind;
  };
  const Case cases[] = {
      {"\xFF\xD8\xFF\xE0", "a JPEG image"},
      {"GIF89a..", "a GIF image"},
      {"RIFF\x24\0\0\0WEBPVP8 "s, "a WebP image"},
      {"RIFF\x24\0\0\0WAVEfmt "s, ""},
      {"\0\0\0\x1C"
       "ftypavif"s,
       "an AVIF image"},
      {"\0\0\0\x18"
       "ftypheic"s,
       "a HEIC image"},
      {"\0\0\0\x20"
       "ftypisom"s,
       "a video"},
      {"PK\3\4\24\0"s, "a zip archive"},
      {"\x1F\x8B\x08", "compressed by gzip"},
      {"%PDF-1.7", "a PDF document"},
      {"\x80\2}q\0"s, "a serialised Python object"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 123\n",
       "a git-lfs pointer; get the file itself with git lfs pull"},
      {"/annex/objects/SHA256E-s12--ab.jpg\n", "a git-annex pointer; get the file itself with git annex get"},
      {"\n\n<!DOCTYPE HTML PUBLIC>", "an HTML page, as servers send in place of a file; download it again"},
      {"\xEF\xBB\xBF<html lang=\"en\">",
       "an HTML page, as servers send in place of a file; download it again"},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>",
       "an XML text, as servers send in place of a file; download it again"},
      {"<?xml version=\"1.0\"?><svg xmlns=\"x\">", "an SVG drawing"},
      {"{\"message\": \"Not Found\"}", "a JSON text"},
      {"just words", "a text"},
      {std::string(600, '\0'), "nothing but zeros, as a copy leaves that was cut off"},
      {std::string(257, '\1') + "ustar", "a tar archive"},
      {"\x01\x02\x03", ""},
      {"", ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.kind);
    EXPECT_EQ(content_kind(c.bytes.data(), c.bytes.size()), c.kind);
  }
}

}  // namespace
}  // namespace glidepath
