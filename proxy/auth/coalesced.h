// SPDX-License-Identifier: Apache-2.0
// Work that many tasks want at the same time is done once: the first does it, the others wait for its outcome. One may
// be shared by workers: each task waits on its own loop, and is woken there by a message.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "proxy/net/waiter.h"

namespace sentinel::proxy {

/// Any thread. Whoever shares one destroys no loop while another of them runs.
template <typename Outcome>
class Coalesced {
 public:
  /// `work()` gives the task; it is called only when nobody works on `key`. Nothing: it took longer than `most`.
  template <typename Work>
  Task<std::optional<Outcome>> run(Loop& loop, std::string key, std::chrono::milliseconds most, Work work) {
    const auto waiter = std::make_shared<Waiter>(loop);
    const Joined joined = join(key, loop, waiter);
    if (!joined.first) {
      const bool woken = co_await waiter->wait(most);
      co_return woken ? joined.flight->outcome : std::nullopt;
    }
    Outcome outcome = co_await work();
    for (const Place& place : land(key, *joined.flight, outcome)) {
      place.loop->post([waiting = place.waiter] {
        if (const std::shared_ptr<Waiter> here = waiting.lock()) here->wake();
      });
    }
    co_return std::move(outcome);
  }

  bool under_way(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    return flights_.contains(key);
  }

 private:
  /// Its waiter is touched on the loop's thread only.
  struct Place {
    Loop* loop;
    std::weak_ptr<Waiter> waiter;
  };

  struct Flight {
    std::vector<Place> places;
    std::optional<Outcome> outcome;  ///< there before anybody is woken
  };

  struct Joined {
    std::shared_ptr<Flight> flight;
    bool first;
  };

  Joined join(const std::string& key, Loop& loop, const std::shared_ptr<Waiter>& waiter) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Flight>& flight = flights_[key];
    if (flight != nullptr) {
      flight->places.push_back({&loop, waiter});
      return {flight, false};
    }
    flight = std::make_shared<Flight>();
    return {flight, true};
  }

  std::vector<Place> land(const std::string& key, Flight& flight, const Outcome& outcome) {
    const std::lock_guard lock(mutex_);
    flight.outcome = outcome;
    flights_.erase(key);
    return std::move(flight.places);
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace sentinel::proxy
