# SPDX-License-Identifier: Apache-2.0
# Run by sentinel_embed at build time: writes OUTPUT, the C++ source that holds the files named in LIST as bytes.
file(STRINGS ${LIST} files)
set(arrays "")
set(table "")
set(index 0)
foreach(path IN LISTS files)
  file(RELATIVE_PATH name ${ROOT} ${path})
  file(READ ${path} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "const unsigned char kFile${index}[] = {${bytes}0};\n")
  string(APPEND table "      {\"${name}\", text(kFile${index}, sizeof kFile${index} - 1)},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"core/config/assets.h\"

namespace sentinel {
namespace {
${arrays}
[[maybe_unused]] std::string_view text(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}
}  // namespace

const std::vector<EmbeddedFile>& ${FUNCTION}();
const std::vector<EmbeddedFile>& ${FUNCTION}() {
  static const std::vector<EmbeddedFile> files{
${table}  };
  return files;
}

}  // namespace sentinel
")
