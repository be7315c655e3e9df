// src/loop/feed/data_watch.h - what a run tells of its data, and does while they cannot be read.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "glidepath/dataset.h"
#include "loop/stateful.h"
#include "ranks/ranks.h"

namespace glidepath {

class Patience;

/// Passes on what is found and waited for. While a disk in trouble is waited for, a signal may stop the run
/// at the places where a MayStop lives: there a checkpoint may be written.
class DataWatch : public Stateful {
 public:
  using Tell = std::function<void(const std::string&)>;

  /// `warn` is told of disks that are waited for, `warn_of_images` of those that cannot be decoded.
  DataWatch(const Dataset& dataset, Tell warn, Tell warn_of_images);
  ~DataWatch() override;
  DataWatch(const DataWatch&) = delete;
  DataWatch& operator=(const DataWatch&) = delete;

  /// Called while one waits and may stop; it throws to end the run.
  void set_stop(std::function<void()> stop_if_asked) { stop_if_asked_ = std::move(stop_if_asked); }
  /// Tells what there is to be told.
  void tell() const;
  /// Whether images were met that the other ranks do not know of.
  bool has_news() const;
  /// Each rank decodes its own part. Counted, named and held against the limit are the images of all.
  void share(const Ranks& ranks);

  /// Images met that cannot be decoded, by place in their split.
  struct Kept {
    std::vector<std::int64_t> train, test;

    void fields(StateFields& fields);
  };
  void save(Saved& saved) const override;
  void load(const Saved& saved) override;

  class MayStop {
   public:
    explicit MayStop(DataWatch& watch) : watch_(watch) { ++watch_.may_stop_; }
    ~MayStop() { --watch_.may_stop_; }
    MayStop(const MayStop&) = delete;
    MayStop& operator=(const MayStop&) = delete;

   private:
    DataWatch& watch_;
  };

 private:
  std::shared_ptr<CorruptImages> train_, test_;  // none for images in memory
  std::shared_ptr<Patience> patience_;           // likewise
  Tell warn_, warn_of_images_;
  std::function<void()> stop_if_asked_;
  int may_stop_ = 0;
};

/// "244 training images of 2 classes; tested on the 153 of val", for images in a store.
std::string told_data(const Dataset& dataset);

}  // namespace glidepath
