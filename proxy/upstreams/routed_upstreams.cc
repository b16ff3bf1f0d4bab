// SPDX-License-Identifier: Apache-2.0
// Whose fault a failure is decides two things: whether another attempt may help, and whether the upstream's breaker
// hears of it.
//   the request's own   4xx but those below      no other attempt, and the upstream is well
//   our account there   401, 402, 403, 429       another upstream may do; this one is well (429: rests as long as it
//   says) the upstream's      5xx, 408, no answer      another attempt; the breaker counts it
#include "proxy/upstreams/routed_upstreams.h"

#include <algorithm>
#include <utility>

namespace sentinel::proxy {
namespace {

using Choice = UpstreamDirectory::Choice;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLongestRest{60};

enum class Fault { kNone, kRequest, kAccount, kUpstream };

Fault fault_of(const AttemptReport& report) {
  if (report.status != ClientStatus::kDone) return Fault::kUpstream;
  switch (report.http_status) {
    case 401:
    case 402:
    case 403:
    case 429: return Fault::kAccount;
    case 408: return Fault::kUpstream;
    default: break;
  }
  if (report.http_status >= 500) return Fault::kUpstream;
  return report.http_status >= 400 ? Fault::kRequest : Fault::kNone;
}

/// Worth asking the same upstream again at once: something between us and it, most likely.
bool passing(const AttemptReport& report) {
  if (report.retry_after) return false;
  if (report.status != ClientStatus::kDone) {
    return report.status == ClientStatus::kConnect || report.status == ClientStatus::kClosed;
  }
  return report.http_status == 502 || report.http_status == 503 || report.http_status == 504;
}

class RoutedAttempts final : public AttemptSequence {
 public:
  RoutedAttempts(std::shared_ptr<const UpstreamDirectory> directory, const UpstreamDirectory::Choices& choices,
                 std::minstd_rand& random)
      : directory_(std::move(directory)), left_(directory_->rules().attempts), random_(random) {
    for (const Choice& choice : choices) untried_.push_back(&choice);
    only_one_ = choices.size() == 1;
    if (only_one_) left_ = std::min(left_, 2U);
    chosen_ = choose();
  }

  ~RoutedAttempts() override {
    if (chosen_ != nullptr) chosen_->breaker->abandoned();
    if (under_way_ != nullptr) under_way_->breaker->abandoned();
  }

  const UpstreamTarget* next() override {
    under_way_ = std::exchange(chosen_, nullptr);
    return under_way_ == nullptr ? nullptr : &under_way_->target;
  }

  bool report(const AttemptReport& report) override {
    const Choice* const tried = std::exchange(under_way_, nullptr);
    Breaker& breaker = *tried->breaker;
    if (report.status == ClientStatus::kCancelled) {
      breaker.abandoned();
      return false;
    }
    const Fault fault = fault_of(report);
    if (fault == Fault::kUpstream) {
      breaker.failed(Clock::now());
    } else {
      breaker.succeeded();
    }
    if (report.retry_after && (report.http_status == 429 || report.http_status == 503)) {
      breaker.rest(Clock::now() + std::min<std::chrono::seconds>(*report.retry_after, kLongestRest));
    }
    if (fault == Fault::kNone || fault == Fault::kRequest) return false;
    if (only_one_ && passing(report)) untried_.push_back(tried);
    chosen_ = choose();
    return chosen_ != nullptr;
  }

  std::optional<std::chrono::seconds> all_rest_for() const override {
    std::optional<std::chrono::milliseconds> shortest;
    for (const Choice* choice : untried_) {
      const auto closed = choice->breaker->closed_for(Clock::now());
      if (closed && (!shortest || *closed < *shortest)) shortest = closed;
    }
    if (!shortest) return std::nullopt;
    return std::chrono::ceil<std::chrono::seconds>(*shortest);
  }

 private:
  /// One of the untried whose breaker admits it, by weight; null: none.
  const Choice* choose() {
    std::vector<const Choice*> open = untried_;
    while (left_ > 0 && !open.empty()) {
      const std::size_t at = pick(open);
      const Choice* const choice = open[at];
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
      if (!choice->breaker->admit(Clock::now())) continue;
      --left_;
      std::erase(untried_, choice);
      return choice;
    }
    return nullptr;
  }

  /// Those of weight 0 come last, in the order written.
  std::size_t pick(const std::vector<const Choice*>& open) {
    std::uint64_t sum = 0;
    for (const Choice* choice : open) sum += choice->weight;
    if (sum == 0) return 0;
    std::uint64_t drawn = std::uniform_int_distribution<std::uint64_t>(0, sum - 1)(random_);
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (drawn < open[i]->weight) return i;
      drawn -= open[i]->weight;
    }
    return 0;
  }

  std::shared_ptr<const UpstreamDirectory> directory_;
  std::vector<const Choice*> untried_;
  bool only_one_ = false;
  unsigned left_;
  std::minstd_rand& random_;
  const Choice* chosen_ = nullptr;     ///< admitted, not begun
  const Choice* under_way_ = nullptr;  ///< begun, not reported
};

}  // namespace

std::unique_ptr<AttemptSequence> RoutedUpstreams::attempts(std::string_view model) {
  const UpstreamDirectory::Choices* const choices = directory_->find(std::string(model));
  if (choices == nullptr) return nullptr;
  return std::make_unique<RoutedAttempts>(directory_, *choices, random_);
}

}  // namespace sentinel::proxy
