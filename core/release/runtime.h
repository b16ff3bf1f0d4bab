// SPDX-License-Identifier: Apache-2.0
// Runtime: what runs releases and moves the traffic between them. A release is started as a candidate that gets no
// traffic, looked at through its own endpoint, given the traffic while the one before it holds, and promoted or taken
// back. Every function can be repeated, and can follow any other: after a crash nobody knows how far the last one came.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/release.h"

namespace sentinel {

/// What a release's processes do.
struct Activity {
  bool running = false;
  std::string ended;           ///< why it does not run any more: "exit status 1"; empty while it runs or starts
  std::uint32_t restarts = 0;  ///< since it was started
  std::string run;             ///< another one for each start; empty: there was none yet
  std::optional<std::chrono::milliseconds> age{};  ///< since the last start, by whomever; nothing: there was none
};

/// A verdict on a release, and what becomes of it: exit code 6.
inline Error unhealthy_release(std::string what) {
  return Error("release.unhealthy", std::move(what), "", ExitCode::kRolledBack);
}

/// What there still is of a release besides its directories.
enum class Remains {
  kRuns,       ///< some process of it
  kLeftovers,  ///< what forget() removes
};

/// Where a release is reached past everybody's traffic.
struct ReleaseEndpoint {
  std::string socket;  ///< path of a unix socket that serves HTTP with every route
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  /// Errors that would only show later: ports that changed, a file that is missing. Changes nothing.
  virtual Result<void> check(const Release& next) = 0;
  /// Whether the release still ends the streams of its last time, and can't begin anew before it has.
  virtual Result<bool> must_end_first(const Release& next) = 0;
  /// Writes what it takes to run the release as a candidate. Nothing runs yet.
  virtual Result<void> prepare(const Release& next) = 0;
  /// Starts it without waiting for it to be ready.
  virtual Result<void> start_candidate(const Release& next) = 0;
  /// Of `release` no more than app and id may be known.
  virtual Result<Activity> activity(const Release& release) = 0;
  virtual ReleaseEndpoint endpoint(const Release& release) const = 0;

  /// `next` takes the traffic; then `former`, when there is one, stops taking it, but stays as it is.
  virtual Result<void> switch_to(const Release& next, const std::optional<Release>& former) = 0;
  /// The opposite, as far as it is needed: `former` takes the traffic (started, where it does not run), then `next`
  /// ends and is forgotten. Without a former one nothing is left of the application's ports.
  virtual Result<void> back(const Release& next, const std::optional<Release>& former) = 0;
  /// `next` is what a boot or a crash starts from now on, and `former` no more.
  virtual Result<void> promote(const Release& next, const std::optional<Release>& former) = 0;
  /// The streams of a release without traffic end in their own time; `wait` waits for them.
  virtual Result<void> drain(const Release& release, bool wait) = 0;
  /// Which of these releases still have something on the host, of what prepare() and start_candidate() made; by id.
  virtual Result<std::map<std::string, Remains>> remains(const std::vector<Release>& releases) = 0;
  /// Removes what prepare() wrote of a release that does not run.
  virtual Result<void> forget(const Release& release) = 0;
  /// Removes what the host keeps of a release elsewhere than in its directory: it is gone for good. Of `release` no
  /// more than app and id may be known.
  virtual Result<void> discard(const Release& release) = 0;

  /// The last lines it logged since it was last started.
  virtual std::vector<std::string> log(const Release& release, std::size_t lines) = 0;
};

}  // namespace sentinel
