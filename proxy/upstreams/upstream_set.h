// SPDX-License-Identifier: Apache-2.0
// Who answers for a model: the seam between the request path and routing, weights, failover and breakers.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/secret.h"
#include "proxy/net/http_client.h"

namespace sentinel::proxy {

/// One way to get an answer.
struct UpstreamTarget {
  std::string name;      ///< for logs and metrics
  BaseUrl base;          ///< what follows "/v1" is appended to its path
  Secret authorization;  ///< the whole value of the Authorization field
  ClientTimes times;
  std::string model;  ///< the name to send upstream; empty: as the client wrote it
};

/// How an attempt ended, for breakers and back-off.
struct AttemptReport {
  ClientStatus status = ClientStatus::kDone;  ///< kCancelled: nobody's fault
  int http_status = 0;                        ///< 0: no head arrived
  std::optional<std::chrono::seconds> retry_after;
};

/// The attempts for one request, in order.
class AttemptSequence {
 public:
  virtual ~AttemptSequence() = default;
  /// The next target to try, valid as long as the sequence; null: no more.
  virtual const UpstreamTarget* next() = 0;
  /// How the attempt that next() began has ended. True: worth trying the next one, as long as nothing was sent to the
  /// client.
  virtual bool report(const AttemptReport& report) = 0;
  /// When next() gave nothing at once: how long until somebody may be asked again.
  virtual std::optional<std::chrono::seconds> all_rest_for() const = 0;
};

/// One instance per worker, called only on its thread; breakers that workers share are the implementation's business.
class UpstreamSet {
 public:
  virtual ~UpstreamSet() = default;
  /// `model` as the client asked for it, empty for requests without one. Null: no such model is offered here.
  virtual std::unique_ptr<AttemptSequence> attempts(std::string_view model) = 0;
  /// The models offered, by their public names, sorted; empty: any.
  virtual std::vector<std::string> models() const = 0;
};

}  // namespace sentinel::proxy
