// SPDX-License-Identifier: Apache-2.0
// A TCP relay that delays both directions and counts flights: how often the client spoke after the server had. Each
// flight that the client waits for costs a round trip.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "core/base/descriptor.h"

namespace sentinel::test {

class Relay {
 public:
  /// Takes one connection and carries it to 127.0.0.1:`port`, each byte `delay` later.
  Relay(std::uint16_t port, std::chrono::milliseconds delay);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  std::uint16_t port() const { return own_port_; }

  int flights() const { return flights_; }

 private:
  void carry();

  std::uint16_t port_;
  std::uint16_t own_port_;
  std::chrono::milliseconds delay_;
  Descriptor listening_;
  Descriptor stop_;
  std::atomic<int> flights_{0};
  std::thread thread_;
};

}  // namespace sentinel::test
