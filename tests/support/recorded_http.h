// SPDX-License-Identifier: Apache-2.0
// A service on loopback that says what was recorded: for probes that ask by HTTP, over TCP or a unix socket.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "core/base/descriptor.h"

namespace sentinel {

struct RecordedRequest {
  std::string method;
  std::string target;
  std::string authorization;
  std::string body;
};

struct RecordedAnswer {
  unsigned status = 200;
  std::string body;
};

/// Answers one connection after the other until it goes away; the handler runs on a thread of its own.
class RecordedHttp {
 public:
  using Handler = std::function<RecordedAnswer(const RecordedRequest&)>;

  /// On 127.0.0.1, or on a unix socket of that path.
  explicit RecordedHttp(Handler handler, const std::string& socket = {});
  ~RecordedHttp();
  RecordedHttp(const RecordedHttp&) = delete;
  RecordedHttp& operator=(const RecordedHttp&) = delete;

  /// "http://127.0.0.1:41234"
  std::string url() const;

 private:
  void serve();
  void answer(int connection);

  Handler handler_;
  Descriptor listener_;
  std::string socket_;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

}  // namespace sentinel
