// SPDX-License-Identifier: Apache-2.0
// The secret is read for each try, so that a changed file needs no restart; it is in no message.
#include "agent/webhook_sender.h"

#include <fmt/format.h>

#include "core/base/file.h"
#include "core/health/http_exchange.h"

namespace sentinel::agent {
namespace {

using std::chrono::milliseconds;

constexpr int kTries = 5;
constexpr milliseconds kFirstPause{1000};
constexpr milliseconds kTryLimit{5000};
constexpr std::size_t kMostQueued = 100;

Result<void> post(const Webhook& webhook, const std::string& body) {
  HttpRequest request;
  request.url = webhook.url;
  request.method = "POST";
  request.headers["Content-Type"] = "application/json";
  request.body = body;
  request.ca_file = webhook.ca_file;
  if (!webhook.secret_file.empty()) {
    SENTINEL_TRY(const auto text, read_whole_file(webhook.secret_file, 4096));
    request.headers["Authorization"] = "Bearer " + text.substr(0, text.find('\n'));
  }
  SENTINEL_TRY(const auto reply, exchange_http(request, kTryLimit));
  if (reply.status < 200 || reply.status > 299) {
    return Error("watch.webhook", fmt::format("a webhook answered with status {}", reply.status));
  }
  return {};
}

}  // namespace

WebhookSender::WebhookSender(std::vector<Webhook> webhooks)
    : webhooks_(std::move(webhooks)), thread_([this] { run(); }) {}

WebhookSender::~WebhookSender() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void WebhookSender::send(const std::string& body) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() == kMostQueued) {
    queue_.pop_front();
    counts_.failed += webhooks_.size();
  }
  queue_.push_back(body);
  wake_.notify_all();
}

WebhookSender::Counts WebhookSender::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool WebhookSender::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return ended_; });
}

bool WebhookSender::deliver(const Webhook& webhook, const std::string& body) {
  milliseconds wait = kFirstPause;
  for (int tried = 1;; ++tried, wait *= 2) {
    const auto sent = post(webhook, body);
    if (sent.ok()) return true;
    fmt::print(stderr, "webhook, try {} of {}: {}\n", tried, kTries, sent.error().message);
    if (tried == kTries || !pause(wait)) return false;
  }
}

void WebhookSender::run() {
  for (;;) {
    std::string body;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ended_ || !queue_.empty(); });
      if (ended_) return;
      body = std::move(queue_.front());
      queue_.pop_front();
    }
    for (const auto& webhook : webhooks_) {
      const bool sent = deliver(webhook, body);
      const std::lock_guard lock(mutex_);
      ++(sent ? counts_.sent : counts_.failed);
    }
  }
}

}  // namespace sentinel::agent
