// src/loop/loop.cpp - the training loop.
#include "loop/loop.h"

#include <torch/types.h>

namespace glidepath {
namespace {

// What rank 0 says where no callback is due.
constexpr int kAnotherUpdate = -1, kNoMore = -2;

}  // namespace

void Loop::run() {
  if (!kept_.trained) {
    for (Callback* each : callbacks_) each->on_start(view_);
  }
  if (run_.glide.step() > 0) run_.glide.tick(run_.seconds_spent());
  asked_ = 0;
  while (!kept_.trained) {
    if (Callback* due = next_due()) {
      due->act(view_);
    } else if (!kept_.trained) {
      update();
      for (Callback* each : callbacks_) each->after_update(view_);
    }
  }
  for (Callback* each : callbacks_) each->at_end(view_);
}

void Loop::update() {
  Glide& glide = run_.glide;
  const double begun = run_.ranks.now(), lr = glide.lr();
  run_.tally.begin(lr);
  updater_.begin();
  run_.sizes.now_at(glide.progress());
  const Batch part = run_.feed.take();
  if (run_.sizes.vary()) run_.sizes.count(run_.feed.images_of(glide.step()), part.images().size(2));
  run_.data.watch.tell();
  run_.option_schedules.apply(*run_.optimizer, glide);
  const Applied done = updater_.apply(part, run_.feed.images_of(glide.step()), glide.step(), lr,
                                      [&](double share) { return glide.lr_until(share); });
  run_.feed.update_queued();
  const double took = run_.ranks.now() - begun;
  run_.tally.add(done, took);
  glide.update_done(took);
}

// Rank 0 asks, as the answers rest on its clock and disk; the others are told. Between two updates everyone
// is asked once, whatever clock and disk say meanwhile; when nobody else is due, time goes on, and either
// another update fits or none.
Callback* Loop::next_due() {
  const Ranks::Decision said = run_.ranks.first_says([this]() -> Ranks::Decision {
    while (asked_ < callbacks_.size()) {
      const std::size_t one = asked_++;
      if (callbacks_[one]->is_due(view_)) return {static_cast<int>(one), run_.glide.progress()};
    }
    asked_ = 0;
    run_.glide.tick(run_.seconds_spent());
    return {run_.glide.done() ? kNoMore : kAnotherUpdate, run_.glide.progress()};
  });
  if (!run_.ranks.is_first()) run_.glide.follow(said.progress, said.what == kNoMore);
  kept_.trained = said.what == kNoMore;
  return said.what < 0 ? nullptr : callbacks_[static_cast<std::size_t>(said.what)];
}

}  // namespace glidepath
