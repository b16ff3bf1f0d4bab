// SPDX-License-Identifier: Apache-2.0
// Errors carry the same codes as the real machine's, so code under test can't tell the two apart.
#include "tests/support/fake_system.h"

#include <errno.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <utility>

namespace sentinel {
namespace {

constexpr int kMaximalLinks = 40;

std::string join(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : path + "/") {
    if (c != '/') {
      part += c;
    } else if (!part.empty()) {
      parts.push_back(std::exchange(part, {}));
    }
  }
  return parts;
}

}  // namespace

FakeSystem::FakeSystem() {
  nodes_["/"] = {FileType::kDirectory, "", {0, 0, 0755}, now_ns_};
  for (const char* path : {"/etc", "/proc", "/root", "/run", "/tmp", "/usr", "/var/lib"}) put_directory(path);
}

void FakeSystem::put_file(const std::string& path, std::string bytes, FileAttributes attributes) {
  put_directory(parent_directory(path), nodes_.count(parent_directory(path)) ? nodes_[parent_directory(path)].attributes
                                                                             : FileAttributes{0, 0, 0755});
  nodes_[path] = {FileType::kRegular, std::move(bytes), attributes, tick()};
}

void FakeSystem::put_directory(const std::string& path, FileAttributes attributes) {
  if (path == "/") return;
  const auto parent = parent_directory(path);
  if (nodes_.count(parent) == 0) put_directory(parent);
  const auto found = nodes_.find(path);
  if (found != nodes_.end() && found->second.type != FileType::kRegular && found->second.attributes == attributes)
    return;
  if (found != nodes_.end() && found->second.type == FileType::kLink) return;
  nodes_[path] = {FileType::kDirectory, "", attributes, tick()};
}

void FakeSystem::put_link(const std::string& path, std::string target) {
  put_directory(parent_directory(path));
  nodes_[path] = {FileType::kLink, std::move(target), {0, 0, 0777}, tick()};
}

void FakeSystem::erase(const std::string& path) {
  nodes_.erase(path);
  const auto inside = path + "/";
  for (auto entry = nodes_.lower_bound(inside); entry != nodes_.end() && entry->first.starts_with(inside);) {
    entry = nodes_.erase(entry);
  }
}

void FakeSystem::on(const std::vector<std::string>& prefix, Handler handler) {
  handlers_[prefix] = std::move(handler);
}

void FakeSystem::on(const std::vector<std::string>& prefix, CommandResult result) {
  on(prefix, [result](FakeSystem&, const CommandLine&) { return result; });
}

void FakeSystem::hang(const std::vector<std::string>& prefix) {
  handlers_[prefix] = {};
}

void FakeSystem::clear_records() {
  mutations_.clear();
  commands_.clear();
}

const std::string& FakeSystem::bytes(const std::string& path) const {
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) {
    fmt::print(stderr, "FakeSystem: {} isn't there\n", path);
    ::abort();
  }
  return found->second.bytes;
}

Result<std::string> FakeSystem::resolve(const std::string& path, bool follow_last) const {
  std::vector<std::string> rest = split(path);
  std::reverse(rest.begin(), rest.end());
  std::string place = "/";
  for (int links = 0; !rest.empty();) {
    const std::string part = rest.back();
    rest.pop_back();
    if (part == ".") continue;
    if (part == "..") {
      place = parent_directory(place);
      continue;
    }
    const std::string next = join(place, part);
    const auto found = nodes_.find(next);
    if (found == nodes_.end()) return system_error(ENOENT, "open", path);
    if (found->second.type == FileType::kLink && (follow_last || !rest.empty())) {
      if (++links > kMaximalLinks) return system_error(ELOOP, "open", path);
      auto more = split(found->second.bytes);
      rest.insert(rest.end(), more.rbegin(), more.rend());
      if (found->second.bytes.starts_with('/')) place = "/";
      continue;
    }
    if (!rest.empty() && found->second.type != FileType::kDirectory) return system_error(ENOTDIR, "open", path);
    place = next;
  }
  return place;
}

Result<std::string> FakeSystem::place_for(const std::string& path, const char* operation) const {
  auto parent = resolve(parent_directory(path), true);
  if (!parent.ok()) return system_error(ENOENT, operation, path);
  if (nodes_.at(*parent).type != FileType::kDirectory) return system_error(ENOTDIR, operation, path);
  return join(*parent, path.substr(path.find_last_of('/') + 1));
}

bool FakeSystem::has_entries(const std::string& directory) const {
  const auto inside = directory == "/" ? directory : directory + "/";
  const auto entry = nodes_.upper_bound(inside);
  return entry != nodes_.end() && entry->first.starts_with(inside);
}

Result<FileStatus> FakeSystem::status(const std::string& path) {
  const auto place = resolve(path, false);
  if (!place.ok()) return FileStatus{};
  const Node& node = nodes_.at(*place);
  return FileStatus{node.type,           node.attributes.uid,
                    node.attributes.gid, static_cast<std::uint32_t>(node.attributes.mode),
                    node.bytes.size(),   node.changed_ns};
}

Result<std::string> FakeSystem::read_file(const std::string& path) {
  SENTINEL_TRY(const auto place, resolve(path, true));
  const Node& node = nodes_.at(place);
  if (node.type == FileType::kDirectory) return system_error(EISDIR, "read", path);
  return node.bytes;
}

Result<std::string> FakeSystem::read_link(const std::string& path) {
  SENTINEL_TRY(const auto place, resolve(path, false));
  const Node& node = nodes_.at(place);
  if (node.type != FileType::kLink) return system_error(EINVAL, "read link", path);
  return node.bytes;
}

Result<std::vector<std::string>> FakeSystem::list(const std::string& path) {
  std::vector<std::string> names;
  const auto place = resolve(path, true);
  if (!place.ok()) return names;
  const auto inside = *place == "/" ? *place : *place + "/";
  for (auto entry = nodes_.upper_bound(inside); entry != nodes_.end() && entry->first.starts_with(inside); ++entry) {
    const auto name = entry->first.substr(inside.size());
    if (name.find('/') == std::string::npos) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<CommandResult> FakeSystem::answer(const CommandLine& command) {
  commands_.push_back(fmt::format("{}", fmt::join(command.argv, " ")));
  for (auto words = command.argv; !words.empty(); words.pop_back()) {
    const auto found = handlers_.find(words);
    if (found == handlers_.end()) continue;
    // A copy: the handler may replace itself.
    const Handler handler = found->second;
    if (!handler) return Error("process.timeout", command.argv.front() + " did not end in time");
    auto result = handler(*this, command);
    if (command.on_line) {
      std::string line;
      for (const char c : result.output + result.errors) {
        if (c == '\n') {
          command.on_line(std::exchange(line, {}));
        } else {
          line += c;
        }
      }
      if (!line.empty()) command.on_line(line);
    }
    return result;
  }
  return CommandResult{127, "", command.argv.empty() ? "" : command.argv.front() + ": not found\n"};
}

void FakeSystem::record(const std::string& mutation) {
  mutations_.push_back(mutation);
  tick();
}

Result<CommandResult> FakeSystem::query(const CommandLine& command) {
  return answer(command);
}

Result<CommandResult> FakeSystem::run(const CommandLine& command) {
  record(fmt::format("run {}", fmt::join(command.argv, " ")));
  return answer(command);
}

Result<void> FakeSystem::replace_file(const std::string& path, std::string_view bytes,
                                      const FileAttributes& attributes) {
  if (bytes.size() > room_) return system_error(ENOSPC, "write", path);
  SENTINEL_TRY(const auto place, place_for(path, "create a file in"));
  const auto found = nodes_.find(place);
  if (found != nodes_.end() && found->second.type == FileType::kDirectory) return system_error(EISDIR, "replace", path);
  record("replace " + path);
  nodes_[place] = {FileType::kRegular, std::string(bytes), attributes, now_ns_};
  return {};
}

Result<void> FakeSystem::append_file(const std::string& path, std::string_view bytes) {
  SENTINEL_TRY(const auto place, place_for(path, "open"));
  record("append " + path);
  auto& node = nodes_.try_emplace(place, Node{FileType::kRegular, "", {0, 0, 0600}, 0}).first->second;
  if (node.type != FileType::kRegular) return system_error(EISDIR, "open", path);
  node.bytes.append(bytes);
  node.changed_ns = now_ns_;
  return {};
}

Result<void> FakeSystem::remove_file(const std::string& path) {
  const auto place = resolve(path, false);
  if (place.ok() && nodes_.at(*place).type == FileType::kDirectory) return system_error(EISDIR, "remove", path);
  record("remove " + path);
  if (place.ok()) nodes_.erase(*place);
  return {};
}

Result<void> FakeSystem::make_directory(const std::string& path, const FileAttributes& attributes) {
  std::string place = "/";
  record("make directory " + path);
  for (const auto& part : split(path)) {
    const auto next = join(place, part);
    nodes_.try_emplace(next, Node{FileType::kDirectory, "", {0, 0, 0755}, now_ns_});
    SENTINEL_TRY(place, resolve(next, next.size() != path.size()));
    if (nodes_.at(place).type != FileType::kDirectory) return system_error(ENOTDIR, "make directory", path);
  }
  nodes_[place].attributes = attributes;
  nodes_[place].changed_ns = now_ns_;
  return {};
}

Result<void> FakeSystem::remove_directory(const std::string& path) {
  record("remove directory " + path);
  const auto place = resolve(path, false);
  if (place.ok() && nodes_.at(*place).type == FileType::kDirectory && !has_entries(*place)) nodes_.erase(*place);
  return {};
}

Result<void> FakeSystem::make_link(const std::string& path, const std::string& target) {
  SENTINEL_TRY(const auto place, place_for(path, "make a link in"));
  const auto found = nodes_.find(place);
  if (found != nodes_.end() && found->second.type == FileType::kDirectory) return system_error(EISDIR, "replace", path);
  record("link " + path);
  nodes_[place] = {FileType::kLink, target, {0, 0, 0777}, now_ns_};
  return {};
}

Result<void> FakeSystem::set_attributes(const std::string& path, const FileAttributes& attributes) {
  SENTINEL_TRY(const auto place, resolve(path, false));
  Node& node = nodes_.at(place);
  if (node.type == FileType::kLink) return system_error(ELOOP, "open", path);
  record("attributes " + path);
  node.attributes = attributes;
  node.changed_ns = now_ns_;
  return {};
}

Result<void> FakeSystem::write_kernel_file(const std::string& path, std::string_view bytes) {
  SENTINEL_TRY(const auto place, resolve(path, false));
  record("kernel " + path);
  // The kernel ends what it shows with a newline, whether or not it was written with one.
  std::string text(bytes);
  if (!text.ends_with('\n')) text += '\n';
  nodes_.at(place).bytes = text;
  return {};
}

bool same_tree(const std::map<std::string, FakeSystem::Node>& left,
               const std::map<std::string, FakeSystem::Node>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const auto& a, const auto& b) { return a.first == b.first && a.second.same_as(b.second); });
}

}  // namespace sentinel
