// SPDX-License-Identifier: Apache-2.0
// The site as its clients meet it: TLS, redirects, health, a completion and a stream. All of them say only what is so
// now: what a reboot brings is for the probes on the host.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/audit/families.h"
#include "core/audit/sides.h"
#include "core/audit/times.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr int kLeastDaysLeft = 30;
/// A certificate that is renewed by itself lives shorter, and gets its successor at a third of its life.
constexpr double kLeastShareLeft = 0.25;
constexpr int kWantedSilence = 30'000;  ///< ms; docs of the deployment: a comment at least every 30 s
constexpr int kDeadlySilence = 90'000;  ///< ms; a proxy on the way cuts at 100 to 120 s
constexpr Persistence kNow = Persistence::kRuntimeOnly;

std::vector<ProbeOrder> site_order(const char* probe, const json& with) {
  json order = json::object();
  for (const auto* key : {"name", "port", "path", "model", "key"}) {
    if (with.contains(key)) order[key] = with.at(key);
  }
  return {{probe, std::move(order)}};
}

/// Whether a side answered any handshake; where only the edge has to be reachable the origin may be shut.
bool speaks_tls(const std::string& side, const json& report, const json& with, Ruling& ruling) {
  for (const auto& [version, handshake] : report.at("versions").items()) {
    const auto outcome = text_at(handshake, "outcome");
    ruling.saw("outside.tls", fmt::format("{}: TLS {} {} ({})", side, version, outcome, text_at(handshake, "detail")));
    if (outcome == "accepted" || outcome == "refused") return true;
  }
  if (side == front_of(with)) ruling.cannot_tell(fmt::format("{}: no handshake was answered", side));
  return false;
}

void judge_old_versions(const std::string& side, const json& report, Ruling& ruling) {
  const auto& versions = report.at("versions");
  for (const auto* old : {"1.0", "1.1"}) {
    const auto outcome = text_at(versions.at(old), "outcome");
    if (outcome == "accepted") ruling.fault(fmt::format("{} accepts TLS {}", side, old), kNow);
    if (outcome != "accepted" && outcome != "refused")
      ruling.cannot_tell(fmt::format("{}: TLS {} could not be tried ({})", side, old, outcome));
  }
  const bool speaks_new =
      text_at(versions.at("1.2"), "outcome") == "accepted" || text_at(versions.at("1.3"), "outcome") == "accepted";
  if (!speaks_new) ruling.fault(fmt::format("{} speaks neither TLS 1.2 nor 1.3", side), kNow);
}

/// with: {name, port?, cloudflare}
Result<Judged> judge_versions(const Case& subject) {
  SENTINEL_TRY(const auto* seen, subject.seen("outside.tls"));
  Ruling ruling("TLS 1.2 and 1.3 only");
  for (const auto& side : sides_of(subject.with())) {
    if (speaks_tls(side, seen->at(side), subject.with(), ruling)) judge_old_versions(side, seen->at(side), ruling);
  }
  return std::move(ruling).close("TLS 1.0 and 1.1 are refused", kNow);
}

Result<Judged> judge_newest_only(const Case& subject) {
  SENTINEL_TRY(const auto* seen, subject.seen("outside.tls"));
  Ruling ruling("TLS 1.3, at best alone");
  const auto side = front_of(subject.with());
  const auto& versions = seen->at(side).at("versions");
  if (!speaks_tls(side, seen->at(side), subject.with(), ruling)) return std::move(ruling).close("");
  if (text_at(versions.at("1.3"), "outcome") != "accepted")
    ruling.fault(fmt::format("{} doesn't speak TLS 1.3", side), kNow);
  const bool also_older = text_at(versions.at("1.2"), "outcome") == "accepted";
  return std::move(ruling).close(also_older ? "TLS 1.3, and 1.2 for older clients" : "TLS 1.3 alone", kNow);
}

Result<Judged> judge_ciphers(const Case& subject) {
  SENTINEL_TRY(const auto* seen, subject.seen("outside.tls"));
  Ruling ruling("ECDHE with AEAD ciphers only");
  const auto side = front_of(subject.with());
  if (!speaks_tls(side, seen->at(side), subject.with(), ruling)) return std::move(ruling).close("");
  const auto& weak = seen->at(side).at("weak_ciphers");
  for (const auto* family : {"rsa-key-exchange", "cbc", "3des"}) {
    const auto outcome = text_at(weak.at(family), "outcome");
    ruling.saw("outside.tls", fmt::format("{}: {} {} ({})", side, family, outcome, text_at(weak.at(family), "detail")));
    if (outcome == "accepted")
      ruling.fault(fmt::format("{} agrees to {} ({})", side, family, text_at(weak.at(family), "detail")), kNow);
    // 3DES is left out of today's OpenSSL: what can't be offered is told by the families that can.
    if (outcome == "silent" || outcome == "unreachable")
      ruling.cannot_tell(fmt::format("{}: {} could not be tried", side, family));
  }
  return std::move(ruling).close("no weak family is agreed to", kNow);
}

bool ends_soon(std::int64_t days, double share) {
  return days <= kLeastDaysLeft && share < kLeastShareLeft;
}

void judge_certificate(const std::string& side, const json& certificate, bool must_be_trusted, Ruling& ruling) {
  if (certificate.is_null()) return ruling.cannot_tell(fmt::format("{}: no certificate was seen", side));
  const auto days = certificate.at("days_left").get<int>();
  ruling.saw("outside.tls", fmt::format("{}: {} of {}, until {}, SHA-256 {}", side, text_at(certificate, "subject"),
                                        text_at(certificate, "issuer"), text_at(certificate, "not_after"),
                                        text_at(certificate, "fingerprint")));
  if (!certificate.at("name_matches").get<bool>()) {
    ruling.fault(fmt::format("{}: the certificate is for {}", side,
                             fmt::join(certificate.at("names").get<std::vector<std::string>>(), ", ")));
  }
  if (days < 0) {
    ruling.fault(fmt::format("{}: the certificate is over since {}", side, text_at(certificate, "not_after")));
  } else if (ends_soon(days, certificate.at("share_left").get<double>())) {
    ruling.fault(fmt::format("{}: the certificate ends in {} days", side, days));
  }
  const auto chain = text_at(certificate, "chain");
  if (must_be_trusted && chain != "ok" && days >= 0)
    ruling.fault(fmt::format("{}: clients won't trust it: {}", side, chain));
}

/// Names as certificates have them: one star stands for one label.
bool is_for(const json& names, const std::string& name) {
  const auto dot = name.find('.');
  return std::any_of(names.begin(), names.end(), [&](const json& each) {
    const auto text = each.get<std::string>();
    return text == name || (text.starts_with("*.") && dot != std::string::npos && text.substr(1) == name.substr(dot));
  });
}

/// The files that the web server was given: what it shows is of them, and what a restart brings.
/// `served`: the fingerprint that the host shows; null when it showed none.
void judge_files(const Case& subject, const json& files, const json& served, Ruling& ruling) {
  const auto& file = files.at("file");
  const auto& key = files.at("key");
  bool whole = true;
  for (const auto* each : {&file, &key}) {
    const auto path = text_at(*each, "path");
    ruling.saw("certificate", fmt::format("{} {}", text_at(*each, "owner"), text_at(*each, "mode")), path);
    const auto problem = text_at(*each, "problem");
    if (!problem.empty()) ruling.fault(fmt::format("{}: {}", path, problem), Persistence::kBootOnly);
    whole = whole && problem.empty();
  }
  if (!whole) return;
  if (text_at(key, "mode") != "0600" && text_at(key, "mode") != "0400")
    ruling.fault(fmt::format("{} is {}", text_at(key, "path"), text_at(key, "mode")));
  const auto owner = text_at(key, "owner");
  if (owner != "caddy" && owner != "root") ruling.fault(fmt::format("{} is {}'s", text_at(key, "path"), owner));
  if (key.at("public_key") != file.at("public_key"))
    ruling.fault(fmt::format("{} is not the key of {}", text_at(key, "path"), text_at(file, "path")),
                 Persistence::kBootOnly);
  ruling.saw("certificate",
             fmt::format("{} of {}, until {}, SHA-256 {}", text_at(file, "subject"), text_at(file, "issuer"),
                         text_at(file, "not_after"), text_at(file, "fingerprint")),
             text_at(file, "path"));
  const auto from = nanoseconds_of(text_at(file, "not_before"));
  const auto until = nanoseconds_of(text_at(file, "not_after"));
  const auto now = nanoseconds_of(subject.record().taken_at);
  constexpr std::int64_t kDay = 86'400'000'000'000;
  if (!from || !until || !now) {
    ruling.cannot_tell("until when the certificate in the file holds");
  } else if (ends_soon((*until - *now) / kDay,
                       static_cast<double>(*until - *now) / static_cast<double>(*until - *from))) {
    ruling.fault(fmt::format("the certificate in the file ends on {}", text_at(file, "not_after")),
                 Persistence::kBootOnly);
  }
  if (!is_for(file.at("names"), text_at(subject.with(), "name")))
    ruling.fault(fmt::format("the certificate in the file is for {}",
                             fmt::join(file.at("names").get<std::vector<std::string>>(), ", ")),
                 Persistence::kBootOnly);
  if (served.is_null()) return ruling.cannot_tell("whether the host shows the certificate in the file");
  if (served != file.at("fingerprint")) {
    ruling.fault("the host shows another certificate than the one in the file", Persistence::kRuntimeOnly);
    ruling.trap("certificate-not-reloaded", "the file was replaced, and the web server still has the former one",
                "systemctl reload caddy");
  }
}

/// with: {name, port?, cloudflare, trusted, file?, key?}: trusted is false where the certificate is of an authority of
/// our own; file and key name what the web server was given.
Result<Judged> judge_site(const Case& subject) {
  SENTINEL_TRY(const auto* tls, subject.seen("outside.tls"));
  SENTINEL_TRY(const auto* redirect, subject.seen("outside.redirect"));
  Ruling ruling(
      fmt::format("a trusted certificate with more than {} days left, no TLS below 1.2, plain HTTP only redirects",
                  kLeastDaysLeft));
  const auto& with = subject.with();
  const auto front = front_of(with);
  for (const auto& side : sides_of(with)) {
    if (!speaks_tls(side, tls->at(side), with, ruling)) continue;
    judge_old_versions(side, tls->at(side), ruling);
    // An origin behind an edge may have a certificate that only the edge trusts.
    judge_certificate(side, tls->at(side).at("certificate"), side == front && with.value("trusted", true), ruling);
  }
  if (!with.value("file", "").empty()) {
    SENTINEL_TRY(const auto* files, subject.seen("certificate"));
    const auto& shown = tls->at("origin").at("certificate");
    judge_files(subject, *files, shown.is_null() ? shown : shown.at("fingerprint"), ruling);
  }
  const auto& plain = redirect->at(front);
  if (is_answer("outside.redirect", front, plain, false, ruling)) {
    const auto status = plain.at("status").get<int>();
    const auto location = plain.at("headers").value("location", "");
    const bool redirects = status >= 301 && status <= 308 && location.rfind("https://", 0) == 0;
    if (!redirects)
      ruling.fault(fmt::format("{}: plain HTTP answers with status {} and no redirect to https", front, status), kNow);
  } else if (text_at(plain, "code") != "outside.connect") {
    ruling.cannot_tell(fmt::format("{}: plain HTTP could not be tried", front));
  }
  return std::move(ruling).close("served as it should be", kNow);
}

/// with: {name, path, cloudflare}
Result<Judged> judge_health(const Case& subject) {
  SENTINEL_TRY(const auto* seen, subject.seen("outside.health"));
  Ruling ruling("status 200 over https");
  for (const auto& side : sides_of(subject.with())) {
    const auto& answer = seen->at(side);
    if (!is_answer("outside.health", side, answer, side == front_of(subject.with()), ruling)) continue;
    const auto status = answer.at("status").get<int>();
    if (status != 200) ruling.fault(fmt::format("{}: status {}", side, status), kNow);
  }
  return std::move(ruling).close("healthy", kNow);
}

/// with: {name, path?, model?, key}
Result<Judged> judge_completion(const Case& subject) {
  SENTINEL_TRY(const auto* seen, subject.seen("outside.chat"));
  Ruling ruling("a chat completion is answered");
  const auto status = seen->at("status").get<int>();
  const auto error = text_at(*seen, "error");
  ruling.saw("outside.chat",
             fmt::format("status {}, {} ms{}", status, seen->at("ms").get<int>(), error.empty() ? "" : ", " + error),
             subject.origin("outside.chat"));
  if (status == 502 || status == 503 || status == 504) {
    ruling.fault(fmt::format("status {}: the proxy answered, the model behind it didn't ({})", status, error), kNow);
  } else if (status != 200) {
    ruling.fault(fmt::format("status {} {}", status, error), kNow);
  } else if (text_at(*seen, "object") != "chat.completion" || seen->at("choices").get<int>() < 1) {
    ruling.fault("the answer is no chat completion", kNow);
  }
  return std::move(ruling).close("answered", kNow);
}

Result<const json*> seen_stream(const Case& subject, Ruling& ruling) {
  SENTINEL_TRY(const auto* seen, subject.seen("outside.stream"));
  const auto& first = seen->at("first_ms");
  ruling.saw("outside.stream",
             fmt::format("status {}, {}, first piece after {} ms, {} events at {} moments, longest silence {} ms",
                         seen->at("status").get<int>(), text_at(*seen, "content_type"),
                         first.is_null() ? std::string("-") : first.dump(), seen->at("events").get<int>(),
                         seen->at("moments_ms").size(), seen->at("longest_gap_ms").get<int>()),
             subject.origin("outside.stream"));
  if (const auto status = seen->at("status").get<int>(); status != 200)
    ruling.fault(fmt::format("status {}", status), kNow);
  return seen;
}

Result<Judged> judge_stream(const Case& subject) {
  Ruling ruling("events arrive one by one, and the stream ends with its mark");
  SENTINEL_TRY(const auto* seen, seen_stream(subject, ruling));
  if (ruling.has_faults()) return std::move(ruling).close("");
  if (text_at(*seen, "content_type").rfind("text/event-stream", 0) != 0)
    ruling.fault(fmt::format("it is {}, no event stream", text_at(*seen, "content_type")), kNow);
  if (!seen->at("done").get<bool>()) ruling.fault("the stream ended without data: [DONE]", kNow);
  const auto events = seen->at("events").get<int>();
  const auto moments = seen->at("moments_ms").size();
  if (events < 2) {
    ruling.cannot_tell("an answer of one event can't show whether something holds streams back");
  } else if (moments < 2) {
    ruling.fault(fmt::format("all {} events arrived at one moment: something on the way holds the stream back", events),
                 kNow);
    ruling.trap("stream-held-back", "a proxy gathers the answer and sends it at its end",
                "turn off buffering for text/event-stream on the way");
  }
  return std::move(ruling).close("streamed", kNow);
}

Result<Judged> judge_silence(const Case& subject) {
  Ruling ruling("no silence longer than 30 s in a stream");
  SENTINEL_TRY(const auto* seen, seen_stream(subject, ruling));
  const auto longest = seen->at("longest_gap_ms").get<int>();
  if (longest >= kDeadlySilence) {
    ruling.fault(fmt::format("{} s of silence: what is on the way cuts such streams", longest / 1000), kNow);
  } else if (longest > kWantedSilence) {
    ruling.doubt(fmt::format("{} s of silence", longest / 1000));
  }
  return std::move(ruling).close(fmt::format("at most {} ms of silence", longest), kNow);
}

/// with: {name, path?, model?, key}
Result<Judged> judge_kept(const Case& subject) {
  SENTINEL_TRY(const auto* seen, subject.seen("outside.kept"));
  Ruling ruling("the same question is answered from the cache the second time");
  for (const auto& answer : seen->at("answers")) {
    const auto status = answer.at("status").get<int>();
    ruling.saw("outside.kept", fmt::format("status {}, X-Cache: {}", status, text_at(answer, "x-cache")),
               subject.origin("outside.kept"));
    if (status != 200) ruling.cannot_tell(fmt::format("status {}: only good answers are kept", status));
  }
  const auto second = text_at(seen->at("answers").at(1), "x-cache");
  if (second != "hit")
    ruling.fault(second.empty() ? "answers say nothing of a cache" : "the second answer was made anew", kNow);
  return std::move(ruling).close("kept", kNow);
}

/// with: {name, path?, key}. The limit is not driven to its end, which would shut the test's user out: that it is
/// announced and that a request counts against it shows as much.
Result<Judged> judge_limit(const Case& subject) {
  SENTINEL_TRY(const auto* seen, subject.seen("outside.limited"));
  Ruling ruling("every user's requests are counted against a limit");
  const auto& answers = seen->at("answers");
  std::size_t announced = 0;
  for (const auto& answer : answers) {
    const auto status = answer.at("status").get<int>();
    const auto limit = text_at(answer, "x-ratelimit-limit");
    const auto left = text_at(answer, "x-ratelimit-remaining");
    ruling.saw("outside.limited", fmt::format("status {}, limit {}, {} left", status, limit, left),
               subject.origin("outside.limited"));
    if (status == 429) {
      if (text_at(answer, "retry-after").empty()) ruling.doubt("a refusal doesn't say when to come again");
      return std::move(ruling).close("the limit is used up, and holds", kNow);
    }
    if (status != 200) {
      ruling.cannot_tell(fmt::format("status {}", status));
    } else if (limit.empty() || limit == "0") {
      ruling.fault("no limit is announced", kNow);
    } else {
      ++announced;
    }
  }
  const auto left = text_at(answers.at(0), "x-ratelimit-remaining");
  if (announced == answers.size() && left == text_at(answers.at(1), "x-ratelimit-remaining"))
    ruling.fault(fmt::format("a request doesn't count: {} were left before and after it", left), kNow);
  return std::move(ruling).close("limited", kNow);
}

template <const char* Probe>
std::vector<ProbeOrder> asks(const json& with) {
  return site_order(Probe, with);
}

constexpr char kTls[] = "outside.tls";
constexpr char kHealth[] = "outside.health";
constexpr char kChat[] = "outside.chat";
constexpr char kStream[] = "outside.stream";
constexpr char kKept[] = "outside.kept";
constexpr char kLimited[] = "outside.limited";

}  // namespace

std::vector<Judgement> outside_judgements() {
  return {{"tls-versions", asks<kTls>, judge_versions},
          {"tls-newest", asks<kTls>, judge_newest_only},
          {"tls-ciphers", asks<kTls>, judge_ciphers},
          {"site-secure",
           [](const json& with) {
             auto orders = site_order("outside.tls", with);
             orders.push_back({"outside.redirect", {{"name", with.value("name", "")}}});
             const auto file = with.value("file", "");
             if (!file.empty()) orders.push_back({"certificate", {{"file", file}, {"key", with.value("key", "")}}});
             return orders;
           },
           judge_site},
          {"site-healthy", asks<kHealth>, judge_health},
          {"completion-answered", asks<kChat>, judge_completion},
          {"stream-not-held-back", asks<kStream>, judge_stream},
          {"stream-keeps-alive", asks<kStream>, judge_silence},
          {"answers-kept", asks<kKept>, judge_kept},
          {"requests-limited", asks<kLimited>, judge_limit}};
}

}  // namespace sentinel
