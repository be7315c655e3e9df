# Finds LibTorch by its headers and libraries alone -> target LibTorch::LibTorch.
#
# The TorchConfig.cmake that LibTorch ships asks for a whole CUDA toolkit when the build has CUDA, and
# Debian's needs development packages we do not use; linking needs neither. Looks in CMAKE_PREFIX_PATH
# (an unpacked libtorch/ folder, or site-packages/torch of a Python wheel), then in the system.
find_path(LibTorch_INCLUDE_DIR torch/csrc/autograd/function.h PATH_SUFFIXES include)
find_path(LibTorch_API_INCLUDE_DIR torch/torch.h
          HINTS ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include NO_DEFAULT_PATH)
find_library(LibTorch_CPU_LIBRARY torch_cpu PATH_SUFFIXES lib)
if(LibTorch_CPU_LIBRARY)
  # The others from the same folder: parts of two LibTorches do not fit together. libtorch.so itself is an
  # empty shell that pulls in CUDA wherever it was built with it, so it is not linked.
  get_filename_component(_torch_library_dir ${LibTorch_CPU_LIBRARY} DIRECTORY)
  find_library(LibTorch_C10_LIBRARY c10 PATHS ${_torch_library_dir} NO_DEFAULT_PATH)
  find_library(LibTorch_CUDA_LIBRARY torch_cuda PATHS ${_torch_library_dir} NO_DEFAULT_PATH)
  find_library(LibTorch_C10_CUDA_LIBRARY c10_cuda PATHS ${_torch_library_dir} NO_DEFAULT_PATH)
endif()
if(LibTorch_CUDA_LIBRARY)
  # Headers of the CUDA runtime, for CUDA graphs alone: in a toolkit, or beside a wheel's torch/ where PyPI's
  # nvidia-cuda-runtime and nvidia-cuda-crt lay them. The second one is easily missing, so it is looked for.
  get_filename_component(_torch_site ${_torch_library_dir}/../.. ABSOLUTE)
  file(GLOB _torch_cuda_includes ${_torch_site}/nvidia/cu*/include)
  find_path(LibTorch_CUDA_RUNTIME_INCLUDE_DIR crt/host_config.h
            HINTS ${_torch_cuda_includes} PATHS $ENV{CUDA_HOME}/include /usr/local/cuda/include)
endif()
mark_as_advanced(LibTorch_CUDA_RUNTIME_INCLUDE_DIR LibTorch_INCLUDE_DIR LibTorch_API_INCLUDE_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY
                 LibTorch_CUDA_LIBRARY LibTorch_C10_CUDA_LIBRARY)

if(LibTorch_API_INCLUDE_DIR AND EXISTS ${LibTorch_API_INCLUDE_DIR}/torch/version.h)
  file(STRINGS ${LibTorch_API_INCLUDE_DIR}/torch/version.h _torch_version REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  if(NOT _torch_version AND EXISTS ${LibTorch_INCLUDE_DIR}/torch/headeronly/version.h)
    file(STRINGS ${LibTorch_INCLUDE_DIR}/torch/headeronly/version.h _torch_version REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  endif()
  string(REGEX MATCHALL "[0-9]+" _torch_version "${_torch_version}")
  string(REPLACE ";" "." LibTorch_VERSION "${_torch_version}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR LibTorch_API_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "install Debian's libtorch-dev, or point CMAKE_PREFIX_PATH at an unpacked LibTorch or at the torch/ folder of a Python wheel")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  # Upstream builds carry a copy of fmt's headers that is not the fmt we link: ours has to be found first.
  if(EXISTS ${LibTorch_INCLUDE_DIR}/fmt/core.h)
    find_package(fmt REQUIRED)
    get_target_property(_fmt_include_dirs fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
    find_path(LibTorch_FMT_INCLUDE_DIR fmt/core.h HINTS ${_fmt_include_dirs} NO_DEFAULT_PATH)
    mark_as_advanced(LibTorch_FMT_INCLUDE_DIR)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/fmt-before-torch)
    file(CREATE_LINK ${LibTorch_FMT_INCLUDE_DIR}/fmt ${CMAKE_BINARY_DIR}/fmt-before-torch/fmt SYMBOLIC)
    target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/fmt-before-torch)
  endif()
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE ${LibTorch_INCLUDE_DIR} ${LibTorch_API_INCLUDE_DIR})
  # Headers of 2.x say themselves which C++ they ask for.
  file(STRINGS ${LibTorch_API_INCLUDE_DIR}/torch/all.h _torch_needs_cxx20 REGEX "__cplusplus < 202002L")
  if(_torch_needs_cxx20)
    target_compile_features(LibTorch::LibTorch INTERFACE cxx_std_20)
    set(LibTorch_CXX_STANDARD 20)
  endif()
  set(_torch_libraries ${LibTorch_CPU_LIBRARY} ${LibTorch_C10_LIBRARY})
  if(LibTorch_CUDA_LIBRARY AND LibTorch_C10_CUDA_LIBRARY)
    # Nothing of ours names a CUDA symbol: without --no-as-needed the linker would drop the backend.
    list(APPEND _torch_libraries ${LibTorch_C10_CUDA_LIBRARY} -Wl,--no-as-needed ${LibTorch_CUDA_LIBRARY} -Wl,--as-needed)
  endif()
  find_package(Threads REQUIRED)
  target_link_libraries(LibTorch::LibTorch INTERFACE ${_torch_libraries} Threads::Threads)
  # A wheel's library folder also holds what its libraries need (OpenMP and the CUDA runtime).
  target_link_options(LibTorch::LibTorch INTERFACE -Wl,-rpath-link,${_torch_library_dir})
endif()
