// SPDX-License-Identifier: Apache-2.0
// certificate: {file: {path, owner, mode, problem, subject, issuer, names, not_before, not_after, fingerprint,
//               public_key}, key: {path, owner, mode, problem, public_key}}; with a problem nothing beside it was read
// Of the key nothing is told but whose it is.
#include "core/base/certificate.h"

#include <fmt/format.h>

#include "core/checks/families.h"
#include "core/resources/accounts.h"

namespace sentinel {
namespace {

using nlohmann::json;

/// A file and who may read it; `read` takes its bytes and adds to the entry.
template <typename Read>
Result<json> entry(const std::string& path, const Accounts& known, Reader& machine, Read read) {
  SENTINEL_TRY(const auto status, machine.status(path));
  json out{{"path", path}, {"owner", ""}, {"mode", ""}, {"problem", ""}};
  if (status.type == FileType::kAbsent) {
    out["problem"] = "it is not there";
    return out;
  }
  out["owner"] = known.user_name(status.uid);
  out["mode"] = fmt::format("{:04o}", status.mode);
  SENTINEL_TRY(const auto bytes, machine.read_file(path));
  if (const auto done = read(bytes, out); !done.ok()) out["problem"] = done.error().message;
  return out;
}

Result<void> add_certificate(const std::string& bytes, json& out) {
  SENTINEL_TRY(const auto text, read_certificate_pem(bytes));
  out.update({{"subject", text.subject},
              {"issuer", text.issuer},
              {"names", text.names},
              {"not_before", text.not_before},
              {"not_after", text.not_after},
              {"fingerprint", text.fingerprint},
              {"public_key", text.public_key}});
  return {};
}

Result<void> add_key(const std::string& bytes, json& out) {
  SENTINEL_TRY(out["public_key"], public_key_of(Secret(bytes)));
  return {};
}

Result<Answer> look_at_certificate(const Inquiry& inquiry) {
  const auto file = inquiry.text("file");
  const auto key = inquiry.text("key");
  if (file.empty() || key.empty()) return Error("probe.order", "no certificate was named");
  SENTINEL_TRY(const auto* known, accounts(inquiry.look));
  json out;
  SENTINEL_TRY(out["file"], entry(file, *known, inquiry.machine(), add_certificate));
  SENTINEL_TRY(out["key"], entry(key, *known, inquiry.machine(), add_key));
  return Answer{std::move(out), file};
}

}  // namespace

HostProbes certificate_probes() {
  return {{"certificate", look_at_certificate}};
}

}  // namespace sentinel
