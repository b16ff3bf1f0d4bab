// SPDX-License-Identifier: Apache-2.0
// Who may confirm is judged by the kernel's word, not by the peer's: the process at the other end of the socket must
// descend from an sshd session that began after the activation.
#include "agent/control_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/ssh_session.h"
#include "core/engine/state_directory.h"

namespace sentinel::agent {

ControlServer::ControlServer(std::string transaction, std::string path, Descriptor listener, Reader& machine,
                             Clock& clock)
    : transaction_(std::move(transaction)),
      path_(std::move(path)),
      listener_(std::move(listener)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      machine_(machine),
      clock_(clock) {}

Result<std::unique_ptr<ControlServer>> ControlServer::open(const std::string& transaction, Reader& machine,
                                                           Clock& clock) {
  const std::string path = StateDirectory{}.socket(transaction);
  SENTINEL_TRY(auto listener, listen_locally(path));
  return std::unique_ptr<ControlServer>(new ControlServer(transaction, path, std::move(listener), machine, clock));
}

ControlServer::~ControlServer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  eventfd_write(wake_.get(), 1);
  if (thread_.joinable()) thread_.join();
  ::unlink(path_.c_str());
}

Result<ReceivedHandover> ControlServer::receive_handover(std::chrono::milliseconds timeout) {
  pollfd waiting{listener_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(timeout.count())) <= 0)
    return Error("handover.timeout", "no session came to begin");
  Descriptor accepted(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!accepted.valid()) return Error("handover.timeout", "the session that should begin has gone");
  LocalConnection owner(std::move(accepted));
  ReceivedHandover received;
  ContentCollector collector;
  for (;;) {
    SENTINEL_TRY(const auto frame, owner.await(timeout));
    if (frame.type == FrameType::kRequest) {
      SENTINEL_TRY(received.request, decode_message<Request>(frame.payload));
    } else if (frame.type == FrameType::kSecrets) {
      SENTINEL_TRY(received.secrets, decode_secrets(frame.payload));
    } else if (frame.type == FrameType::kContent) {
      SENTINEL_TRY(auto content, collector.accept(frame.payload));
      if (content) received.contents.push_back(std::move(*content));
    } else if (frame.type == FrameType::kBegin) {
      SENTINEL_TRY(received.handover, decode_message<Handover>(frame.payload));
      break;
    } else {
      return Error("handover.malformed", "an unexpected frame came in a hand-over");
    }
  }
  connections_.push_back(std::move(owner));
  owner_present_ = true;
  return received;
}

void ControlServer::serve(std::function<void()> abandoned) {
  abandoned_ = std::move(abandoned);
  thread_ = std::thread([this] { run(); });
}

void ControlServer::mark_activated() {
  const std::lock_guard lock(mutex_);
  activated_ = true;
}

bool ControlServer::abort_requested() {
  const std::lock_guard lock(mutex_);
  return abort_;
}

Control::Reply ControlServer::wait_for_confirmation(std::chrono::nanoseconds activated,
                                                    std::chrono::nanoseconds deadline) {
  std::unique_lock lock(mutex_);
  waiting_since_ = activated;
  for (;;) {
    if (abort_) return {Answer::kAborted, {}, {}};
    if (confirmed_by_) return {Answer::kConfirmed, *confirmed_by_, {}};
    if (extend_by_) {
      const auto extended = clock_.since_boot() + std::chrono::seconds(*std::exchange(extend_by_, std::nullopt));
      return {Answer::kExtended, {}, std::max(extended, deadline)};
    }
    const auto left = deadline - clock_.since_boot();
    if (left.count() <= 0) {
      waiting_since_.reset();
      return {Answer::kExpired, {}, {}};
    }
    changed_.wait_for(lock, std::min<std::chrono::nanoseconds>(left, std::chrono::milliseconds(200)));
  }
}

void ControlServer::owner_gone() {
  const std::lock_guard lock(mutex_);
  owner_present_ = false;
  if (!activated_) abandoned_();
}

void ControlServer::run() {
  for (;;) {
    std::vector<pollfd> waiting{{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    for (const auto& connection : connections_) waiting.push_back({connection.fd(), POLLIN, 0});
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
    std::size_t index = 2;
    for (auto it = connections_.begin(); it != connections_.end(); ++index) {
      const bool is_owner = owner_present_ && it == connections_.begin();
      if (waiting[index].revents != 0 && !take_frames(*it)) {
        it = connections_.erase(it);
        if (is_owner) owner_gone();
      } else {
        ++it;
      }
    }
    if (waiting[0].revents != 0) {
      Descriptor accepted(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (accepted.valid()) connections_.emplace_back(std::move(accepted));
    }
  }
}

bool ControlServer::take_frames(LocalConnection& connection) {
  const auto open = connection.receive();
  for (;;) {
    const auto frame = connection.next();
    if (!frame.ok()) return false;
    if (!*frame) break;
    const std::string reply = answer(**frame, connection.peer_pid());
    if (!connection.send(reply).ok()) return false;
  }
  return open.ok() && *open;
}

std::string ControlServer::answer(const Frame& frame, int peer_pid) {
  Result<void> outcome;
  if (frame.type == FrameType::kAbort) {
    const std::lock_guard lock(mutex_);
    abort_ = true;
  } else if (frame.type == FrameType::kExtend) {
    const auto extend = decode_message<Extend>(frame.payload);
    if (extend.ok()) {
      const std::lock_guard lock(mutex_);
      extend_by_ = extend->seconds;
    } else {
      outcome = extend.error();
    }
  } else if (frame.type == FrameType::kConfirm) {
    outcome = take_confirmation(peer_pid);
  } else {
    outcome = Error("wire.malformed", "a transaction takes only abort, extend and confirm");
  }
  changed_.notify_all();
  return outcome.ok() ? encode_frame(FrameType::kAccepted, "{}") : encode_message(FrameType::kFailed, outcome.error());
}

Result<void> ControlServer::take_confirmation(int peer_pid) {
  const auto session = find_ssh_session(machine_, peer_pid);
  const std::lock_guard lock(mutex_);
  if (!waiting_since_) return Error("confirm.not-waiting", "the transaction does not wait for a confirmation");
  if (!session) {
    return Error("confirm.no-session", "the confirmation did not come over SSH",
                 "it must come the way the operator comes: over a new SSH connection");
  }
  if (session->started <= *waiting_since_) {
    return Error("confirm.old-session", "the confirming connection is older than the change it should confirm",
                 "a connection that was open before proves nothing; open a new one without multiplexing");
  }
  confirmed_by_ = fmt::format("sshd session {} of {} ms after boot", session->pid,
                              std::chrono::duration_cast<std::chrono::milliseconds>(session->started).count());
  return {};
}

void ControlServer::finish(const std::string& frame) {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  eventfd_write(wake_.get(), 1);
  if (thread_.joinable()) thread_.join();
  // What fails here is told by the event log all the same.
  if (owner_present_) static_cast<void>(connections_.front().send(frame));
}

}  // namespace sentinel::agent
