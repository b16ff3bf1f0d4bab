// SPDX-License-Identifier: Apache-2.0
// The running process from the main thread's side: workers, the operator's port, the admin socket, signals, the service
// manager. All of it on the main loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/operation/admin.h"
#include "proxy/operation/listeners.h"
#include "proxy/operation/worker.h"

namespace sentinel::proxy {

/// Reads the settings anew, for a reload.
using SettingsSource = std::function<LoadedSettings()>;

class Service final : public AdminCommands {
 public:
  /// `shared` and what it refers to outlive the service. `loaded` is what it was started with.
  Service(SharedState& shared, Listeners listeners, const LoadedSettings& loaded, SettingsSource source);
  ~Service() override;

  /// SIGTERM, SIGINT and SIGHUP wait from now on, until run() hears them. To be called before any thread is started.
  static void hold_signals();

  /// Serves until told to end, and everything under way has ended or its time is up.
  void run();

  bool accept() override;
  bool hold() override;
  void drain() override;
  std::string state() const override;

 private:
  enum class State { kWaiting, kAccepting, kHolding, kDraining };

  static std::string_view name_of(State state);

  Task<void> watch_signals();
  Task<void> wait_for_workers();
  /// Tells the service manager that all threads still turn.
  Task<void> watchdog(std::chrono::microseconds interval);
  /// A new reading of the settings that is wrong in any way changes nothing.
  void reload();
  /// What is wrong; empty: taken over.
  std::string try_reload();
  /// Warns of changed settings that are read only at start.
  void tell_unchanged(const std::map<std::string, std::string>& values);
  bool any_running() const;
  std::size_t connections() const;

  SharedState& shared_;
  Listeners listeners_;  ///< kept, so that accepting can begin again after a hold; closed by a drain
  std::map<std::string, std::string> values_;  ///< settings as started with
  SettingsSource source_;
  State state_ = State::kWaiting;
  std::unique_ptr<Loop> loop_;
  Endpoint operator_endpoint_;
  std::unique_ptr<Endpoint> admin_endpoint_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace sentinel::proxy
