// SPDX-License-Identifier: Apache-2.0
// Listening sockets: on an address, as a unix socket, or inherited from whoever started us.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/descriptor.h"
#include "core/base/result.h"

namespace sentinel::proxy {

/// Where to listen: "127.0.0.1:8080", "[::1]:8080", "unix:/run/x/api.sock", "fd:api", "fd:app#2".
struct ListenAddress {
  enum class Kind { kTcp, kUnix, kInherited };

  Kind kind = Kind::kTcp;
  std::string name;        ///< address literal, absolute path, or the descriptor's name
  std::uint16_t port = 0;  ///< 0: any free one

  static ListenAddress tcp(std::string host, std::uint16_t port) { return {Kind::kTcp, std::move(host), port}; }

  bool operator==(const ListenAddress&) const = default;
};

/// Error `proxy.listen` (usage).
Result<ListenAddress> parse_listen_address(std::string_view text);

/// Who may connect to a unix socket.
struct SocketAccess {
  std::string owner;  ///< name or number; empty: the process's own
  std::string group;
  mode_t mode = 0660;
};

/// Listens on an address literal; port 0 takes a free one. Non-blocking. Error `proxy.listen`.
Result<Descriptor> listen_tcp(const std::string& host, std::uint16_t port);

/// The file of a unix socket that is listened on; removes it in the end, unless somebody put another in its place.
class SocketFile {
 public:
  SocketFile() = default;

  /// The file as it is now.
  explicit SocketFile(std::string path);

  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&& other) noexcept;

  ~SocketFile() { remove(); }

 private:
  void remove();

  std::string path_;  ///< empty: nothing to remove

  struct stat made_ {};  ///< device, inode and time of the last change together: an inode's number is soon used again
};

struct UnixListener {
  Descriptor descriptor;
  SocketFile file;
};

/// A file that nobody listens on any more is replaced; one that somebody does is an error. The socket never has wider
/// access than asked for. Before threads are started only (it sets the umask for a moment). Error `proxy.listen`.
Result<UnixListener> listen_unix(const std::string& path, const SocketAccess& access);

/// Descriptors handed over by the service manager (sd_listen_fds(3)): 3, 4, …, with names.
class InheritedSockets {
 public:
  /// Takes the values of LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES; empty when they are meant for another process. To
  /// be called once: it owns the descriptors from then on.
  InheritedSockets(const std::string& pid, const std::string& count, const std::string& names);

  /// All of that name, or with "#1", "#2", … behind it that one of them (the sockets of a socket unit share one name).
  /// Non-blocking and listening. Error `proxy.listen` when there is none, or one doesn't listen.
  Result<std::vector<Descriptor>> take(const std::string& name);

 private:
  struct Named {
    std::string name;
    Descriptor descriptor;
  };

  std::vector<Named> sockets_;
};

/// "127.0.0.1:8080", "[::1]:8080", "unix:/path": where a socket really listens.
std::string listening_address(const Descriptor& listener);
/// Another descriptor of the same socket, for another worker.
Result<Descriptor> duplicate(const Descriptor& listener);

}  // namespace sentinel::proxy
