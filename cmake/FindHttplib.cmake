# Finds cpp-httplib -> target Httplib::Httplib. Distributions build it as a library, whose header must be read
# with the macros it was built with, as pkg-config tells; upstream's is a header alone.
find_path(Httplib_INCLUDE_DIR httplib.h)
find_library(Httplib_LIBRARY cpp-httplib)
mark_as_advanced(Httplib_INCLUDE_DIR Httplib_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Httplib REQUIRED_VARS Httplib_INCLUDE_DIR)
if(Httplib_FOUND AND NOT TARGET Httplib::Httplib)
  find_package(Threads REQUIRED)
  add_library(Httplib::Httplib INTERFACE IMPORTED)
  set_target_properties(Httplib::Httplib PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES ${Httplib_INCLUDE_DIR} INTERFACE_LINK_LIBRARIES Threads::Threads)
  if(Httplib_LIBRARY)
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(Httplib_PC REQUIRED cpp-httplib)
    target_compile_options(Httplib::Httplib INTERFACE ${Httplib_PC_CFLAGS_OTHER})
    target_link_libraries(Httplib::Httplib INTERFACE ${Httplib_LIBRARY})
  endif()
endif()
