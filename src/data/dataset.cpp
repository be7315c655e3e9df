// src/data/dataset.cpp - temporary
#include "glidepath/dataset.h"

#include <fstream>

#include <torch/torch.h>
namespace glidepath {
const std::vector<std::string>& dataset_names() {
  static std::vector<std::string> n{"cifar10"};
  return n;
}
Dataset load_dataset(const std::string&, const std::filesystem::path& dir) {
  Dataset d;
  d.name = "cifar10";
  d.classes = 10;
  d.mean = {0.4914f, 0.4822f, 0.4465f};
  d.stddev = {0.2470f, 0.2435f, 0.2616f};
  auto rd = [&](std::vector<std::string> fs, Split& s) {
    auto n = (std::int64_t)fs.size() * 10000;
    s.images = torch::empty({n, 3, 32, 32}, torch::kUInt8);
    s.labels = torch::empty({n}, torch::kInt64);
    std::vector<char> b(30730000);
    std::int64_t k = 0;
    for (auto& f : fs) {
      std::ifstream i(dir / f, std::ios::binary);
      i.read(b.data(), b.size());
      for (int r = 0; r < 10000; ++r, ++k) {
        s.labels.data_ptr<std::int64_t>()[k] = (unsigned char)b[r * 3073];
        memcpy(s.images.data_ptr<std::uint8_t>() + k * 3072, &b[r * 3073 + 1], 3072);
      }
    }
  };
  rd({"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
     d.train);
  rd({"test_batch.bin"}, d.test);
  return d;
}
}  // namespace glidepath
