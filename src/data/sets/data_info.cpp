// src/data/sets/data_info.cpp - what is in a data set, for people.
#include "glidepath/data_choice.h"
#include "glidepath/dataset.h"

namespace glidepath {

DataInfo data_info(const std::string& name, const std::filesystem::path& data_dir, const DataChoice& choice,
                   bool measured) {
  const Dataset dataset = load_dataset(name, data_dir, choice);
  DataInfo info;
  info.name = dataset.name;
  info.classes = dataset.classes;
  info.train = dataset.train.size();
  info.test = dataset.test.size();
  info.class_names = dataset.class_names;
  info.task = dataset.task;
  info.is_own = dataset.is_own();
  info.tested_on = dataset.tested_on;
  info.notes = dataset.notes;
  info.in_memory = dataset.in_memory();
  if (info.is_own) return info;
  info.train_per_class = images_per_class(dataset.train, dataset.classes);
  info.test_per_class = images_per_class(dataset.test, dataset.classes);
  if (info.in_memory) info.shape = {dataset.channels(), dataset.train.images.size(2), dataset.image_size()};
  info.mean.assign(dataset.mean.begin(), dataset.mean.end());
  info.stddev.assign(dataset.stddev.begin(), dataset.stddev.end());
  if (measured && info.in_memory) {
    DatasetStatistics found = measure_statistics(dataset);
    info.mean = std::move(found.mean);
    info.stddev = std::move(found.stddev);
  }
  return info;
}

}  // namespace glidepath
