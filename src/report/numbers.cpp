// src/report/numbers.cpp - what figures show, as numbers to quote.
#include "report/numbers.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "glidepath/statistics.h"
#include "report/figures/figure_parts.h"

namespace glidepath {
namespace {

constexpr double kEarly = 0.1;  // progress: a network's first steps have large gradients at any rate

using Values = std::map<std::int64_t, const MeasurePoint*>;  // by update

Values values_of(const StudyRun& run, const std::string& measure) {
  Values values;
  for (const MeasurePoint& point : run.measures) {
    if (point.name == measure) values[point.step] = &point;
  }
  return values;
}

double last_value(const StudyRun& run, const std::string& measure) {
  const Values values = values_of(run, measure);
  return values.empty() ? kNaN : values.rbegin()->second->value;
}

/// "1.234", with " ± 0.012" for several seeds; "-" when there is none.
std::string cell(const SeedRuns& runs, const std::function<double(const StudyRun&)>& value, int digits = 3) {
  std::vector<double> values;
  for (const StudyRun* run : runs) {
    if (std::isfinite(value(*run))) values.push_back(value(*run));
  }
  if (values.empty()) return "-";
  std::string text = fmt::format("{:.{}f}", mean(values), digits);
  if (values.size() > 1) text += fmt::format(" ± {:.{}f}", sample_stddev(values), digits);
  return text;
}

using Rows = std::function<void(const std::string& subject, double budget, const SeedRuns& runs)>;

/// Every subject and budget with the measure ("": all).
void for_each_cell(const StudyData& data, const std::string& measure, const Rows& row) {
  for (const std::string& subject : subjects_in(data)) {
    for (const double budget : budgets_of(data, subject, measure))
      row(subject, budget, runs_at(data, subject, budget, measure));
  }
}

std::string norm_table(const StudyData& data, const std::string& measure, const std::string& sign,
                       const std::string& rate, const std::string& rate_name) {
  std::string rows;
  for_each_cell(data, measure, [&](const std::string& subject, double budget, const SeedRuns& runs) {
    const auto of = [&](double NormCourse::*field) {
      return cell(runs, [&](const StudyRun& run) { return norm_course(run, measure, rate).*field; });
    };
    const auto ratio = [&](const StudyRun& run) {
      const NormCourse course = norm_course(run, measure, rate);
      return course.last / course.first;
    };
    if (!rate.empty() && values_of(*runs.front(), rate).empty()) return;
    rows += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", markdown_text(subject),
                        budget_name(budget), runs.size(), of(&NormCourse::first), of(&NormCourse::largest),
                        of(&NormCourse::last), cell(runs, ratio), of(&NormCourse::lr_correlation),
                        of(&NormCourse::late_lr_correlation));
  });
  if (rows.empty()) return {};
  return fmt::format(
      "| run | budget | seeds | {0} at the start | largest | at the end | end / start | correlation with {1} "
      "| from p = {2} on |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n{3}",
      sign, rate_name, kEarly, rows);
}

std::string final_table(const StudyData& data) {
  const bool any_loss = std::any_of(data.runs.begin(), data.runs.end(),
                                    [](const StudyRun& run) { return !std::isnan(shown_loss(run.record)); });
  const ShownScore score(data.score);
  std::string rows;
  for_each_cell(data, "", [&](const std::string& subject, double budget, const SeedRuns& runs) {
    rows += fmt::format("| {} | {} | {} | {} | {} | {} |", markdown_text(subject), budget_name(budget),
                        runs.size(), cell(runs, train_loss),
                        cell(runs, [](const StudyRun& run) { return last_value(run, "train_loss_full"); }),
                        cell(
                            runs, [&](const StudyRun& run) { return score.of(run); }, 2));
    if (any_loss)
      rows += fmt::format(" {} |", cell(runs, [](const StudyRun& run) { return run.record.test_loss; }));
    rows += "\n";
  });
  if (rows.empty()) return {};
  const char* more = any_loss ? " test loss |\n" : "\n";
  const char* rule = any_loss ? "---:|\n" : "\n";
  return fmt::format(
      "| run | budget | seeds | training loss, last epoch | at the end, whole set | {} |{}"
      "|---|---:|---:|---:|---:|---:|{}{}",
      score.label(), more, rule, rows);
}

std::string estimate_table(const StudyData& data) {
  std::string rows;
  for_each_cell(
      data, "grad_norm_estimate", [&](const std::string& subject, double budget, const SeedRuns& runs) {
        if (check_estimate(*runs.front()).moments == 0) return;
        rows += fmt::format(
            "| {} | {} | {} | {} | {} |\n", markdown_text(subject), budget_name(budget),
            check_estimate(*runs.front()).moments,
            cell(
                runs, [](const StudyRun& run) { return 100 * check_estimate(run).mean_error; }, 1),
            cell(
                runs, [](const StudyRun& run) { return 100 * check_estimate(run).within_errors; }, 0));
      });
  if (rows.empty()) return {};
  return "| run | budget | moments | mean distance from the exact ‖g*‖ (%) | within 2 standard errors (%) |\n"
         "|---|---:|---:|---:|---:|\n" +
         rows;
}

std::string section(const std::string& title, const std::string& table) {
  return table.empty() ? "" : fmt::format("### {}\n\n{}\n", title, table);
}

std::string csv_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

}  // namespace

NormCourse norm_course(const StudyRun& run, const std::string& measure, const std::string& rate) {
  const Values values = values_of(run, measure), rates = values_of(run, rate);
  if (values.empty()) return {kNaN, kNaN, kNaN, kNaN, kNaN};
  NormCourse course{values.begin()->second->value, 0, values.rbegin()->second->value, kNaN, kNaN};
  std::vector<double> norms, lrs, late_norms, late_lrs;
  for (const auto& [step, point] : values) {
    course.largest = std::max(course.largest, point->value);
    const auto measured = rates.find(step);
    if (!rate.empty() && measured == rates.end()) continue;
    norms.push_back(point->value);
    lrs.push_back(rate.empty() ? point->lr : measured->second->value);
    if (point->progress < kEarly) continue;
    late_norms.push_back(norms.back());
    late_lrs.push_back(lrs.back());
  }
  course.lr_correlation = correlation(norms, lrs);
  course.late_lr_correlation = correlation(late_norms, late_lrs);
  return course;
}

EstimateCheck check_estimate(const StudyRun& run) {
  const Values exact = values_of(run, "grad_norm"), estimates = values_of(run, "grad_norm_estimate"),
               errors = values_of(run, "grad_norm_estimate_error");
  EstimateCheck check;
  std::size_t within = 0;
  for (const auto& [step, point] : exact) {
    const auto estimate = estimates.find(step), error = errors.find(step);
    if (estimate == estimates.end() || error == errors.end() || !(point->value > 0)) continue;
    const double distance = std::abs(estimate->second->value - point->value);
    check.moments += 1;
    check.mean_error += distance / point->value;
    within += distance <= 2 * error->second->value ? 1 : 0;
  }
  if (check.moments == 0) return check;
  check.mean_error /= static_cast<double>(check.moments);
  check.within_errors = static_cast<double>(within) / static_cast<double>(check.moments);
  return check;
}

std::string render_numbers(const StudyData& data) {
  return section("Full gradient norm", norm_table(data, "grad_norm", "‖g*‖", "", "lr")) +
         section("Full gradient norm and effective learning rate β (median)",
                 norm_table(data, "grad_norm", "‖g*‖", "effective_lr_median", "β")) +
         section("Weight norm", norm_table(data, "weight_norm", "‖w‖", "", "lr")) +
         section("Online estimate", estimate_table(data)) +
         section("Losses and scores at the end", final_table(data));
}

std::string figure_csv(const Figure& figure) {
  std::string csv = "figure,panel,series,subject,budget,axis,x,y,spread\n";
  for (const Panel& panel : figure.panels) {
    for (const Series& series : panel.series) {
      const std::string line_start = fmt::format(
          "{},{},{},{},{},{}", figure.id, csv_field(panel.title), csv_field(series.name),
          csv_field(series.subject), csv_number(series.budget), series.right_axis ? "right" : "left");
      for (std::size_t i = 0; i < series.x.size(); ++i) {
        csv += fmt::format("{},{},{},{}\n", line_start, csv_number(series.x[i]), csv_number(series.y[i]),
                           i < series.spread.size() ? csv_number(series.spread[i]) : "");
      }
    }
  }
  return csv;
}

}  // namespace glidepath
