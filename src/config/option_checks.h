// src/config/option_checks.h - what single train options may be, and the one spelling of each value.
#pragma once
#include <string>

namespace glidepath {

// Each throws InputError `"TEXT": what would be right`. Those that give a text give the spelling that runs
// are known by.

void check_full(const std::string& text);
void check_eval_every(const std::string& text);
void check_checkpoint_every(const std::string& text);
void check_device(const std::string& text);
void check_max_corrupt(const std::string& text);
std::string canonical_deadline(const std::string& text);
std::string canonical_train_res(const std::string& text);
std::string checked_eval_res(const std::string& text);
void check_bn_estimate(const std::string& text);
void check_crop_padding(const std::string& text);
std::string canonical_split(const std::string& text);
std::string canonical_eps(const std::string& text);
std::string canonical_clip_norm(const std::string& text);
std::string canonical_share_schedule(const std::string& text);
std::string canonical_optimizers_by_name(const std::string& text);
std::string canonical_path(const std::string& text);
std::string canonical_sha256(const std::string& text);
std::string canonical_data(const std::string& text);
std::string checked_ignored_label(const std::string& text);

}  // namespace glidepath
