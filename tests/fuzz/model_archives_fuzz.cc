// SPDX-License-Identifier: Apache-2.0
// Archives of releases: any bytes are files, or an error, and no name leaves the directory it is unpacked into. The
// input is tried as an archive and, since a header's checksum hardly ever survives a mutation, as files that are packed
// here: each line is a name, a tab, and the contents.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/tar.h"
#include "core/model/bundle.h"
#include "core/model/image.h"

namespace {

using namespace sentinel;

void demand(bool holds) {
  if (!holds) std::abort();
}

void check_name(const std::string& name) {
  demand(!name.empty() && name.front() != '/');
  for (std::size_t from = 0; from <= name.size();) {
    const auto to = std::min(name.find('/', from), name.size());
    const auto part = name.substr(from, to - from);
    demand(part != ".." && part != ".");
    from = to + 1;
  }
}

void try_archive(std::string_view archive) {
  const auto files = read_tar(archive);
  const auto bundle = read_bundle(archive);
  const auto image = read_image(archive);
  if (!files.ok()) {
    demand(!files.error().code.empty() && !bundle.ok() && !image.ok());
    return;
  }
  (void)is_image(*files);
  for (const auto& file : *files) {
    check_name(file.name);
    demand(file.bytes.empty() || (file.bytes.data() >= archive.data() &&
                                  file.bytes.data() + file.bytes.size() <= archive.data() + archive.size()));
  }
  if (bundle.ok()) demand(!bundle->artefact.sha256.empty() && bundle->files.size() < files->size());
  if (image.ok()) demand(!image->parts.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  try_archive(input);
  std::vector<TarFile> files;
  const std::string_view text(input);
  for (std::size_t from = 0; from < text.size();) {
    const auto to = std::min(text.find('\n', from), text.size());
    const auto line = text.substr(from, to - from);
    const auto tab = std::min(line.find('\t'), line.size());
    // What write_tar() takes: a name that fits its field.
    if (tab > 0 && tab < 100)
      files.push_back({std::string(line.substr(0, tab)), 0644, line.substr(std::min(tab + 1, line.size()))});
    from = to + 1;
  }
  try_archive(write_tar(files));
  return 0;
}
