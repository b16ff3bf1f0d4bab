// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

namespace sentinel::proxy {
namespace {

using Endpoint = boost::asio::ip::tcp::endpoint;

constexpr int kBacklog = 4096;
constexpr int kFirstInherited = 3;

Error cannot_listen(const std::string& where, const std::string& why) {
  return Error("proxy.listen", fmt::format("can't listen on {}: {}", where, why));
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<uid_t> user_of(const std::string& name) {
  if (name.empty()) return static_cast<uid_t>(-1);
  if (const std::optional<uid_t> number = number_of<uid_t>(name)) return *number;
  const passwd* found = getpwnam(name.c_str());  // NOLINT(concurrency-mt-unsafe): before threads are started
  if (found == nullptr) return Error("proxy.listen", fmt::format("there is no user '{}'", name), {}, ExitCode::kUsage);
  return found->pw_uid;
}

Result<gid_t> group_of(const std::string& name) {
  if (name.empty()) return static_cast<gid_t>(-1);
  if (const std::optional<gid_t> number = number_of<gid_t>(name)) return *number;
  const group* found = getgrnam(name.c_str());  // NOLINT(concurrency-mt-unsafe): before threads are started
  if (found == nullptr) return Error("proxy.listen", fmt::format("there is no group '{}'", name), {}, ExitCode::kUsage);
  return found->gr_gid;
}

/// Whether somebody accepts on the socket file.
bool is_served(const sockaddr_un& address) {
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto wrong = [&] {
    return Error("proxy.listen", fmt::format("'{}' is not an address to listen on", text),
                 "write 127.0.0.1:8080, [::1]:8080, unix:/path or fd:name", ExitCode::kUsage);
  };
  if (text.starts_with("unix:")) {
    const std::string_view path = text.substr(5);
    if (!path.starts_with('/') || path.size() >= sizeof(sockaddr_un::sun_path)) return wrong();
    return ListenAddress{ListenAddress::Kind::kUnix, std::string(path), 0};
  }
  if (text.starts_with("fd:")) {
    if (text.size() == 3) return wrong();
    return ListenAddress{ListenAddress::Kind::kInherited, std::string(text.substr(3)), 0};
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::optional<std::uint16_t> port = number_of<std::uint16_t>(text.substr(colon + 1));
  boost::system::error_code not_address;
  const auto address = boost::asio::ip::make_address(std::string(host), not_address);
  if (!port || not_address || address.is_v6() != bracketed) return wrong();
  return ListenAddress::tcp(std::string(host), *port);
}

Result<Descriptor> listen_tcp(const std::string& host, std::uint16_t port) {
  const std::string where = fmt::format("{} port {}", host, port);
  boost::system::error_code wrong;
  const boost::asio::ip::address address = boost::asio::ip::make_address(host, wrong);
  if (wrong) {
    return cannot_listen(where, "not an address")
        .hinted("write an IPv4 or IPv6 address, not a name")
        .exits(ExitCode::kUsage);
  }
  const Endpoint endpoint(address, port);
  Descriptor listener(::socket(endpoint.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!listener.valid() || setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(listener.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(listener.get(), kBacklog) != 0) {
    return cannot_listen(where, strerror(errno));
  }
  return listener;
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  if (::lstat(path_.c_str(), &made_) != 0) path_.clear();
}

SocketFile::SocketFile(SocketFile&& other) noexcept : path_(std::exchange(other.path_, {})), made_(other.made_) {}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  if (this == &other) return *this;
  remove();
  path_ = std::exchange(other.path_, {});
  made_ = other.made_;
  return *this;
}

void SocketFile::remove() {
  struct stat now {};

  if (path_.empty() || ::lstat(path_.c_str(), &now) != 0) return;
  const bool ours = now.st_dev == made_.st_dev && now.st_ino == made_.st_ino &&
                    now.st_ctim.tv_sec == made_.st_ctim.tv_sec && now.st_ctim.tv_nsec == made_.st_ctim.tv_nsec;
  if (ours) ::unlink(path_.c_str());
}

Result<UnixListener> listen_unix(const std::string& path, const SocketAccess& access) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return cannot_listen(path, "the path is too long");
  memcpy(address.sun_path, path.c_str(), path.size());
  SENTINEL_TRY(const uid_t user, user_of(access.owner));
  SENTINEL_TRY(const gid_t group, group_of(access.group));

  struct stat before {};

  if (::lstat(path.c_str(), &before) == 0) {
    if (!S_ISSOCK(before.st_mode)) return cannot_listen(path, "something that is no socket is there");
    if (is_served(address)) return cannot_listen(path, strerror(EADDRINUSE));
    ::unlink(path.c_str());
  }
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const mode_t umask_before = ::umask(0777);
  const bool bound = ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int bind_error = errno;
  ::umask(umask_before);
  if (!bound) return cannot_listen(path, strerror(bind_error));

  // Connections are possible only once the mode is set, and then somebody listens already.
  // A hardened unit may forbid chown altogether, so it is called only when asked for.
  const bool given = !access.owner.empty() || !access.group.empty();
  if (::listen(listener.get(), kBacklog) != 0 || (given && ::lchown(path.c_str(), user, group) != 0) ||
      ::chmod(path.c_str(), access.mode) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return cannot_listen(path, strerror(error));
  }
  return UnixListener{std::move(listener), SocketFile(path)};
}

InheritedSockets::InheritedSockets(const std::string& pid, const std::string& count, const std::string& names) {
  if (number_of<pid_t>(pid) != ::getpid()) return;
  const int most = number_of<int>(count).value_or(0);
  std::string_view rest = names;
  for (int i = 0; i < most; ++i) {
    const std::size_t colon = rest.find(':');
    const std::string_view name = rest.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
    Descriptor descriptor(kFirstInherited + i);
    ::fcntl(descriptor.get(), F_SETFD, FD_CLOEXEC);
    ::fcntl(descriptor.get(), F_SETFL, ::fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
    sockets_.push_back({std::string(name), std::move(descriptor)});
  }
}

Result<std::vector<Descriptor>> InheritedSockets::take(const std::string& name) {
  const std::size_t mark = name.rfind('#');
  const std::string_view plain = std::string_view(name).substr(0, mark);
  const int place =
      mark == std::string::npos ? 0 : number_of<int>(std::string_view(name).substr(mark + 1)).value_or(-1);
  std::vector<Descriptor> taken;
  std::string others;
  int seen = 0;
  for (Named& socket : sockets_) {
    const bool named = socket.name == plain;
    seen += named ? 1 : 0;
    if (!named || (place != 0 && place != seen) || !socket.descriptor.valid()) {
      others.append(others.empty() ? "" : ", ").append(socket.name);
      continue;
    }
    int listens = 0;
    socklen_t length = sizeof listens;
    if (getsockopt(socket.descriptor.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 || listens == 0) {
      return cannot_listen("fd:" + name, "it is no listening socket");
    }
    taken.push_back(std::move(socket.descriptor));
  }
  if (taken.empty()) {
    return cannot_listen("fd:" + name, "no descriptor of that name was handed over")
        .hinted(others.empty() ? "start it by a socket unit with FileDescriptorName=" + name : "there are: " + others);
  }
  return taken;
}

std::string listening_address(const Descriptor& listener) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(listener.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return "unknown";
  if (storage.ss_family == AF_UNIX) {
    const auto& address = reinterpret_cast<const sockaddr_un&>(storage);
    return std::string("unix:") + std::string(address.sun_path, strnlen(address.sun_path, sizeof address.sun_path));
  }
  Endpoint endpoint;
  memcpy(endpoint.data(), &storage, std::min<std::size_t>(length, endpoint.capacity()));
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                    : fmt::format("{}:{}", host, endpoint.port());
}

Result<Descriptor> duplicate(const Descriptor& listener) {
  Descriptor copy(fcntl(listener.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy.valid()) return cannot_listen(listening_address(listener), strerror(errno));
  return copy;
}

}  // namespace sentinel::proxy
