// tests/core/safe_text_test.cpp - texts that others wrote, in every place that interprets some of them.
#include "core/safe_text.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glidepath {
namespace {

// RFC 3629, with the cases of Markus Kuhn's UTF-8 decoder stress test.
TEST(SafeText, TellsUtf8) {
  for (const char* text : {"", "plain", "‖g*‖ ± é", "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBF", "\xED\x9F\xBF"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* text : {"\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\xAF", "\xED\xA0\x80",
                           "\xF0\x80\x80\xAF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x80", "a\xFF"}) {
    EXPECT_FALSE(is_utf8(text)) << terminal_text(text);
  }
  EXPECT_EQ(as_utf8("caf\xE9 \xE2\x80 é"), "caf\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD é");
}

TEST(SafeText, ShowsWhatWouldSteerATerminal) {
  // A title of the window, a line end, one of C1 in UTF-8, DEL, an override of direction, and no UTF-8.
  EXPECT_EQ(terminal_text("a\x1b]0;x\x07\n\r\t\xC2\x9B"
                          "31m\x7f\xE2\x80\xAE\xE2\x80\xA8\x9b"),
            "a\\x1b]0;x\\x07\\n\\x0d\\x09\\x9b31m\\x7f\\u202e\\u2028\\x9b");
  EXPECT_EQ(terminal_text("‖g*‖ ± é"), "‖g*‖ ± é");
  EXPECT_EQ(first_control("plain ±"), "");
  EXPECT_EQ(first_control("a\x1b\n"), "\\x1b");
  EXPECT_EQ(plain_line("a\nb\x1b[c\xE2\x80\xA9"
                       "d\xFF"),
            "a b [c d\xEF\xBF\xBD");
}

TEST(SafeText, SaysWhatIsWrongWithALine) {
  EXPECT_EQ(problem_of_line("fine", 10), "");
  EXPECT_EQ(problem_of_line("a\nb", 10), "holds the control character \\n; leave it out");
  EXPECT_EQ(problem_of_line("\xFF", 10), "must be UTF-8 text");
  EXPECT_EQ(problem_of_line("eleven byte", 10), "has 11 bytes; give at most 10");
}

// https://spec.commonmark.org/0.30/#backslash-escapes: a backslash before ASCII punctuation makes it literal.
TEST(SafeText, IsLiteralInMarkdown) {
  EXPECT_EQ(markdown_text("<script>alert(1)</script>"), "\\<script\\>alert(1)\\</script\\>");
  EXPECT_EQ(markdown_text("![x](http://evil) [a|b]"), "\\!\\[x\\](http:\\//evil) \\[a\\|b\\]");
  EXPECT_EQ(markdown_text("`a` *b* _c_ ~~d~~ $e$ &amp; # \\"),
            "\\`a\\` \\*b\\* \\_c\\_ \\~\\~d\\~\\~ \\$e\\$ \\&amp; \\# \\\\");
  EXPECT_EQ(markdown_text("www.evil.example https://a.b"), "www\\.evil.example https:\\//a.b");
  EXPECT_EQ(markdown_text("one\n# two"), "one \\# two");
  EXPECT_EQ(markdown_text("poly(power=2) 10%"), "poly(power=2) 10%");
}

TEST(SafeText, IsLiteralInLatex) {
  EXPECT_EQ(latex_text("\\input{/etc/passwd}"), "\\textbackslash{}input\\{/etc/passwd\\}");
  EXPECT_EQ(latex_text("50% a_b #1 $x$ a&b ~ ^"),
            "50\\% a\\_b \\#1 \\$x\\$ a\\&b \\textasciitilde{} \\textasciicircum{}");
  EXPECT_EQ(latex_text("[1cm] *"), "{[}1cm{]} {*}");  // after \\ an argument otherwise
  EXPECT_EQ(latex_text("a\n\\end"), "a \\textbackslash{}end");
}

TEST(SafeText, IsLiteralInHtml) {
  EXPECT_EQ(html_text("<a href=\"x\" o='y'>&\x1b"), "&lt;a href=&quot;x&quot; o=&#39;y&#39;&gt;&amp; ");
}

// https://owasp.org/www-community/attacks/CSV_Injection.
TEST(SafeText, IsNoFormulaInASpreadsheet) {
  EXPECT_EQ(csv_field("=HYPERLINK(\"http://evil\")"), "\"'=HYPERLINK(\"\"http://evil\"\")\"");
  for (const std::string text : {"=1+1", "+1+1", "-1+1", "@SUM(A1)", "＝1", "-", "+5"})
    EXPECT_EQ(csv_field(text), "'" + text) << text;
  EXPECT_EQ(csv_field("\t=1"), " =1");
  EXPECT_EQ(csv_field("\r=1"), " =1");
  // Numbers stay numbers, and names what they are.
  for (const std::string text : {"-6", "-0.5", "1e-05", "-1e-5", "linear", "a=b", "htd(-6)", ""})
    EXPECT_EQ(csv_field(text), text) << text;
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("a;=b"), "\"a;=b\"");
  EXPECT_EQ(csv_field("say \"a\""), "\"say \"\"a\"\"\"");
  EXPECT_EQ(csv_field("one\ntwo"), "one two");
}

TEST(SafeText, IsOneWordForAShell) {
  EXPECT_EQ(shell_word("runs/a-1.b"), "runs/a-1.b");
  EXPECT_EQ(shell_word("my runs/a"), "'my runs/a'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("$(id)`id`"), "'$(id)`id`'");
  EXPECT_EQ(shell_word("a\nb"), "$'a\\x0ab'");
  EXPECT_EQ(shell_word("a'\xFF\\"), "$'a\\'\\xff\\\\'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("~/x"), "'~/x'");
}

TEST(SafeText, TellsHowDeepJsonIs) {
  EXPECT_EQ(json_depth("1"), 0U);
  EXPECT_EQ(json_depth("{\"a\":[1,{\"b\":2}],\"c\":[]}"), 3U);
  EXPECT_EQ(json_depth("[\"[[[[\\\"[[\",1]"), 1U);
  EXPECT_EQ(json_depth(std::string(100'000, '[')), 100'000U);
}

}  // namespace
}  // namespace glidepath
