// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/resolve.h"

#include <algorithm>
#include <utility>

namespace sentinel::proxy {

Task<Addresses> resolve(Loop& loop, NameResolver* names, std::string host, std::chrono::steady_clock::time_point end,
                        Wake& wake) {
  boost::system::error_code not_address;
  const boost::asio::ip::address literal = boost::asio::ip::make_address(host, not_address);
  Addresses addresses;
  if (!not_address) {
    addresses.push_back(literal);
    co_return addresses;
  }
  if (names == nullptr) co_return addresses;
  addresses = names->known(host);
  if (!addresses.empty()) co_return addresses;
  NameResolver::Lookup lookup = names->look_up(host);
  if (!lookup.ready.valid()) co_return addresses;
  Stream ready(loop, std::move(lookup.ready));
  StreamDeadline deadline(ready);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  deadline.arm(std::max(left, std::chrono::milliseconds(1)));
  wake.bind(&ready);
  bool waiting = true;
  while (waiting && !wake.cancelled() && !deadline.expired()) {
    const WaitResult waited = co_await ready.wait_readable();
    waiting = waited != WaitResult::kReady;
  }
  wake.bind(nullptr);
  if (!waiting) addresses = names->known(host);
  co_return addresses;
}

}  // namespace sentinel::proxy
