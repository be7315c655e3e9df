// src/recipe/carried.h - the files of recipes/; CMakeLists.txt makes what is declared here.
#pragma once
#include <vector>

#include "glidepath/recipe.h"

namespace glidepath {

/// In the order of their names.
std::vector<Recipe> carried_recipes();

}  // namespace glidepath
