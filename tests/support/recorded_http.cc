// SPDX-License-Identifier: Apache-2.0
#include "tests/support/recorded_http.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <sstream>

namespace sentinel {
namespace {

constexpr int kLookMs = 20;  // until the thread notices that it should end

std::string field(const std::string& head, const std::string& name) {
  std::istringstream lines(head);
  std::string line;
  while (std::getline(lines, line)) {
    if (::strncasecmp(line.c_str(), (name + ": ").c_str(), name.size() + 2) != 0) continue;
    return line.substr(name.size() + 2, line.find('\r') - name.size() - 2);
  }
  return {};
}

bool is_whole(const std::string& text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const auto length = field(text.substr(0, end + 2), "Content-Length");
  return text.size() >= end + 4 + (length.empty() ? 0 : std::stoul(length));
}

void check(bool good, const char* what) {
  if (good) return;
  fmt::print(stderr, "RecordedHttp: {}\n", what);
  ::abort();
}

}  // namespace

RecordedHttp::RecordedHttp(Handler handler, const std::string& socket) : handler_(std::move(handler)), socket_(socket) {
  listener_ = Descriptor(::socket(socket.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in tcp{};
  tcp.sin_family = AF_INET;
  tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  check(socket.size() < sizeof(local.sun_path), "the socket's path is too long");
  ::memcpy(local.sun_path, socket.c_str(), socket.size() + 1);
  const bool bound = socket.empty() ? ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&tcp), sizeof(tcp)) == 0
                                    : ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&local), sizeof(local)) == 0;
  check(bound && ::listen(listener_.get(), 16) == 0, "it can't listen");
  thread_ = std::thread([this] { serve(); });
}

RecordedHttp::~RecordedHttp() {
  ends_ = true;
  thread_.join();
  if (!socket_.empty()) ::unlink(socket_.c_str());
}

std::string RecordedHttp::url() const {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  check(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0, "it has no address");
  return fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
}

void RecordedHttp::serve() {
  while (!ends_) {
    pollfd waiting{listener_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kLookMs) <= 0) continue;
    const Descriptor connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.valid()) answer(connection.get());
  }
}

void RecordedHttp::answer(int connection) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (!is_whole(text)) {
    const auto got = ::recv(connection, buffer.data(), buffer.size(), 0);
    if (got <= 0) return;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const auto end = text.find("\r\n\r\n");
  RecordedRequest request;
  std::istringstream first(text);
  first >> request.method >> request.target;
  request.authorization = field(text.substr(0, end + 2), "Authorization");
  request.body = text.substr(end + 4);
  const auto said = handler_(request);
  const auto reply = fmt::format("HTTP/1.1 {} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", said.status,
                                 said.body.size(), said.body);
  std::string_view rest = reply;
  while (!rest.empty()) {
    const auto sent = ::send(connection, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace sentinel
