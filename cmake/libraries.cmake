# SPDX-License-Identifier: Apache-2.0
# Third-party libraries, all from Debian packages, under one short name each (cmake target sentinel::<name>).
# The agent is one static file, so what it links must come as an archive.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Catch2 2 REQUIRED)
pkg_check_modules(LIBSSH REQUIRED IMPORTED_TARGET libssh)

# Debian ships fmt's headers and shared library but no archive; core/base/fmt_library.cc instantiates it once.
add_library(sentinel_fmt_static INTERFACE)
target_include_directories(sentinel_fmt_static SYSTEM INTERFACE
  $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
add_library(sentinel::fmt_static ALIAS sentinel_fmt_static)

find_library(CRYPTO_ARCHIVE libcrypto.a REQUIRED)
add_library(sentinel_crypto_static INTERFACE)
target_link_libraries(sentinel_crypto_static INTERFACE ${CRYPTO_ARCHIVE} Threads::Threads ${CMAKE_DL_LIBS})
add_library(sentinel::crypto_static ALIAS sentinel_crypto_static)

find_library(SSL_ARCHIVE libssl.a REQUIRED)
add_library(sentinel_tls_static INTERFACE)
target_link_libraries(sentinel_tls_static INTERFACE ${SSL_ARCHIVE} sentinel::crypto_static)
add_library(sentinel::tls_static ALIAS sentinel_tls_static)

# Asio and Beast are headers; these settings must be the same wherever they are included.
add_library(sentinel_asio INTERFACE)
target_compile_definitions(sentinel_asio INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_REGEX
                           BOOST_ERROR_CODE_HEADER_ONLY)
target_link_libraries(sentinel_asio INTERFACE Threads::Threads)
add_library(sentinel::asio ALIAS sentinel_asio)

add_library(sentinel::json ALIAS nlohmann_json::nlohmann_json)
# The archive: the package's own target is the shared library, which a static program links without a word and can't call.
find_library(YAML_ARCHIVE libyaml-cpp.a REQUIRED)
add_library(sentinel_yaml INTERFACE)
target_link_libraries(sentinel_yaml INTERFACE ${YAML_ARCHIVE})
add_library(sentinel::yaml ALIAS sentinel_yaml)
add_library(sentinel_ssh INTERFACE)
target_link_libraries(sentinel_ssh INTERFACE PkgConfig::LIBSSH)
add_library(sentinel::ssh ALIAS sentinel_ssh)
# Headers only: cli/outside loads the library when it needs it.
pkg_check_modules(LIBCURL REQUIRED libcurl)
add_library(sentinel_curl INTERFACE)
target_include_directories(sentinel_curl SYSTEM INTERFACE ${LIBCURL_INCLUDE_DIRS})
target_link_libraries(sentinel_curl INTERFACE ${CMAKE_DL_LIBS})
add_library(sentinel::curl ALIAS sentinel_curl)
