// SPDX-License-Identifier: Apache-2.0
// What core/checks predicts of the machine it runs on, as JSON: for tests that try it from outside.
#include <iostream>

#include "core/checks/network_setup.h"
#include "core/system/local_system.h"

using namespace sentinel;

int main() {
  LocalSystem machine;
  Look look({machine, {}, {}, {}, {}, {}});
  const auto setup = read_network_setup(look);
  if (!setup.ok()) {
    std::cerr << setup.error().code << ": " << setup.error().message << "\n";
    return 1;
  }
  std::cout << nlohmann::json(predict_exposure(*setup)) << "\n";
  return 0;
}
