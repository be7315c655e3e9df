// src/ranks/same_on_all.cpp - what every rank of a job has to have been given alike.
#include "ranks/same_on_all.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace glidepath {
namespace {

// CBOR, as paths need not be UTF-8, which JSON asks for.
std::string bytes_of(const Facts& facts) {
  const auto cbor = nlohmann::json::to_cbor(facts);
  return {cbor.begin(), cbor.end()};
}

std::string value_in(const Facts& facts, const std::string& name) {
  const auto found =
      std::find_if(facts.begin(), facts.end(), [&](const auto& fact) { return fact.first == name; });
  return found == facts.end() ? "not given" : fmt::format("\"{}\"", found->second);
}

std::string first_difference(const Facts& facts, const Facts& others) {
  for (const auto& [name, value] : facts) {
    if (value_in(others, name) != value_in(facts, name)) return name;
  }
  for (const auto& [name, value] : others) {
    if (value_in(facts, name) != value_in(others, name)) return name;
  }
  return {};
}

}  // namespace

void require_same(ProcessGroup& group, const Facts& facts, const std::string& advice) {
  std::vector<Facts> all;
  for (const std::string& bytes : group.all_gather(bytes_of(facts)))
    all.push_back(nlohmann::json::from_cbor(bytes).get<Facts>());
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    const std::string name = first_difference(all[0], all[rank]);
    if (name.empty()) continue;
    throw InputError(fmt::format("{}: {} on rank 0 and {} on {}; {}", name, value_in(all[0], name),
                                 value_in(all[rank], name), group.name_of(static_cast<int>(rank)), advice));
  }
}

}  // namespace glidepath
