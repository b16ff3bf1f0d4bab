// SPDX-License-Identifier: Apache-2.0
// A head is read until its end, its limit or its time; only the first line matters.
#include "agent/status_server.h"

#include <errno.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace sentinel::agent {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMostHead = 8192;
constexpr std::chrono::seconds kTimeLimit{2};

/// Waits until `fd` is ready for `events`, at most until `end`.
bool ready(int fd, short events, SteadyClock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - SteadyClock::now()).count();
  pollfd waiting{fd, events, 0};
  return left > 0 && ::poll(&waiting, 1, static_cast<int>(left)) == 1;
}

std::string read_head(int fd, SteadyClock::time_point end) {
  std::string head;
  char buffer[1024];
  while (head.size() < kMostHead && head.find("\r\n\r\n") == std::string::npos && ready(fd, POLLIN, end)) {
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) return {};
    head.append(buffer, static_cast<std::size_t>(got));
  }
  return head.find("\r\n\r\n") == std::string::npos ? std::string() : head;
}

void write_all(int fd, std::string_view text, SteadyClock::time_point end) {
  while (!text.empty() && ready(fd, POLLOUT, end)) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string reply(std::string_view status, std::string_view type, std::string_view text) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                     type, text.size(), text);
}

}  // namespace

Result<std::unique_ptr<StatusServer>> StatusServer::open(std::uint16_t port, Pages pages) {
  const std::string place = fmt::format("127.0.0.1 port {}", port);
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Descriptor stop(::eventfd(0, EFD_CLOEXEC));
  if (!listener.valid() || !stop.valid()) return system_error(errno, "make a socket for", place);
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), 16) != 0) {
    return system_error(errno, "listen on", place);
  }
  return std::unique_ptr<StatusServer>(new StatusServer(std::move(listener), std::move(stop), std::move(pages)));
}

StatusServer::StatusServer(Descriptor listener, Descriptor stop, Pages pages)
    : listener_(std::move(listener)), stop_(std::move(stop)), pages_(std::move(pages)), thread_([this] { run(); }) {}

StatusServer::~StatusServer() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void StatusServer::run() {
  for (;;) {
    pollfd waiting[2] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0 && errno != EINTR) return;
    if (waiting[1].revents != 0) return;
    if (waiting[0].revents == 0) continue;
    const Descriptor connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.valid()) answer(connection);
  }
}

void StatusServer::answer(const Descriptor& connection) {
  const auto end = SteadyClock::now() + kTimeLimit;
  const std::string head = read_head(connection.get(), end);
  if (head.empty()) return;
  const auto first_blank = head.find(' ');
  const auto path_end = std::min(head.find_first_of(" ?\r", first_blank + 1), head.size());
  if (first_blank != 3 || !head.starts_with("GET")) {
    write_all(connection.get(), reply("405 Method Not Allowed", "text/plain", "only GET\n"), end);
    return;
  }
  const Page page = pages_(head.substr(4, path_end - 4));
  const bool found = !page.type.empty();
  write_all(connection.get(),
            found ? reply("200 OK", page.type, page.text) : reply("404 Not Found", "text/plain", "nothing here\n"),
            end);
}

}  // namespace sentinel::agent
