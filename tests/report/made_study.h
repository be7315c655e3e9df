// tests/report/made_study.h - runs without a study, with measures whose values are known.
#pragma once
#include <cmath>
#include <string>
#include <vector>

#include "glidepath/budget.h"
#include "glidepath/schedule.h"
#include "report/study_data.h"

namespace glidepath {

/// 100 % is 200 updates in 20 epochs.
inline StudyRun made_run(const std::string& schedule, const std::string& budget, std::uint64_t seed,
                         double accuracy, const std::string& optimizer = "sgd") {
  RunRecord record;
  record.config.schedule = schedule;
  record.config.budget = budget;
  record.config.full = "20ep";
  record.config.seed = seed;
  record.status = RunStatus::kDone;
  record.test_accuracy = accuracy;
  record.train_loss = 2 * (1 - accuracy);
  StudyRun run = study_run(record);
  run.optimizer = optimizer;
  run.subject = subject_of(schedule, optimizer);
  run.record.updates = std::lround(2 * run.budget);
  run.record.epochs = run.budget / 5;
  return run;
}

inline double made_lr(const StudyRun& run, double progress) {
  ScheduleContext context{static_cast<double>(run.record.updates), 10, 200, 0.1};
  return 0.1 * parse_schedule(run.record.config.schedule, context)(progress);
}

/// Eleven moments; ‖g*‖ is 0.1 + 20 lr + seed / 1000, ‖w‖ is 10 + progress.
inline StudyRun measured(StudyRun run) {
  for (int i = 0; i <= 10; ++i) {
    const double p = i / 10.0, lr = made_lr(run, p);
    const auto step = std::lround(p * static_cast<double>(run.record.updates));
    const auto add = [&](const char* name, double value) {
      run.measures.push_back({name, step, p, lr, value});
    };
    const double norm = 0.1 + 20 * lr + static_cast<double>(run.record.config.seed) / 1000;
    add("grad_norm", norm);
    add("weight_norm", 10 + p);
    add("train_loss_full", 2 - p);
    add("grad_norm_estimate", 1.1 * norm);
    add("grad_norm_estimate_error", i < 5 ? 0.04 * norm : 0.2 * norm);
    if (run.optimizer == "sgd") continue;
    add("effective_lr_median", 0.5 + p);
    add("effective_lr_q05", 0.25 + p);
    add("effective_lr_q95", 1 + p);
  }
  for (int i = 1; i <= 5; ++i) {
    const double p = i / 5.0;
    const auto step = std::lround(p * static_cast<double>(run.record.updates));
    run.curve.push_back({"train", step, p, made_lr(run, p), 2 - p, p / 2});
    run.curve.push_back({"eval", step, p, made_lr(run, p), 1.9 - p, p / 2});
  }
  return run;
}

/// What every figure needs, with two seeds.
inline StudyData whole_study() {
  StudyData data{"made", "invented", {}};
  for (const std::uint64_t seed : {1, 2}) {
    for (const char* budget : {"1%", "5%", "10%", "25%", "50%", "100%"}) {
      const double share = std::log10(parse_budget(budget).amount) / 2;
      const double accuracy = 0.3 + 0.6 * share + 0.02 * static_cast<double>(seed);
      data.runs.push_back(measured(made_run("linear", budget, seed, accuracy)));
      for (const char* schedule : {"step-d2", "sgdr-r2", "sgdr(1,2)", "const", "cosine"}) {
        StudyRun run =
            made_run(schedule, budget, seed, accuracy - 0.01 * static_cast<double>(schedule[1] % 7));
        data.runs.push_back(run.budget == 100 ? measured(run) : run);
      }
      data.runs.push_back(made_run("cut(step-d2)", budget, seed, accuracy - 0.1));
      for (const char* optimizer : {"adagrad", "rmsprop", "adam"})
        data.runs.push_back(made_run("const", budget, seed,
                                     accuracy - 0.01 * static_cast<double>(optimizer[1] % 5), optimizer));
      StudyRun amsgrad = made_run("const", budget, seed, accuracy - 0.05, "amsgrad");
      data.runs.push_back(amsgrad.budget == 100 ? measured(amsgrad) : amsgrad);
    }
    data.runs.push_back(measured(made_run("cut(exp(0.97))", "25%", seed, 0.5)));
  }
  return data;
}

}  // namespace glidepath
