// SPDX-License-Identifier: Apache-2.0
// ProbeRunner: one try of one probe against the world. Every outcome is an answer; there are no errors beside it, and
// nothing is healthy unless it was seen to be.
#pragma once

#include <chrono>

#include "core/model/health.h"
#include "core/system/reader.h"

namespace sentinel {

class ProbeRunner {
 public:
  virtual ~ProbeRunner() = default;
  /// Tries once, for at most the probe's timeout or `limit`, whichever is shorter.
  virtual ProbeAnswer run(const Probe& probe, std::chrono::milliseconds limit) = 0;
};

/// Asks for real. `machine` runs commands and systemctl, and must outlive this. Any thread may call run(), if the
/// machine allows it; a call blocks until its try has ended.
class LocalProbeRunner final : public ProbeRunner {
 public:
  explicit LocalProbeRunner(Reader& machine) : machine_(machine) {}

  ProbeAnswer run(const Probe& probe, std::chrono::milliseconds limit) override;

 private:
  Reader& machine_;
};

}  // namespace sentinel
