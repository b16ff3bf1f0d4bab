# SPDX-License-Identifier: Apache-2.0
# sentinel_embed(target function directory pattern...): puts the files below <source>/directory that match a pattern into
# the target, as `const std::vector<EmbeddedFile>& sentinel::function()` (core/config/assets.h), so that one binary works
# alone. Names are relative to the source tree ("docs/reference/project.yaml"), sorted. A changed file rebuilds it.
function(sentinel_embed target function directory)
  set(globs ${ARGN})
  list(TRANSFORM globs PREPEND ${CMAKE_SOURCE_DIR}/${directory}/)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${globs})
  list(SORT files)
  set(output ${CMAKE_BINARY_DIR}/embedded/${function}.cc)
  set(list_file ${CMAKE_BINARY_DIR}/embedded/${function}.txt)
  list(JOIN files "\n" lines)
  file(CONFIGURE OUTPUT ${list_file} CONTENT "${lines}" @ONLY)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -D FUNCTION=${function} -D LIST=${list_file} -D ROOT=${CMAKE_SOURCE_DIR} -D OUTPUT=${output}
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${files} ${list_file} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    COMMENT "Embedding ${directory}" VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
