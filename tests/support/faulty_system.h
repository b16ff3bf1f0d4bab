// SPDX-License-Identifier: Apache-2.0
// FaultySystem wraps another System and lets the k-th mutation fail or the "process" die there. Looking always works
// while alive. A loop over k = 1, 2, … until nothing struck covers every place a crash can happen.
#pragma once

#include <cstdint>

#include "core/system/system.h"

namespace sentinel {

/// Thrown when the process dies. Not a std::exception, so nothing catches it by accident.
struct Died {
  std::uint64_t at = 0;  ///< number of the mutation
};

enum class Fault {
  kNone,
  kFailOnce,        ///< the k-th mutation isn't done and is an error; later ones work
  kFailForever,     ///< so do all after it
  kFailAfterDoing,  ///< the k-th mutation is done but reported as failed
  kDieBefore,       ///< dies before doing the k-th
  kDieAfter,        ///< dies right after doing the k-th
};

class FaultySystem final : public System {
 public:
  /// `at` counts from 1.
  FaultySystem(System& inner, Fault fault, std::uint64_t at) : inner_(inner), fault_(fault), at_(at) {}

  /// Mutations asked for so far.
  std::uint64_t count() const { return count_; }

  /// False when the run ended before the k-th mutation: the loop is complete.
  bool struck() const { return struck_; }

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
  System& alive();
  template <typename Operation>
  auto mutate(Operation operation) -> decltype(operation());

  System& inner_;
  Fault fault_;
  std::uint64_t at_;
  std::uint64_t count_ = 0;
  bool struck_ = false;
  bool dead_ = false;
};

}  // namespace sentinel
