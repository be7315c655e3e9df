// src/cli/data_images.h - `glidepath data pack`, and `data verify` for images.
#pragma once
#include <string>

#include <CLI/CLI.hpp>

#include "cli/terminal/progress_line.h"
#include "glidepath/image_pack.h"

namespace glidepath::cli {

/// The path that a name of images means: "imagefolder:/data/photos", or a pack's "photos.gpk"; empty for
/// other names.
std::string images_path(const std::string& name);

/// Which part of what lies at a path is meant.
struct ImageChoiceArguments {
  std::string split, test_on = "auto";
};
void add_choice_flags(CLI::App& command, ImageChoiceArguments& choice);
void set_choice(PackOptions& options, const ImageChoiceArguments& choice);

/// A message of the library begins with the option that is wrong, which the user gave as a flag.
std::string with_flag(std::string message);

/// Fills in what goes to the terminal. `line` must live as long as the options.
void show_progress(PackOptions& options, ProgressLine& line, const std::string& doing);

struct VerifyArguments {
  std::string name, data_dir;
  ImageChoiceArguments choice;
  bool quiet = false, json = false;
};

/// Checks every image and prints what is wrong; throws InputError when something is. A relative path is taken
/// from `data_dir` where that is not empty.
void verify_images(const VerifyArguments& arguments);

void add_pack(CLI::App& command);

}  // namespace glidepath::cli
