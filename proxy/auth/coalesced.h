// SPDX-License-Identifier: Apache-2.0
// Work that many tasks of one worker want at the same time is done once: the first does it, the others wait for its
// outcome.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/net/waiter.h"

namespace sentinel::proxy {

template <typename Outcome>
class Coalesced {
 public:
  explicit Coalesced(Loop& loop) : loop_(loop) {}

  /// `work()` gives the task; it is called only when nobody works on `key`. Nothing: it took longer than `most`.
  template <typename Work>
  Task<std::optional<Outcome>> run(std::string key, std::chrono::milliseconds most, Work work) {
    if (const auto found = flights_.find(key); found != flights_.end()) {
      const std::shared_ptr<Flight> flight = found->second;
      Waiter waiter(loop_);
      flight->waiters.push_back(&waiter);
      const bool woken = co_await waiter.wait(most);
      std::erase(flight->waiters, &waiter);
      co_return woken ? flight->outcome : std::nullopt;
    }
    const auto flight = std::make_shared<Flight>();
    flights_[key] = flight;
    Outcome outcome = co_await work();
    flight->outcome = outcome;
    flights_.erase(key);
    for (Waiter* waiter : flight->waiters) waiter->wake();
    co_return std::move(outcome);
  }

  bool under_way(const std::string& key) const { return flights_.contains(key); }

 private:
  struct Flight {
    std::vector<Waiter*> waiters;
    std::optional<Outcome> outcome;
  };

  Loop& loop_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace sentinel::proxy
