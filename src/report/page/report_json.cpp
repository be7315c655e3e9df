// src/report/page/report_json.cpp - what the report's page and the live page both tell, as JSON.
#include "report/page/report_json.h"

#include <cmath>

#include "report/figures/palette.h"
#include "study/results/run_words.h"

namespace glidepath {

using Json = nlohmann::ordered_json;

Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json numbers_json(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(number_json(value));
  return list;
}

Json score_json(const RunRecord& run) {
  const std::optional<RunScore> score = run_score(run);
  if (!score) return nullptr;
  return {{"text", score->text}, {"words", score->in_words()}, {"goodness", score->goodness}};
}

Json subjects_json(const std::vector<std::string>& subjects) {
  Json list = Json::array();
  for (const std::string& subject : subjects) {
    const SubjectLook look = look_of_subject(subject, subjects);
    list.push_back(
        {{"name", subject}, {"colour", look.colour}, {"place", look.place}, {"round", look.round}});
  }
  return list;
}

}  // namespace glidepath
