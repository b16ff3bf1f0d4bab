// SPDX-License-Identifier: Apache-2.0
// What the engine's tests share: a clock that only moves when told (or slept on), a sink that remembers, an operator
// that answers from a script.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/events.h"
#include "core/engine/transaction.h"

namespace sentinel {

class ManualClock final : public Clock {
 public:
  /// An hour after FakeSystem's time begins.
  std::chrono::system_clock::time_point now() const override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'003'600)) +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(passed_);
  }

  std::chrono::nanoseconds since_boot() const override { return std::chrono::seconds(1000) + passed_; }

  void sleep(std::chrono::milliseconds duration) override { passed_ += duration; }

  void pass(std::chrono::nanoseconds duration) { passed_ += duration; }

 private:
  std::chrono::nanoseconds passed_{0};
};

class RecordingSink final : public EventSink {
 public:
  void tell(Event event) override {
    events.push_back(std::move(event));
    if (on_event) on_event(events.back());
  }

  /// Texts of all events of one type, in order.
  std::vector<std::string> texts(Event::Type type) const {
    std::vector<std::string> out;
    for (const auto& event : events) {
      if (event.type == type) out.push_back(event.text);
    }
    return out;
  }

  std::vector<Event> events;
  std::function<void(const Event&)> on_event;
};

class ScriptedControl final : public Control {
 public:
  bool abort_requested() override { return abort && abort(); }

  Reply wait_for_confirmation(std::chrono::nanoseconds activated, std::chrono::nanoseconds deadline) override {
    waits.push_back({activated, deadline});
    return waits.size() <= replies.size() ? replies[waits.size() - 1] : Reply{Answer::kConfirmed, "tester", {}};
  }

  struct Wait {
    std::chrono::nanoseconds activated;
    std::chrono::nanoseconds deadline;
  };

  std::function<bool()> abort;
  std::vector<Reply> replies;  ///< in order; then confirmed
  std::vector<Wait> waits;
};

inline constexpr const char* kTestTransaction = "0123456789abcdef0123456789abcdef";

}  // namespace sentinel
