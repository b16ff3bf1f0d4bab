// SPDX-License-Identifier: Apache-2.0
// Sessions and channels against a real sshd.
#include "core/transport/session.h"

#include <catch2/catch.hpp>

#include "sshd.h"

using namespace sentinel;
using namespace sentinel::test;
using std::chrono::seconds;

namespace {

std::unique_ptr<SshSession> connected(const SshTarget& target, const ConnectOptions& options = quick()) {
  auto session = SshSession::connect(target, options);
  if (!session.ok()) FAIL(session.error().code << ": " << session.error().message);
  return std::move(*session);
}

CommandOutput said(SshSession& session, const std::string& command, const std::string& input = {}) {
  auto channel = session.exec(command);
  REQUIRE(channel.ok());
  auto output = collect(**channel, input, seconds(20));
  if (!output.ok()) FAIL(output.error().code << ": " << output.error().message);
  return std::move(*output);
}

}  // namespace

TEST_CASE("a command's two streams and its exit status arrive apart") {
  const Sshd sshd;
  const auto session = connected(sshd.target());
  const auto output = said(*session, "echo out; echo err >&2; exit 3");
  CHECK(output.output == "out\n");
  CHECK(output.error_output == "err\n");
  CHECK(output.exit == ExitState{3, ""});
  CHECK(session->host_key().reason == HostKeyDecision::Reason::kPinned);
  CHECK(session->login_key().find("ssh-ed25519 SHA256:") == 0);
}
