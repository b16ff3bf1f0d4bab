// SPDX-License-Identifier: Apache-2.0
// A dead process stays dead: whatever is called after the death dies again.
#include "tests/support/faulty_system.h"

#include <fmt/format.h>

namespace sentinel {

System& FaultySystem::alive() {
  if (dead_) throw Died{count_};
  return inner_;
}

template <typename Operation>
auto FaultySystem::mutate(Operation operation) -> decltype(operation()) {
  alive();
  ++count_;
  const bool here = count_ == at_ && fault_ != Fault::kNone;
  struck_ = struck_ || here;
  const Error failure("test.fault", fmt::format("injected at mutation {}", count_));
  if (here && fault_ == Fault::kDieBefore) {
    dead_ = true;
    throw Died{count_};
  }
  if ((here && fault_ == Fault::kFailOnce) || (fault_ == Fault::kFailForever && count_ >= at_)) return failure;
  auto result = operation();
  if (here && fault_ == Fault::kDieAfter) {
    dead_ = true;
    throw Died{count_};
  }
  if (here && fault_ == Fault::kFailAfterDoing) return failure;
  return result;
}

Result<FileStatus> FaultySystem::status(const std::string& path) {
  return alive().status(path);
}

Result<std::string> FaultySystem::read_file(const std::string& path) {
  return alive().read_file(path);
}

Result<std::string> FaultySystem::read_link(const std::string& path) {
  return alive().read_link(path);
}

Result<std::vector<std::string>> FaultySystem::list(const std::string& path) {
  return alive().list(path);
}

Result<CommandResult> FaultySystem::query(const CommandLine& command) {
  return alive().query(command);
}

Result<void> FaultySystem::replace_file(const std::string& path, std::string_view bytes,
                                        const FileAttributes& attributes) {
  return mutate([&] { return inner_.replace_file(path, bytes, attributes); });
}

Result<void> FaultySystem::append_file(const std::string& path, std::string_view bytes) {
  return mutate([&] { return inner_.append_file(path, bytes); });
}

Result<void> FaultySystem::remove_file(const std::string& path) {
  return mutate([&] { return inner_.remove_file(path); });
}

Result<void> FaultySystem::make_directory(const std::string& path, const FileAttributes& attributes) {
  return mutate([&] { return inner_.make_directory(path, attributes); });
}

Result<void> FaultySystem::remove_directory(const std::string& path) {
  return mutate([&] { return inner_.remove_directory(path); });
}

Result<void> FaultySystem::make_link(const std::string& path, const std::string& target) {
  return mutate([&] { return inner_.make_link(path, target); });
}

Result<void> FaultySystem::set_attributes(const std::string& path, const FileAttributes& attributes) {
  return mutate([&] { return inner_.set_attributes(path, attributes); });
}

Result<void> FaultySystem::write_kernel_file(const std::string& path, std::string_view bytes) {
  return mutate([&] { return inner_.write_kernel_file(path, bytes); });
}

Result<CommandResult> FaultySystem::run(const CommandLine& command) {
  return mutate([&] { return inner_.run(command); });
}

}  // namespace sentinel
