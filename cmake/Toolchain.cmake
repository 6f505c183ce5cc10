# Compiler, flags and launcher, the same for every target.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# g++ 12 destroys temporaries of coroutines twice, so it must not build this by accident.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "Coffer is built with clang 19 or later; use a preset: cmake --preset release")
endif()

find_program(COFFER_CCACHE ccache)
if(COFFER_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${COFFER_CCACHE})
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -gline-tables-only")
add_compile_options(-Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough
                    -Wno-gnu-statement-expression -fstack-protector-strong
                    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -pthread
                    # There are programs only, no shared libraries; one kind of code, so that all can share a precompiled header.
                    -fPIE
                    # For ccache: a precompiled header is known by its content.
                    "SHELL:-Xclang -fno-pch-timestamp")
add_link_options(-pie -fuse-ld=lld -Wl,--as-needed -Wl,-z,relro,-z,now)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
endif()
if(COFFER_SANITIZE)
  add_compile_options(-fsanitize=${COFFER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${COFFER_SANITIZE})
  if(COFFER_FUZZERS)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
endif()
