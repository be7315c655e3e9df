// src/run/state_map.h - what a checkpoint keeps beside tensors: keys and values, each known to its owner
// alone.
#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace glidepath {

/// What a struct names its fields to, one call each, in `void fields(StateFields& fields)`. They are written
/// into a state, or read from one that anybody may have written: InputError for what is not there, or is
/// nothing that writing leaves.
class StateFields {
 public:
  static StateFields reader(const nlohmann::json& from) { return {&from, nullptr}; }
  static StateFields writer(nlohmann::json& to) { return {nullptr, &to}; }

  /// Whether there is such a key, always so when written. For keys that older checkpoints lack: a field that
  /// is not read keeps its default.
  bool has(const char* key) const { return to_ != nullptr || from_->contains(key); }

  /// At least 0.
  void count(const char* key, std::int64_t& value);
  /// A count, or -1 for none.
  void count_or_none(const char* key, std::int64_t& value);
  void counts(const char* key, std::vector<std::int64_t>& values);
  void flag(const char* key, bool& value);
  /// Finite: JSON knows no other.
  void number(const char* key, double& value);
  /// One that may be no finite number, which is read as NaN.
  void number_or_nan(const char* key, double& value);
  /// At least 0.
  void seconds(const char* key, double& value);

  /// A list of structs that name their fields likewise.
  template <typename T>
  void list(const char* key, std::vector<T>& items) {
    items.resize(size_of_list(key, items.size()));
    for (std::size_t i = 0; i < items.size(); ++i) {
      StateFields fields = item(key, i);
      items[i].fields(fields);
    }
  }

  /// A value that has to_json, and `from` that reads it back and throws for another.
  template <typename T, typename From>
  void value(const char* key, T& value, From from) {
    if (to_ != nullptr) {
      (*to_)[key] = to_json(value);
    } else {
      read(key, [&](const nlohmann::json& json) { value = from(json); });
    }
  }

 private:
  StateFields(const nlohmann::json* from, nlohmann::json* to) : from_(from), to_(to) {}
  std::size_t size_of_list(const char* key, std::size_t size);
  StateFields item(const char* key, std::size_t place);

  template <typename T, typename From>
  void field(const char* key, T& value, From from) {
    if (to_ != nullptr) {
      (*to_)[key] = value;
    } else {
      read(key, [&](const nlohmann::json& json) { value = from(json); });
    }
  }
  /// Calls `use` with what is under the key; what that throws becomes an error that names the key.
  template <typename Use>
  void read(const char* key, Use use) const {
    try {
      use(from_->at(key));
    } catch (const std::exception&) {
      refuse(key);
    }
  }
  [[noreturn]] static void refuse(const char* key);

  const nlohmann::json* from_;  // or none, when written
  nlohmann::json* to_;
};

/// The keys of a run state. Nobody knows all of them: structs with `fields` are put in and taken out.
class StateMap {
 public:
  /// Throws InputError for a text that is no JSON object.
  static StateMap parse(const std::string& text);
  /// The text that a checkpoint keeps.
  std::string text() const;

  /// The fields of `part` replace what was there under their keys.
  template <typename Part>
  void put(Part part) {
    StateFields fields = StateFields::writer(json_);
    part.fields(fields);
  }
  /// Throws InputError where a key of Part is missing, or holds what put() does not write.
  template <typename Part>
  Part get() const {
    Part part;
    StateFields fields = StateFields::reader(json_);
    part.fields(fields);
    return part;
  }

 private:
  nlohmann::json json_ = nlohmann::json::object();
};

}  // namespace glidepath
