// SPDX-License-Identifier: Apache-2.0
// mtls: {without_certificate, wrong_authority, right_certificate: refused | accepted} of one service (order: address
// "127.0.0.1:8443", authority, certificate, key, other_certificate, other_key: paths on the host), by `openssl
// s_client`. The server's own certificate has to be of the authority, else there is no value. TLS 1.3 refuses a client
// only after its handshake, so something is asked and the answer decides.
#include <fmt/format.h>

#include "core/checks/families.h"

namespace sentinel {
namespace {

/// Any TLS server answers something to this, or names what it wants instead.
constexpr const char* kQuestion = "GET / HTTP/1.0\r\n\r\n";

Result<std::string> knock(const Inquiry& inquiry, const std::string& certificate, const std::string& key) {
  CommandLine command;
  command.argv = {"openssl",
                  "s_client",
                  "-connect",
                  inquiry.text("address"),
                  "-CAfile",
                  inquiry.text("authority"),
                  "-verify_return_error",
                  "-quiet"};
  if (!certificate.empty()) command.argv.insert(command.argv.end(), {"-cert", certificate, "-key", key});
  command.input = kQuestion;
  command.timeout = std::chrono::seconds(5);
  SENTINEL_TRY(const auto result, inquiry.machine().query(command));
  if (result.status == 127) return Error("probe.absent", "this host has no openssl");
  if (result.status == 0 && !result.output.empty()) return std::string("accepted");
  // "…:tlsv13 alert certificate required:…:SSL alert number 116": the server's word, not ours.
  if (result.status != 0 && result.errors.find("SSL alert number") != std::string::npos) return std::string("refused");
  return Error("probe.failed", fmt::format("{}: {}", inquiry.text("address"), result.reason()));
}

Result<Answer> look_at_mtls(const Inquiry& inquiry) {
  for (const char* key : {"address", "authority", "certificate", "key", "other_certificate", "other_key"}) {
    if (inquiry.text(key).empty()) return Error("probe.order", fmt::format("no {} was named", key));
  }
  nlohmann::json out;
  SENTINEL_TRY(out["right_certificate"], knock(inquiry, inquiry.text("certificate"), inquiry.text("key")));
  SENTINEL_TRY(out["without_certificate"], knock(inquiry, {}, {}));
  SENTINEL_TRY(out["wrong_authority"], knock(inquiry, inquiry.text("other_certificate"), inquiry.text("other_key")));
  return Answer{std::move(out), inquiry.text("address")};
}

}  // namespace

HostProbes mtls_probes() {
  return {{"mtls", look_at_mtls}};
}

}  // namespace sentinel
