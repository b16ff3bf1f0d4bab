// SPDX-License-Identifier: Apache-2.0
// Tells webhooks of changes, in a thread of its own: what happens to a message never changes what the watch does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/model/watch.h"

namespace sentinel::agent {

/// Each message goes to each webhook, at most kTries times with growing pauses; an answer from 200 to 299 is taken. A
/// queue that is full loses its oldest message. Thread safe.
class WebhookSender {
 public:
  struct Counts {
    std::uint64_t sent = 0;
    std::uint64_t failed = 0;  ///< given up or lost
  };

  explicit WebhookSender(std::vector<Webhook> webhooks);
  /// Gives up what is not sent; waits for a try under way, at most kTryLimit.
  ~WebhookSender();
  WebhookSender(const WebhookSender&) = delete;
  WebhookSender& operator=(const WebhookSender&) = delete;

  void send(const std::string& body);
  Counts counts() const;

 private:
  void run();
  bool deliver(const Webhook& webhook, const std::string& body);
  /// False: this is being destroyed.
  bool pause(std::chrono::milliseconds time);

  std::vector<Webhook> webhooks_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::string> queue_;
  Counts counts_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace sentinel::agent
