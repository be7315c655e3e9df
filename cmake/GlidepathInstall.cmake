# Install target and CMake package: find_package(glidepath) gives glidepath::core, glidepath::budget and glidepath::forecast (no torch needed) and,
# when built with torch, the other libraries and the program.
include(CMakePackageConfigHelpers)
get_property(_libraries GLOBAL PROPERTY GLIDEPATH_LIBRARIES)
set(_plain glidepath_core glidepath_files glidepath_programs glidepath_budget glidepath_forecast)  # without torch
install(TARGETS ${_plain} EXPORT glidepath-core-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT glidepath-core-targets NAMESPACE glidepath:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/glidepath)
list(REMOVE_ITEM _libraries ${_plain})
if(_libraries)
  install(TARGETS ${_libraries} EXPORT glidepath-torch-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT glidepath-torch-targets NAMESPACE glidepath:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/glidepath)
  install(TARGETS glidepath RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES cmake/FindLibTorch.cmake cmake/FindWebP.cmake cmake/FindZeroMQ.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/glidepath)
endif()
set(_components)
foreach(_library ${_plain} ${_libraries})
  string(REGEX REPLACE "^glidepath_" "" _component ${_library})
  list(APPEND _components ${_component})
endforeach()
install(DIRECTORY include/glidepath DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(cmake/glidepath-config.cmake.in ${PROJECT_BINARY_DIR}/glidepath-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/glidepath)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/glidepath-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/glidepath-config.cmake ${PROJECT_BINARY_DIR}/glidepath-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/glidepath)
