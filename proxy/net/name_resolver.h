// SPDX-License-Identifier: Apache-2.0
// Names to addresses, without ever stopping a loop: one thread for the process asks the system's resolver and keeps
// what it heard. An answer is used for half a minute; then it is still used while a new one is fetched, and kept when
// none comes, so that a name server's outage touches nobody who was known before it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "core/base/descriptor.h"

namespace sentinel::proxy {

using Addresses = std::vector<boost::asio::ip::address>;

/// Any thread. The system's lookups can't be cancelled: one that hangs is left behind at the end of the process.
class NameResolver {
 public:
  /// Asks the system; replaced in tests.
  using Ask = Addresses (*)(const std::string& host);

  struct State;

  /// A lookup under way: `ready` becomes readable (it ends) when addresses() can be called.
  struct Lookup {
    Descriptor ready;
    std::string host;
  };

  explicit NameResolver(Ask ask = &ask_system);
  ~NameResolver();
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  /// What is known now, families in turn, the best first; empty: nothing is. An old answer is renewed meanwhile.
  Addresses known(const std::string& host);
  /// For a name of which nothing is known. An invalid descriptor: out of descriptors.
  Lookup look_up(const std::string& host);
  /// Connecting to this one worked: it comes first from now on.
  void prefer(const std::string& host, const boost::asio::ip::address& address);
  /// None of them could be connected to: asks again.
  void distrust(const std::string& host);

  static Addresses ask_system(const std::string& host);

 private:
  std::shared_ptr<State> state_;
};

}  // namespace sentinel::proxy
