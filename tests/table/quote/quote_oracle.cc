// SPDX-License-Identifier: Apache-2.0
// Quotes the values given on stdin, for compare.py to read them back with the programs they are meant for.
// In: lines of "FILTER HEX". Out: lines of "ok HEX" or "error CODE".
#include <iostream>
#include <string>

#include "core/base/digest.h"
#include "core/base/quote.h"

namespace {

std::string from_hex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return out;
}

}  // namespace

int main() {
  std::string filter;
  std::string hex;
  while (std::cin >> filter) {
    std::getline(std::cin, hex);
    const auto quoted = sentinel::apply_quoting(filter, from_hex(hex.empty() ? hex : hex.substr(1)));
    if (quoted.ok()) {
      std::cout << "ok " << sentinel::to_hex(*quoted) << "\n";
    } else {
      std::cout << "error " << quoted.error().code << "\n";
    }
  }
  return 0;
}
