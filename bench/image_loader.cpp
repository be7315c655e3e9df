// bench/image_loader.cpp - images per second that the loader makes ready for training: decoded, cropped,
// flipped, normalised. Run by bench/image_loading.py, in turn with torchvision's.
//
//     build/release/bench/image_loader PATH [SECONDS] [WORKERS]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include <torch/types.h>

#include "glidepath/loader.h"

int main(int argc, char** argv) {
#ifndef NDEBUG
  std::fputs("image_loader: a debug build measures nothing; use the preset release\n", stderr);
  return 2;
#endif
  if (argc < 2) {
    std::fputs("image_loader PATH [SECONDS] [WORKERS]\n", stderr);
    return 2;
  }
  using Clock = std::chrono::steady_clock;
  try {
    const double wanted = argc > 2 ? std::atof(argv[2]) : 8;
    glidepath::Dataset dataset = glidepath::load_dataset(std::string("imagefolder:") + argv[1]);
    dataset.image_options.workers = argc > 3 ? std::atoi(argv[3]) : 2;
    glidepath::LoaderOptions options;
    options.batch_size = 64;
    glidepath::TrainLoader loader(dataset, options);
    for (std::int64_t i = 0; i < loader.steps_per_epoch(); ++i)
      loader.next();  // files in memory, threads awake
    const auto start = Clock::now();
    std::int64_t images = 0;
    double seconds = 0;
    while (seconds < wanted) {
      images += loader.next().images().size(0);
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    std::printf("%.1f\n", static_cast<double>(images) / seconds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "image_loader: %s\n", error.what());
    return 1;
  }
}
