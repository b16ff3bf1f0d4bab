// SPDX-License-Identifier: Apache-2.0
// FakeSystem: a machine in memory. Files, directories and links with attributes and a clock that moves one second with
// every mutation; commands are answered by handlers, which may change the fake. Symlinks are followed as a kernel
// would.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/system/system.h"

namespace sentinel {

class FakeSystem final : public System {
 public:
  struct Node {
    FileType type = FileType::kRegular;
    std::string bytes;  ///< content of a file, target of a link
    FileAttributes attributes;
    std::int64_t changed_ns = 0;

    /// Everything but the time.
    bool same_as(const Node& other) const {
      return type == other.type && bytes == other.bytes && attributes == other.attributes;
    }
  };

  /// Answers a command; may call the other members of the fake.
  using Handler = std::function<CommandResult(FakeSystem&, const CommandLine&)>;

  /// Starts with "/", "/etc", "/proc", "/root", "/run", "/tmp", "/usr", "/var" and "/var/lib".
  FakeSystem();

  /// @name Arranging: not recorded as mutations; missing parents are made.
  /// @{
  void put_file(const std::string& path, std::string bytes, FileAttributes attributes = {0, 0, 0644});
  void put_directory(const std::string& path, FileAttributes attributes = {0, 0, 0755});
  void put_link(const std::string& path, std::string target);
  void erase(const std::string& path);
  /// Commands whose argv starts with these words; the longest match answers. Without any: status 127.
  void on(const std::vector<std::string>& prefix, Handler handler);
  void on(const std::vector<std::string>& prefix, CommandResult result);
  /// Commands that start so don't end within any time: `process.timeout`.
  void hang(const std::vector<std::string>& prefix);

  /// Replacing a file by one of more bytes than that fails for lack of room on the disk.
  void leave_room(std::size_t bytes) { room_ = bytes; }

  /// Moves the clock; every later change gets a later ctime.
  void pass(std::chrono::seconds time) { now_ns_ += std::chrono::nanoseconds(time).count(); }

  /// @}

  /// @name Asking
  /// @{
  std::int64_t now_ns() const { return now_ns_; }

  /// "replace /etc/motd", "run ufw enable" and so on, in order, since the start or clear_records().
  const std::vector<std::string>& mutations() const { return mutations_; }

  /// Every command line, of query and run, words joined by spaces.
  const std::vector<std::string>& commands() const { return commands_; }

  void clear_records();

  /// All nodes by path; compare trees with same_tree().
  const std::map<std::string, Node>& tree() const { return nodes_; }

  /// Bytes of a file; fails the program when it isn't there (a test that asks expects it).
  const std::string& bytes(const std::string& path) const;
  /// @}

  Result<FileStatus> status(const std::string& path) override;
  Result<std::string> read_file(const std::string& path) override;
  Result<std::string> read_link(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<CommandResult> query(const CommandLine& command) override;

  Result<void> replace_file(const std::string& path, std::string_view bytes, const FileAttributes& attributes) override;
  Result<void> append_file(const std::string& path, std::string_view bytes) override;
  Result<void> remove_file(const std::string& path) override;
  Result<void> make_directory(const std::string& path, const FileAttributes& attributes) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<void> make_link(const std::string& path, const std::string& target) override;
  Result<void> set_attributes(const std::string& path, const FileAttributes& attributes) override;
  Result<void> write_kernel_file(const std::string& path, std::string_view bytes) override;
  Result<CommandResult> run(const CommandLine& command) override;

 private:
  /// The path with every link in its directories followed, and the last one too when asked. Error ENOENT, ENOTDIR,
  /// ELOOP.
  Result<std::string> resolve(const std::string& path, bool follow_last) const;
  /// Where a new entry of that name goes: its directory must exist.
  Result<std::string> place_for(const std::string& path, const char* operation) const;
  bool has_entries(const std::string& directory) const;
  Result<CommandResult> answer(const CommandLine& command);
  void record(const std::string& mutation);

  std::int64_t tick() { return now_ns_ += 1'000'000'000; }

  std::map<std::string, Node> nodes_;
  std::map<std::vector<std::string>, Handler> handlers_;  ///< an empty one hangs
  std::vector<std::string> mutations_;
  std::vector<std::string> commands_;
  std::size_t room_ = SIZE_MAX;
  std::int64_t now_ns_ = 1'700'000'000'000'000'000;
};

/// True when both have the same paths with the same types, contents and attributes (times aside).
bool same_tree(const std::map<std::string, FakeSystem::Node>& left,
               const std::map<std::string, FakeSystem::Node>& right);

}  // namespace sentinel
