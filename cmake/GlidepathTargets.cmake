# How every target of the project is built: warnings, sanitizers, ccache, one torch precompiled header.
find_program(GLIDEPATH_CCACHE ccache)
if(GLIDEPATH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache's manual asks for when precompiled headers are in use. With the dependencies that the
  # compiler writes for Ninja it need not preprocess every file beforehand; with hashes kept by inode it need not read
  # 330 MB of precompiled header for each.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1 CCACHE_INODECACHE=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${GLIDEPATH_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # It would look for garbage in the whole precompiled header, again and again.
  add_compile_options(--param=ggc-min-heapsize=1000000)
endif()
find_program(GLIDEPATH_MOLD mold)
if(GLIDEPATH_MOLD AND NOT CMAKE_CROSSCOMPILING AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU"
   AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
  add_link_options(-fuse-ld=mold)
endif()

# Whether a file holds loops that are compiled for several instruction sets.
function(glidepath_is_kernel result source)
  set(${result} OFF PARENT_SCOPE)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${source})
    file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/${source} clones REGEX "include \"simd/clones.h\"")
    if(clones)
      set(${result} ON PARENT_SCOPE)
    endif()
  endif()
endfunction()

# Compiled in groups, as one file each: most of the time goes into headers, and into templates that every file would
# instantiate again. A group of LENGTH files is to compile within seconds, since one change compiles it anew.
function(glidepath_compile_in_groups target length)
  if(NOT GLIDEPATH_UNITY OR CMAKE_UNITY_BUILD)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    # What is compiled for several instruction sets stands alone: another file's functions that were inlined there would
    # be compiled to other bits.
    glidepath_is_kernel(is_kernel ${source})
    if(is_kernel)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
  list(LENGTH sources count)
  if(count GREATER 1)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${length})
  endif()
endfunction()

# Not optimised at all, for tests and the command line: most of what compiling them takes would go into that.
function(glidepath_do_not_optimise target)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${target} PRIVATE -O0)  # the last one wins
    set_target_properties(${target} PROPERTIES GLIDEPATH_NOT_OPTIMISED ON)
  endif()
endfunction()

# What reads, plans and writes texts, and computes next to nothing.
function(glidepath_optimise_little target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

function(glidepath_compile_flags target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wundef $<$<BOOL:${GLIDEPATH_WERROR}>:-Werror>)
  # GCC 12 takes `"a" + std::string` for a copy that overlaps itself, and a search in one for a read without end, as C++20
  # (its bug 105651, mended in 13).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict $<$<STREQUAL:${CMAKE_CXX_STANDARD},20>:-Wno-stringop-overread>)
  endif()
  if(GLIDEPATH_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${GLIDEPATH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${GLIDEPATH_SANITIZE})
  endif()
endfunction()

# glidepath_library(<name> SOURCES ... [LINK ...] [PRIVATE_LINK ...])  ->  target glidepath_<name>, alias glidepath::<name>
function(glidepath_library name)
  cmake_parse_arguments(ARG "TORCH;LITTLE_OPTIMISED" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(glidepath_${name} STATIC ${ARG_SOURCES})
  add_library(glidepath::${name} ALIAS glidepath_${name})
  set_target_properties(glidepath_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(glidepath_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(glidepath_${name} PUBLIC ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
  glidepath_compile_flags(glidepath_${name})
  if(ARG_TORCH)
    glidepath_compile_in_groups(glidepath_${name} 5)
  else()
    glidepath_compile_in_groups(glidepath_${name} 6)
  endif()
  # Files with torch ask its kernels to compute, and take most of the time that compiling takes; kernels of our own in
  # them are optimised all the same, without the precompiled header, which is for one level of optimisation.
  if(ARG_LITTLE_OPTIMISED OR ARG_TORCH)
    glidepath_optimise_little(glidepath_${name})
    foreach(source IN LISTS ARG_SOURCES)
      glidepath_is_kernel(is_kernel ${source})
      if(is_kernel)
        set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON
          COMPILE_OPTIONS $<$<CONFIG:Release>:-O3>)
      endif()
    endforeach()
  endif()
  if(ARG_TORCH)
    glidepath_use_pch(glidepath_${name} torch)
  elseif(ARG_LITTLE_OPTIMISED)
    glidepath_use_pch(glidepath_${name} text)
  endif()
  set_property(GLOBAL APPEND PROPERTY GLIDEPATH_LIBRARIES glidepath_${name})
endfunction()

# Precompiled headers: of torch, where parsing them takes longer than compiling most of our files, and of what texts are
# made with. One of each for the whole project, and another for what is not optimised, as GCC takes one with the same -O
# alone. Not torch/torch.h: what its modules leave to be instantiated costs every file that uses it three times as much.
set(GLIDEPATH_PCH_text <fmt/format.h> <fmt/ranges.h> <nlohmann/json.hpp> <algorithm> <filesystem> <functional> <iostream> <map>
    <optional> <sstream> <string> <vector>)
set(GLIDEPATH_PCH_cli ${GLIDEPATH_PCH_text} <CLI/CLI.hpp>)
set(GLIDEPATH_PCH_torch <torch/types.h> <fmt/format.h> <filesystem>)

# LibTorch is built with NDEBUG, and some of its classes (at::RecordFunction) are larger in headers without.
function(glidepath_fit_torch target kind)
  if(kind STREQUAL "torch")
    target_compile_definitions(${target} PRIVATE $<$<CONFIG:Debug>:NDEBUG>)
  endif()
endfunction()

function(glidepath_pch name kind)
  file(WRITE ${PROJECT_BINARY_DIR}/${name}.cpp "// anchors the precompiled header\n")
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE fmt::fmt nlohmann_json::nlohmann_json)
  if(kind STREQUAL "torch")
    target_link_libraries(${name} PRIVATE LibTorch::LibTorch)
  endif()
  glidepath_compile_flags(${name})
  glidepath_fit_torch(${name} ${kind})
  target_precompile_headers(${name} PRIVATE ${GLIDEPATH_PCH_${kind}})
endfunction()

# glidepath_use_pch(<target> text|cli|torch)
function(glidepath_use_pch target kind)
  glidepath_fit_torch(${target} ${kind})
  if(GLIDEPATH_NO_PCH)
    return()
  endif()
  set(header glidepath_${kind}_pch)
  get_target_property(not_optimised ${target} GLIDEPATH_NOT_OPTIMISED)
  if(not_optimised)
    set(header ${header}_not_optimised)
  endif()
  if(NOT TARGET ${header})
    glidepath_pch(${header} ${kind})
    if(not_optimised)
      glidepath_do_not_optimise(${header})
    else()
      glidepath_optimise_little(${header})
    endif()
  endif()
  # CMake compiles programs with -fPIE; the header was precompiled for libraries, and the last flag wins.
  target_compile_options(${target} PRIVATE -fPIC)
  target_precompile_headers(${target} REUSE_FROM ${header})
endfunction()
