# The build's own words: hearth_module, hearth_executable and hearth_test.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths relative to the checkout, so that two checkouts of one commit share objects.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
endif()

# Our own code; third-party sources (CivetWeb) get hearth_flags_common only.
add_library(hearth_flags_common INTERFACE)
target_compile_options(hearth_flags_common INTERFACE
  -fstack-protector-strong -fno-omit-frame-pointer
  $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
target_link_options(hearth_flags_common INTERFACE -Wl,-z,relro,-z,now)
if(HEARTH_SANITIZE_ADDRESS)
  target_compile_options(hearth_flags_common INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined)
  target_link_options(hearth_flags_common INTERFACE -fsanitize=address,undefined)
elseif(HEARTH_SANITIZE_THREAD)
  target_compile_options(hearth_flags_common INTERFACE -fsanitize=thread)
  target_link_options(hearth_flags_common INTERFACE -fsanitize=thread)
endif()

add_library(hearth_flags INTERFACE)
target_link_libraries(hearth_flags INTERFACE hearth_flags_common)
target_compile_options(hearth_flags INTERFACE
  # g++ 12 reports -Wrestrict inside std::string's own operator+ (GCC bug 105651).
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wconversion -Werror -Wno-restrict>)
target_include_directories(hearth_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(hearth_flags INTERFACE HEARTH_VERSION="${PROJECT_VERSION}")

find_package(Threads REQUIRED)

# hearth_module(<target> SOURCES a.cc ... [DEPS other ...])
# A static library; every dependency is PRIVATE: who includes a header names its module.
function(hearth_module target)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${target} STATIC ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE hearth_flags Threads::Threads ${arg_DEPS})
endfunction()

function(hearth_executable target)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE hearth_flags Threads::Threads ${arg_DEPS})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# hearth_test(<target> SOURCES a_test.cc ... [DEPS module ...])
# Runs from the source root, so that tests name files relative to it.
function(hearth_test target)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  find_package(GTest REQUIRED)
  hearth_executable(${target} SOURCES ${arg_SOURCES} DEPS ${arg_DEPS} GTest::gtest GTest::gtest_main)
  add_test(NAME ${target} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endfunction()
