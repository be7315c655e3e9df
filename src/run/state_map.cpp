// src/run/state_map.cpp - what a checkpoint keeps beside tensors.
#include "run/state_map.h"

#include <limits>

#include <fmt/format.h>

#include "files/json_text.h"
#include "glidepath/error.h"
#include "run/json_count.h"

namespace glidepath {
namespace {

InputError no_run_state(const std::string& why) {
  return InputError(fmt::format("holds no run state{}; it is not a checkpoint of glidepath train", why));
}

double number_in(const nlohmann::json& json) {
  if (!json.is_number()) throw InputError("no number");
  return json.get<double>();
}

double seconds_in(const nlohmann::json& json) {
  const double seconds = number_in(json);
  if (!(seconds >= 0)) throw InputError("negative");
  return seconds;
}

}  // namespace

void StateFields::refuse(const char* key) { throw no_run_state(fmt::format(" (\"{}\")", key)); }

void StateFields::count(const char* key, std::int64_t& value) { field(key, value, count_in); }

void StateFields::count_or_none(const char* key, std::int64_t& value) {
  field(key, value, [](const nlohmann::json& json) { return json == -1 ? -1 : count_in(json); });
}

void StateFields::counts(const char* key, std::vector<std::int64_t>& values) {
  field(key, values, [](const nlohmann::json& json) {
    std::vector<std::int64_t> found;
    for (const auto& one : json.get_ref<const nlohmann::json::array_t&>()) found.push_back(count_in(one));
    return found;
  });
}

void StateFields::flag(const char* key, bool& value) {
  field(key, value, [](const nlohmann::json& json) { return json.get<bool>(); });
}

void StateFields::number(const char* key, double& value) { field(key, value, number_in); }

// As text such a number is null.
void StateFields::number_or_nan(const char* key, double& value) {
  field(key, value, [](const nlohmann::json& json) {
    return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : number_in(json);
  });
}

void StateFields::seconds(const char* key, double& value) { field(key, value, seconds_in); }

std::size_t StateFields::size_of_list(const char* key, std::size_t size) {
  if (to_ != nullptr) {
    (*to_)[key] = nlohmann::json::array();
  } else {
    read(key,
         [&](const nlohmann::json& list) { size = list.get_ref<const nlohmann::json::array_t&>().size(); });
  }
  return size;
}

StateFields StateFields::item(const char* key, std::size_t place) {
  return to_ != nullptr ? writer((*to_)[key][place]) : reader(from_->at(key)[place]);
}

StateMap StateMap::parse(const std::string& text) {
  StateMap state;
  state.json_ = try_parse_json(text);
  if (!state.json_.is_object()) throw no_run_state("");
  return state;
}

std::string StateMap::text() const { return json_text(json_); }

}  // namespace glidepath
