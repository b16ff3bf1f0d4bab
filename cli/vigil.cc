// SPDX-License-Identifier: Apache-2.0
#include "cli/vigil.h"

#include <condition_variable>
#include <mutex>

namespace sentinel {

Vigil::Vigil(std::vector<HostTask*> tasks)
    : thread_([tasks = std::move(tasks)](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any stopped;
        std::unique_lock lock(mutex);
        do {
          for (HostTask* task : tasks) {
            if (task->connection) task->connection->keep_alive();
          }
        } while (!stopped.wait_for(lock, stop, std::chrono::milliseconds(200), [&] { return stop.stop_requested(); }));
      }) {}

}  // namespace sentinel
