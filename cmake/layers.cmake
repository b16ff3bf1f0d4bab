# SPDX-License-Identifier: Apache-2.0
# sentinel_layer(name [LAYERS ...] [LIBRARIES ...]): static library sentinel_<name> from core/<name>/*.cc.
# Sources are globbed: adding a file to a layer is adding a file to its folder.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=time_macros ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -fno-strict-aliasing
                    -fstack-protector-strong -Werror)
add_compile_definitions(SENTINEL_VERSION="${PROJECT_VERSION}")

function(sentinel_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 LAYER "" "" "LAYERS;LIBRARIES")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/core/${name}/*.cc)
  set(kind STATIC)
  set(visibility PUBLIC)
  if(NOT sources)
    set(kind INTERFACE)
    set(visibility INTERFACE)
  endif()
  add_library(sentinel_${name} ${kind} ${sources})
  target_include_directories(sentinel_${name} ${visibility} ${CMAKE_SOURCE_DIR})
  list(TRANSFORM LAYER_LAYERS PREPEND sentinel_)
  list(TRANSFORM LAYER_LIBRARIES PREPEND sentinel::)
  target_link_libraries(sentinel_${name} ${visibility} ${LAYER_LAYERS} ${LAYER_LIBRARIES})
endfunction()
