// src/study/plan/identity.h - short names for what a text says.
#pragma once
#include <string>

#include "glidepath/train_config.h"

namespace glidepath {

/// The first 16 hexadecimal digits of a text's SHA-256.
std::string id_of_text(const std::string& text);

/// Whether a configuration that a program wrote is that of the run with this id; of an earlier one, which did
/// not know a key, also where it is but for ConfigKey::before_is_near.
bool is_run(const TrainConfig& written, const std::string& id);

}  // namespace glidepath
