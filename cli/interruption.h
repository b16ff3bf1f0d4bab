// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and SIGTERM as a level: 0 nothing, 1 give up in good order, 2 leave at once. Before anything was changed
// level 1 ends every wait; once a transaction runs on a host, its waits end at level 2 only.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "core/base/descriptor.h"

namespace sentinel {

class Interruption {
 public:
  /// Takes over the two signals (a hang-up just ends us: hosts finish or revert by their own rules); one object per process.
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  int level() const;

  /// A descriptor that becomes readable at a level and stays so. Thread safe.
  class Watch {
   public:
    Watch(Interruption& owner, int threshold);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    int fd() const { return event_.get(); }
    /// From now on only `threshold` ends waits; one that was reached already makes the descriptor readable at once.
    void raise_threshold(int threshold);

   private:
    friend class Interruption;
    Interruption& owner_;
    int threshold_;
    Descriptor event_;
  };

 private:
  void fire_reached();

  mutable std::mutex mutex_;
  int level_ = 0;
  std::list<Watch*> watches_;
  Descriptor stop_;
  std::thread thread_;
};

}  // namespace sentinel
