// src/config/toml_implementation.cpp - toml++ itself, compiled once for all that read and write TOML.
#define TOML_IMPLEMENTATION
#include "config/toml.h"
