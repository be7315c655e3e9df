// src/data/images/image_work.h - something done with every image of a split, by several threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "data/images/image_store.h"
#include "data/images/ordered_pool.h"
#include "files/patience.h"
#include "glidepath/error.h"
#include "glidepath/image_pack.h"
#include "system/cores.h"

namespace glidepath {

/// Counts images, tells of them, and ends the work at a signal.
class ImageWorkProgress {
 public:
  ImageWorkProgress(const PackOptions& options, std::int64_t total) : options_(options), total_(total) {}
  void advance(std::int64_t images) {
    done_ += images;
    if (options_.on_progress) options_.on_progress({done_, total_});
    stop_if_asked();
  }
  void stop_if_asked() const {
    const int signal = options_.stop_signal ? options_.stop_signal() : 0;
    if (signal != 0) throw Interrupted(fmt::format("stopped after {} of {} images", done_, total_), signal);
  }

 private:
  const PackOptions& options_;
  std::int64_t done_ = 0, total_;
};

/// Reads for all threads. A disk in trouble is waited for, as long as the options say.
class PatientReader {
 public:
  explicit PatientReader(const PackOptions& options) : options_(options), patience_(options.wait_seconds) {}
  StoredImage read(const ImageStore& store, std::int64_t index, std::vector<unsigned char>& buffer) {
    return patience_.read([&] { return store.read(index, buffer); }, stopping_);
  }
  void tell_news() {
    for (const std::string& line : patience_.take_news()) {
      if (options_.on_note) options_.on_note(line);
    }
  }
  void stop() { stopping_ = true; }

 private:
  const PackOptions& options_;
  Patience patience_;
  std::atomic<bool> stopping_{false};
};

/// What `work` made of an image, or why it could not.
template <typename Result>
struct WorkedImage {
  Result result{};
  std::string problem;  ///< empty: there is none
};

/// A few images of one split that follow each other.
template <typename Worker, typename Result>
class ImageWorkBatch final : public PoolBatch {
 public:
  using Work = std::function<Result(Worker&, std::int64_t index)>;

  ImageWorkBatch(const ImageStore& store, std::int64_t first, std::size_t count, const Work& work,
                 std::vector<std::unique_ptr<Worker>>& workers)
      : begin(first), made(count), store_(store), work_(work), workers_(workers) {}

  std::int64_t items() const override { return static_cast<std::int64_t>(made.size()); }
  void make(std::int64_t item, int thread) override {
    WorkedImage<Result>& to = made[static_cast<std::size_t>(item)];
    try {
      to.result = work_(*workers_[static_cast<std::size_t>(thread)], begin + item);
    } catch (const DataLost&) {  // says nothing of the image
      throw;
    } catch (const RunError& error) {
      to.problem = error.what();
      const std::string name = store_.name(begin + item) + ": ";
      if (to.problem.rfind(name, 0) == 0) to.problem.erase(0, name.size());
    }
  }

  std::int64_t begin;
  std::vector<WorkedImage<Result>> made;

 private:
  const ImageStore& store_;
  const Work& work_;
  std::vector<std::unique_ptr<Worker>>& workers_;
};

/// Works through a split, in its order, ahead of `take`. `make_worker` makes what one thread works with.
template <typename Worker, typename Result>
void for_each_image(const ImageStore& store, const PackOptions& options, ImageWorkProgress& progress,
                    PatientReader& reader, const std::function<std::unique_ptr<Worker>()>& make_worker,
                    const std::function<Result(Worker&, std::int64_t index)>& work,
                    const std::function<void(std::int64_t index, WorkedImage<Result>&)>& take) {
  using Batch = ImageWorkBatch<Worker, Result>;
  constexpr std::int64_t kBatch = 8;
  const int threads = options.jobs > 0 ? static_cast<int>(options.jobs) : usable_cores();
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < threads; ++i) workers.push_back(make_worker());
  std::int64_t begun = 0;
  OrderedPool pool(threads, threads + 1, [&]() -> std::shared_ptr<PoolBatch> {
    const std::int64_t count = std::min(kBatch, store.size() - begun);
    if (count <= 0) return nullptr;
    begun += count;
    return std::make_shared<Batch>(store, begun - count, static_cast<std::size_t>(count), work, workers);
  });
  const auto look_up = [&] {
    reader.tell_news();
    progress.stop_if_asked();
  };
  try {
    while (const auto next = pool.next(look_up)) {
      auto& batch = static_cast<Batch&>(*next);
      for (std::int64_t i = 0; i < batch.items(); ++i)
        take(batch.begin + i, batch.made[static_cast<std::size_t>(i)]);
      progress.advance(batch.items());
    }
  } catch (...) {
    reader.stop();  // whoever waits for a disk does so for nothing
    throw;
  }
  reader.tell_news();
}

}  // namespace glidepath
