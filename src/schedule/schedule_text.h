// src/schedule/schedule_text.h - the grammar of schedules: name(argument, key=argument, ...).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glidepath {

/// `poly(power=2, warmup=5%)` taken apart. Arguments stay text until a schedule asks for them by name, so
/// that whoever asks knows what to say when one is wrong.
class ScheduleCall {
 public:
  /// Throws InputError for text that is not of the grammar.
  static ScheduleCall parse(std::string_view text);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }

  /// The named argument, or the next positional one; each is handed out once. Nothing when it was not given.
  std::optional<std::string> take(const std::string& key, bool positional = true);
  /// As take(), as a number in the range; `fallback` when not given.
  double number(const std::string& key, double fallback, double low, double high, bool open_low = false);
  /// As number(), for a share: `20%` or `0.2`, in [0, 1].
  double share(const std::string& key, double fallback, bool positional = true);
  /// As take(), one of the words.
  std::string word(const std::string& key, const std::string& fallback,
                   const std::vector<std::string>& words);
  /// All positional arguments that are left.
  std::vector<std::string> take_positional();
  /// Those with a key that are left, as key=value.
  std::vector<std::string> take_named();
  /// Puts an argument into the canonical text; asked-for numbers, shares and words do so by themselves when
  /// they differ from their fallback, and always, without key, while show_bare() is on.
  void note(const std::string& key, const std::string& value);
  void show_bare(bool bare) { bare_ = bare; }
  /// Makes it a call of another schedule with these positional arguments, and a named one where it has none
  /// of that name; the named arguments that it has stay.
  void become(const std::string& name, std::vector<std::string> positional,
              std::pair<std::string, std::string> named);
  /// The text that every spelling of this call shares, once all its arguments were asked for.
  std::string canonical() const;
  /// Throws InputError naming what nobody asked for, with the names that were asked for.
  void require_all_taken() const;

  [[noreturn]] void refuse(const std::string& reason) const;

 private:
  std::string text_, name_;
  std::vector<std::string> positional_;
  std::vector<std::pair<std::string, std::string>> named_;
  std::vector<std::string> asked_;
  std::vector<std::string> noted_;
  bool bare_ = false;
};

}  // namespace glidepath
