// SPDX-License-Identifier: Apache-2.0
#include "proxy/redis/redis_client.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "core/base/digest.h"
#include "proxy/net/waiter.h"

namespace sentinel::proxy {
namespace {

/// So many commands in a row without a reply, and Redis counts as frozen.
constexpr int kMostTimeouts = 3;

std::string sha1_hex(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) != 1) std::abort();
  return to_hex({reinterpret_cast<const char*>(digest), size});
}

}  // namespace

RedisScript::RedisScript(std::string text_) : text(std::move(text_)), digest(sha1_hex(text)) {}

/// A task that waits for a reply; leaves the queue when it ends, however it ends.
struct RedisClient::Asking {
  explicit Asking(RedisClient& client_) : client(client_), waiter(client_.loop_) { client.asking_.push_back(this); }

  ~Asking() { std::replace(client.asking_.begin(), client.asking_.end(), this, static_cast<Asking*>(nullptr)); }

  RedisClient& client;
  Waiter waiter;
  std::optional<RedisReply> reply;
  bool failed = false;
};

RedisClient::RedisClient(Loop& loop, DialTools tools, const RedisAddress& address, RedisTimes times,
                         RedisHealth& health, Told told)
    : loop_(loop), tools_(std::move(tools)), address_(address), times_(times), health_(health), told_(std::move(told)) {
  loop_.spawn(keep_connected());
}

Task<std::optional<RedisReply>> RedisClient::ask(RedisCommand command) {
  if (!transmit(command)) co_return std::nullopt;
  Asking asking(*this);
  co_await asking.waiter.wait(times_.command);
  // A busy worker may hear of the time before it hears of the reply that came in time.
  if (!asking.reply && !asking.failed && !look().empty()) break_off();
  if (asking.reply) co_return std::move(asking.reply);
  if (!asking.failed) {
    ++health_.timeouts;
    if (++timeouts_ >= kMostTimeouts) break_off();
  }
  co_return std::nullopt;
}

Task<std::optional<RedisReply>> RedisClient::run(const RedisScript& script, std::vector<std::string> words) {
  words.insert(words.begin(), {"EVALSHA", script.digest});
  std::optional<RedisReply> reply = co_await ask(words);
  const bool unknown = reply && reply->is(RedisReply::Kind::kError) && reply->text.starts_with("NOSCRIPT");
  if (!unknown) co_return std::move(reply);
  words[0] = "EVAL";
  words[1] = script.text;
  std::optional<RedisReply> second = co_await ask(std::move(words));
  co_return std::move(second);
}

void RedisClient::tell(RedisCommand command) {
  // Nobody waits for it, so nothing may pile up for it.
  if (out_ != nullptr && out_->pending()) return;
  if (transmit(command)) asking_.push_back(nullptr);
}

bool RedisClient::transmit(const RedisCommand& command) {
  if (!ready_) return false;
  const std::string bytes = encode_command(command);
  out_->add(bytes);
  const IoStatus sent = out_->send_now();
  // What the kernel doesn't take at once the connection's own task sends.
  if (sent == IoStatus::kAgain) stream_->interrupt();
  if (sent != IoStatus::kFailed) return true;
  break_off();
  return false;
}

void RedisClient::break_off() {
  set_ready(false, "no answer");
  broken_ = true;
  if (stream_ != nullptr) stream_->interrupt();
  for (Asking* asking : std::exchange(asking_, {})) {
    if (asking == nullptr) continue;
    asking->failed = true;
    asking->waiter.wake();
  }
}

void RedisClient::set_ready(bool ready, std::string_view reason) {
  if (ready_ == ready) return;
  ready_ = ready;
  health_.connected += ready ? 1 : -1;
  if (told_) told_(ready, reason);
}

bool RedisClient::take(RedisReply reply) {
  timeouts_ = 0;
  if (greeting_left_ > 0) {
    if (reply.is(RedisReply::Kind::kError)) return false;
    if (--greeting_left_ == 0) set_ready(true, "");
    return true;
  }
  if (asking_.empty()) return false;
  Asking* const asking = asking_.front();
  asking_.pop_front();
  if (asking == nullptr) return true;
  asking->reply = std::move(reply);
  asking->waiter.wake();
  return true;
}

std::string_view RedisClient::look() {
  if (stream_ == nullptr) return "no connection";
  for (;;) {
    char* const scratch = loop_.scratch();
    const IoResult read = stream_->read_some({scratch, Loop::kScratch});
    if (read.status == IoStatus::kAgain) return {};
    if (read.status != IoStatus::kDone) return "connection closed";
    reader_->feed({scratch, read.bytes});
    while (std::optional<RedisReply> reply = reader_->next()) {
      if (!take(std::move(*reply))) return greeting_left_ > 0 ? "login refused" : "unexpected reply";
    }
    if (reader_->bad()) return "not the protocol";
  }
}

Task<std::string_view> RedisClient::serve(Stream& stream) {
  RedisCommand login{"AUTH"};
  if (!address_.user.empty()) login.push_back(address_.user);
  login.push_back(address_.password.reveal());
  std::string greeting = address_.password.empty() ? "" : encode_command(login);
  if (address_.database != 0) greeting += encode_command({"SELECT", std::to_string(address_.database)});
  greeting += encode_command({"PING"});
  greeting_left_ = 1 + (address_.password.empty() ? 0 : 1) + (address_.database != 0 ? 1 : 0);
  out_->add(greeting);
  if (out_->send_now() != IoStatus::kDone) co_return "connection closed";
  StreamDeadline deadline(stream);
  deadline.arm(times_.connect);
  for (;;) {
    const std::string_view trouble = look();
    if (!trouble.empty()) co_return trouble;
    if (ready_) deadline.disarm();
    const WaitResult waited = co_await stream.wait_readable();
    if (broken_ || deadline.expired()) co_return "no answer";
    if (waited == WaitResult::kInterrupted && !ready_) co_return "no answer";
    if (!out_->pending()) continue;
    const FlushEnd sent = co_await out_->flush({.idle = times_.connect}, broken_);
    if (sent != FlushEnd::kDone) co_return "no answer";
  }
}

/// Also when the loop ends under the connection, nobody may write to it any more.
struct RedisClient::Connected {
  Connected(RedisClient& client_, Stream& stream, Output& out) : client(client_) {
    client.stream_ = &stream;
    client.out_ = &out;
    client.reader_ = std::make_unique<RedisReader>();
    client.broken_ = false;
    client.timeouts_ = 0;
    ++client.health_.connections;
  }

  ~Connected() {
    client.stream_ = nullptr;
    client.out_ = nullptr;
    if (std::exchange(client.ready_, false)) --client.health_.connected;
  }

  RedisClient& client;
};

Task<void> RedisClient::keep_connected() {
  std::chrono::milliseconds pause{0};
  std::string failure;  // of TLS, the last time
  for (;;) {
    co_await pause_for(loop_, pause);
    pause = std::clamp(pause * 2, times_.first_pause, times_.longest_pause);
    Dialled dialled = co_await dial(loop_, tools_, address_.origin, times_.connect);
    if (!dialled.failure.empty() && dialled.failure != failure && told_) told_(false, "TLS: " + dialled.failure);
    failure = std::move(dialled.failure);
    if (dialled.stream == nullptr) continue;
    Output out(*dialled.stream);
    const Connected connected(*this, *dialled.stream, out);
    const std::string_view reason = co_await serve(*dialled.stream);
    if (greeting_left_ == 0) pause = times_.first_pause;
    set_ready(false, reason);
    break_off();
  }
}

}  // namespace sentinel::proxy
