// SPDX-License-Identifier: Apache-2.0
// The options every command takes, before or after its name.
#pragma once

#include <string>
#include <vector>

namespace sentinel {

struct GlobalOptions {
  std::string directory = ".";        ///< -C: where sentinel.yaml stands
  std::string hosts;                  ///< -H: names, tags, globs, "!x"; empty: all
  std::vector<std::string> settings;  ///< --set key=value
  unsigned parallel = 32;             ///< hosts worked on at the same time
  unsigned connect_timeout = 10;      ///< seconds
  unsigned confirm_timeout = 60;      ///< seconds until an unconfirmed change is reverted
  unsigned wait = 0;                  ///< seconds to wait for another operator's lease
  bool json = false;
  bool events = false;  ///< JSON lines while it runs; implies json
  bool yes = false;
  bool dry_run = false;
  bool no_colour = false;
  bool verbose = false;
  bool accept_new_host_key = false;
  bool ask_sudo_password = false;
};

}  // namespace sentinel
