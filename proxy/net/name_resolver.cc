// SPDX-License-Identifier: Apache-2.0
// Who waits for a lookup holds one end of a socket pair; the thread closes the other end when the answer is there. So
// nobody has to outlive anybody.
#include "proxy/net/name_resolver.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include <boost/asio/ip/tcp.hpp>

namespace sentinel::proxy {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kFresh{30};

/// The families in turn, so that one that doesn't work costs one attempt.
Addresses in_turn(const Addresses& addresses) {
  Addresses six;
  Addresses four;
  for (const auto& address : addresses) (address.is_v6() ? six : four).push_back(address);
  Addresses mixed;
  for (std::size_t i = 0; i < std::max(six.size(), four.size()); ++i) {
    if (i < six.size()) mixed.push_back(six[i]);
    if (i < four.size()) mixed.push_back(four[i]);
  }
  return mixed;
}

}  // namespace

struct NameResolver::State {
  struct Entry {
    Addresses addresses;
    Clock::time_point asked{};
    bool asking = false;
    std::vector<Descriptor> waiting;  ///< closed when the answer is there
  };

  Ask ask;
  std::mutex mutex;
  std::condition_variable wake;
  std::map<std::string, Entry> entries;
  std::deque<std::string> wanted;
  bool started = false;
  bool ended = false;
};

namespace {

void serve(const std::shared_ptr<NameResolver::State>& state) {
  std::unique_lock lock(state->mutex);
  for (;;) {
    state->wake.wait(lock, [&] { return state->ended || !state->wanted.empty(); });
    if (state->ended) return;
    const std::string host = state->wanted.front();
    state->wanted.pop_front();
    lock.unlock();
    const Addresses found = in_turn(state->ask(host));
    lock.lock();
    auto& entry = state->entries[host];
    if (!found.empty()) {
      // The one that worked last stays in front, as long as it is among them.
      const bool kept = !entry.addresses.empty() && std::count(found.begin(), found.end(), entry.addresses.front()) > 0;
      const auto first = kept ? entry.addresses.front() : found.front();
      entry.addresses = found;
      std::stable_partition(entry.addresses.begin(), entry.addresses.end(),
                            [&](const auto& address) { return address == first; });
    }
    entry.asked = Clock::now();
    entry.asking = false;
    entry.waiting.clear();
  }
}

/// With the lock held.
void want(const std::shared_ptr<NameResolver::State>& state, const std::string& host) {
  auto& entry = state->entries[host];
  if (entry.asking) return;
  entry.asking = true;
  state->wanted.push_back(host);
  if (!state->started) {
    state->started = true;
    std::thread([state] { serve(state); }).detach();
  }
  state->wake.notify_one();
}

}  // namespace

NameResolver::NameResolver(Ask ask) : state_(std::make_shared<State>()) {
  state_->ask = ask;
}

NameResolver::~NameResolver() {
  const std::lock_guard lock(state_->mutex);
  state_->ended = true;
  state_->wake.notify_one();
}

Addresses NameResolver::known(const std::string& host) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->entries.find(host);
  if (found == state_->entries.end() || found->second.addresses.empty()) return {};
  if (Clock::now() - found->second.asked > kFresh) want(state_, host);
  return found->second.addresses;
}

NameResolver::Lookup NameResolver::look_up(const std::string& host) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return {};
  Lookup lookup{Descriptor(ends[0]), host};
  const std::lock_guard lock(state_->mutex);
  want(state_, host);
  state_->entries[host].waiting.emplace_back(ends[1]);
  return lookup;
}

void NameResolver::prefer(const std::string& host, const boost::asio::ip::address& address) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->entries.find(host);
  if (found == state_->entries.end()) return;
  Addresses& addresses = found->second.addresses;
  std::stable_partition(addresses.begin(), addresses.end(), [&](const auto& other) { return other == address; });
}

void NameResolver::distrust(const std::string& host) {
  const std::lock_guard lock(state_->mutex);
  if (state_->entries.contains(host)) want(state_, host);
}

Addresses NameResolver::ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
  Addresses found;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    boost::asio::ip::tcp::endpoint endpoint;
    if (one->ai_addrlen > endpoint.capacity()) continue;
    memcpy(endpoint.data(), one->ai_addr, one->ai_addrlen);
    found.push_back(endpoint.address());
  }
  ::freeaddrinfo(list);
  return found;
}

}  // namespace sentinel::proxy
