// SPDX-License-Identifier: Apache-2.0
#include "core/base/tar.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace sentinel {
namespace {

constexpr std::size_t kBlock = 512;

// Where fields stand in a header.
constexpr std::size_t kName = 0, kNameSize = 100;
constexpr std::size_t kMode = 100, kModeSize = 8;
constexpr std::size_t kSize = 124, kSizeSize = 12;
constexpr std::size_t kChecksum = 148, kChecksumSize = 8;
constexpr std::size_t kType = 156;
constexpr std::size_t kMagic = 257, kMagicSize = 5;
constexpr std::size_t kPrefix = 345, kPrefixSize = 155;

Error malformed(std::size_t offset, const std::string& what) {
  return Error("tar.malformed", fmt::format("the archive is damaged or of another kind, at byte {}: {}", offset, what));
}

std::string_view text(std::string_view header, std::size_t at, std::size_t size) {
  const auto field = header.substr(at, size);
  return field.substr(0, field.find('\0'));
}

std::optional<std::uint64_t> octal(std::string_view header, std::size_t at, std::size_t size) {
  auto field = text(header, at, size);
  while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
  while (!field.empty() && field.back() == ' ') field.remove_suffix(1);
  if (field.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : field) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// The sum of all bytes, the checksum's own counted as spaces.
std::uint64_t checksum(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksum && i < kChecksum + kChecksumSize;
    sum += own ? static_cast<unsigned char>(' ') : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

bool stays_inside(std::string_view name) {
  if (name.empty() || name.front() == '/') return false;
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

void put_octal(std::string& header, std::size_t at, std::size_t size, std::uint64_t value) {
  header.replace(at, size - 1, fmt::format("{:0{}o}", value, size - 1));
}

}  // namespace

std::string write_tar(const std::vector<TarFile>& files) {
  std::string out;
  for (const auto& file : files) {
    std::string header(kBlock, '\0');
    header.replace(kName, file.name.size(), file.name);
    put_octal(header, kMode, kModeSize, file.mode);
    put_octal(header, kSize, kSizeSize, file.bytes.size());
    header[kType] = '0';
    header.replace(kMagic, 8, std::string_view("ustar\00000", 8));
    header.replace(kChecksum, kChecksumSize, fmt::format("{:06o}{}{}", checksum(header), '\0', ' '));
    out += header;
    out += file.bytes;
    out.resize((out.size() + kBlock - 1) / kBlock * kBlock, '\0');
  }
  out.append(2 * kBlock, '\0');
  return out;
}

Result<std::vector<TarFile>> read_tar(std::string_view archive) {
  std::vector<TarFile> files;
  std::size_t offset = 0;
  while (true) {
    if (archive.size() - offset < kBlock) return malformed(offset, "it ends too early");
    const auto header = archive.substr(offset, kBlock);
    if (std::all_of(header.begin(), header.end(), [](char c) { return c == '\0'; })) return files;
    if (header.substr(kMagic, kMagicSize) != "ustar") return malformed(offset, "no signature");
    if (octal(header, kChecksum, kChecksumSize) != checksum(header)) return malformed(offset, "the checksum is wrong");
    const auto size = octal(header, kSize, kSizeSize);
    const auto mode = octal(header, kMode, kModeSize);
    if (!size || !mode || *size > archive.size() - offset - kBlock) return malformed(offset, "a field is wrong");
    // GNU's variant keeps other things where the prefix is.
    const bool gnu = header[kMagic + kMagicSize] == ' ';
    std::string name(text(header, kName, kNameSize));
    if (const auto prefix = text(header, kPrefix, kPrefixSize); !gnu && !prefix.empty()) {
      name = std::string(prefix) + "/" + name;
    }
    const char type = header[kType];
    const bool directory = type == '5';
    if (directory && name.ends_with('/')) name.pop_back();
    if (!stays_inside(name)) return malformed(offset, "a name leaves the archive's directory");
    if (type != '0' && type != '\0' && !directory) return malformed(offset, fmt::format("{} is no plain file", name));
    if (!directory) {
      const bool twice = std::any_of(files.begin(), files.end(), [&](const TarFile& one) { return one.name == name; });
      if (twice) return malformed(offset, fmt::format("{} is there twice", name));
      files.push_back({name, static_cast<std::uint32_t>(*mode) & 0777U, archive.substr(offset + kBlock, *size)});
    }
    const std::size_t padded = (*size + kBlock - 1) / kBlock * kBlock;
    if (padded > archive.size() - offset - kBlock) return malformed(offset, "it ends too early");
    offset += kBlock + padded;
  }
}

}  // namespace sentinel
