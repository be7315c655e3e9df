# Finds libwebp and libwebpdemux -> target WebP::WebP. Distributions ship no CMake files with them.
find_path(WebP_INCLUDE_DIR webp/demux.h)
find_library(WebP_LIBRARY webp)
find_library(WebP_DEMUX_LIBRARY webpdemux)
mark_as_advanced(WebP_INCLUDE_DIR WebP_LIBRARY WebP_DEMUX_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(WebP REQUIRED_VARS WebP_LIBRARY WebP_DEMUX_LIBRARY WebP_INCLUDE_DIR)
if(WebP_FOUND AND NOT TARGET WebP::WebP)
  add_library(WebP::WebP INTERFACE IMPORTED)
  set_target_properties(WebP::WebP PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES ${WebP_INCLUDE_DIR} INTERFACE_LINK_LIBRARIES "${WebP_DEMUX_LIBRARY};${WebP_LIBRARY}")
endif()
