// SPDX-License-Identifier: Apache-2.0
// Failed logins are what brute-force protection counts, so no door is tried without need, and a door that worked is
// remembered.
#include "cli/host_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/shipped_assets.h"
#include "core/base/digest.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

constexpr const char* kDefaultDeployUser = "deploy";
// A first contact uploads some megabytes, which takes its time on a slow line; this is of silence between the pieces.
constexpr std::chrono::milliseconds kGreetingTimeout{60'000};

std::string deploy_user_of(const Access& access, const Host& host) {
  const std::string user = text_of_variable(access.workspace, host, "deploy_user");
  return user.empty() ? kDefaultDeployUser : user;
}

// The first contact's: the project's word, then that of ~/.ssh/config. A configuration file that can't be followed is
// reported by the connection itself.
Door first_door(const Access& access, const Host& host) {
  SshRequest request;
  request.address = host.address;
  request.port = host.port;
  request.user = host.user;
  request.default_user = kFirstUser;
  const auto target = resolve_target(request, access.environment);
  return target.ok() ? Door{target->port, target->user}
                     : Door{host.port.value_or(kSshPort), host.user.value_or(kFirstUser)};
}

// sshd's port where the project says one; the default of the role says nothing about how the host is reached.
std::uint16_t configured_port(const Access& access, const Host& host) {
  const std::string text = declared_variable(access.workspace, host, "ssh.port");
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 ? port : first_door(access, host).port;
}

void add(std::vector<Door>& doors, const Door& door) {
  if (!door.user.empty() && std::find(doors.begin(), doors.end(), door) == doors.end()) doors.push_back(door);
}

class Held {
 public:
  explicit Held(Progress* progress) : progress_(progress) {
    if (progress_ != nullptr) progress_->hold();
  }

  ~Held() {
    if (progress_ != nullptr) progress_->release();
  }

  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  Progress* progress_;
};

Result<bool> ask_about(Access& access, const UnknownHost& unknown) {
  const Held held(access.progress);
  return access.context.console.ask(
      fmt::format("{} was never seen before. Its key is\n  {} {}\nIs that right? It will be written to {}.",
                  printable_line(unknown.name), printable_line(unknown.key.type), unknown.key.fingerprint(),
                  unknown.known_hosts_file));
}

Result<Secret> ask_passphrase(Access& access, const std::string& key_file) {
  const Held held(access.progress);
  return access.context.console.ask_secret(fmt::format("Passphrase of {}: ", key_file));
}

ConnectOptions connect_options(Access& access, int interrupt_fd, std::chrono::milliseconds limit) {
  ConnectOptions options;
  options.timeout =
      std::min<std::chrono::milliseconds>(std::chrono::seconds(access.context.options.connect_timeout), limit);
  options.interrupt_fd = interrupt_fd;
  options.host_keys.accept_new = access.context.options.accept_new_host_key;
  if (access.context.console.interactive()) {
    options.host_keys.ask = [&access](const UnknownHost& unknown) { return ask_about(access, unknown); };
    options.ask_passphrase = [&access](const std::string& file) { return ask_passphrase(access, file); };
  }
  return options;
}

// Jump hosts are hosts of the project too (their cycles were refused when it was loaded). `through` is the door of the
// nearest one; those behind it are entered as they are known, or as declared.
Result<SshTarget> target_of(const Access& access, const Host& host, const Door& door,
                            const std::optional<Door>& through = {}) {
  SshRequest request;
  request.name = host.name;
  request.address = host.address;
  request.port = door.port;
  request.user = door.user;
  if (!host.identity.empty()) request.identity = host.identity;
  if (!host.host_key.empty()) request.host_key = host.host_key;
  if (const Host* jump = access.workspace.project.find_host(host.jump); jump != nullptr) {
    const auto known = access.memory.find(jump->name, jump->address);
    const Door usual = known ? Door{known->port, known->user} : first_door(access, *jump);
    SENTINEL_TRY(auto target, target_of(access, *jump, through.value_or(usual)));
    request.jump = std::make_shared<const SshTarget>(std::move(target));
  }
  return resolve_target(request, access.environment);
}

// A jump host may be somebody else's, so a user that was declared for it comes before our deploy user.
std::vector<Door> passages_of(const Access& access, const Host& jump) {
  std::vector<Door> doors;
  if (const auto known = access.memory.find(jump.name, jump.address)) add(doors, {known->port, known->user});
  if (jump.user) add(doors, first_door(access, jump));
  for (const Door& door : doors_of(access, jump)) add(doors, door);
  return doors;
}

// So that the next run isn't refused once more. A memory that can't be written costs no more than that.
void remember_passage(Access& access, const Host& jump, const Door& door, const HostKey& key) {
  const auto known = access.memory.find(jump.name, jump.address);
  const std::string audit_head = known ? known->audit_head : std::string();
  static_cast<void>(
      access.memory.remember({jump.name, jump.address, key.type + " " + key.base64, door.user, door.port, audit_head}));
}

bool is_one_of(const std::string& code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// Whether `door` may still work after `failed` failed with `code`.
bool worth_trying(const Door& door, const Door& failed, const std::string& code) {
  if (is_one_of(code, {"ssh.auth-refused", "ssh.auth-more", "agent.sudo"})) return door.user != failed.user;
  if (is_one_of(code, {"ssh.refused", "ssh.timeout", "ssh.unreachable", "ssh.not-ssh"}))
    return door.port != failed.port;
  return false;
}

}  // namespace

Result<std::unique_ptr<Access>> Access::prepare(const Context& context, const Workspace& workspace) {
  SENTINEL_TRY(auto agents, shipped_agents());
  auto access = std::unique_ptr<Access>(new Access{context, workspace, std::move(agents), SshEnvironment::of_process(),
                                                   ContactMemory(workspace.project.directory)});
  if (context.options.ask_sudo_password) {
    SENTINEL_TRY(access->sudo_password, context.console.ask_secret("sudo password on the hosts: "));
    access->with_sudo_password = true;
  }
  return access;
}

Door next_door(const Access& access, const Host& host) {
  return {configured_port(access, host), deploy_user_of(access, host)};
}

std::vector<Door> doors_of(const Access& access, const Host& host) {
  std::vector<Door> doors;
  if (const auto known = access.memory.find(host.name, host.address)) add(doors, {known->port, known->user});
  add(doors, next_door(access, host));
  const Door first = first_door(access, host);
  add(doors, {configured_port(access, host), first.user});
  add(doors, {first.port, deploy_user_of(access, host)});
  add(doors, first);
  return doors;
}

Passages::Passage& Passages::passage(const std::string& jump) {
  const std::lock_guard lock(mutex_);
  return passages_[jump];
}

Result<std::unique_ptr<SshSession>> Passages::pass(
    const std::string& jump, const std::vector<Door>& doors,
    const std::function<Result<std::unique_ptr<SshSession>>(const Door&)>& connect) {
  Passage& passage = this->passage(jump);
  std::unique_lock first(passage.first);
  if (passage.refused) return *passage.refused;
  if (passage.door) {
    const Door door = *passage.door;
    first.unlock();
    return connect(door);
  }
  std::optional<Error> refusal;
  for (const Door& door : doors) {
    auto session = connect(door);
    if (session.ok() || session.error().code != "ssh.jump-login") {
      passage.door = door;
      return session;
    }
    refusal = std::move(session).error();
  }
  passage.refused = refusal;
  return std::move(*refusal);
}

HostConnection::HostConnection(Access& access, Door door)
    : watch_(access.context.interruption, 1), door_(std::move(door)) {}

HostConnection::~HostConnection() {
  client_.reset();
  bytes_.reset();
  channel_.reset();
}

std::string HostConnection::host_key() const {
  const HostKey& key = session_->host_key().key;
  return key.type + " " + key.base64;
}

Result<std::unique_ptr<SshSession>> HostConnection::connect_session(Access& access, const Host& host,
                                                                    std::chrono::milliseconds limit) {
  const Host* jump = access.workspace.project.find_host(host.jump);
  const auto connect = [&](const std::optional<Door>& through) -> Result<std::unique_ptr<SshSession>> {
    SENTINEL_TRY(const auto target, target_of(access, host, door_, through));
    SENTINEL_TRY(auto session, SshSession::connect(target, connect_options(access, watch_.fd(), limit)));
    if (through) remember_passage(access, *jump, *through, *session->jump_host_key());
    return session;
  };
  return jump == nullptr ? connect({}) : access.passages.pass(jump->name, passages_of(access, *jump), connect);
}

Result<void> HostConnection::connect(Access& access, const Host& host, std::chrono::milliseconds limit) {
  SENTINEL_TRY(session_, connect_session(access, host, limit));
  AgentStart start;
  if (door_.user != "root")
    start.privilege = access.with_sudo_password ? Privilege::kSudoWithPassword : Privilege::kSudo;
  if (start.privilege == Privilege::kSudoWithPassword)
    start.sudo_prompt = fmt::format("[sentinel-{}] ", to_hex(random_bytes(8)));
  SENTINEL_TRY(channel_, session_->exec(agent_start_command(access.agents, start)));
  bytes_ = std::make_unique<SshByteChannel>(*channel_);
  client_ = std::make_unique<AgentClient>(*bytes_);
  const auto on_upload = [&](std::size_t bytes) {
    if (access.progress != nullptr)
      access.progress->stage(host.name, fmt::format("uploading the agent ({} KiB)", bytes / 1024), 0);
  };
  SENTINEL_TRY(hello_, client_->greet({access.agents, start.sudo_prompt, access.sudo_password,
                                       std::min(kGreetingTimeout, limit), on_upload}));
  return {};
}

Result<std::unique_ptr<HostConnection>> HostConnection::open(Access& access, const Host& host,
                                                             const std::vector<Door>& doors,
                                                             std::chrono::milliseconds limit) {
  std::optional<Error> failure;
  Door failed;
  for (const Door& door : doors) {
    if (failure && !worth_trying(door, failed, failure->code)) continue;
    auto connection = std::unique_ptr<HostConnection>(new HostConnection(access, door));
    auto connected = connection->connect(access, host, limit);
    if (connected.ok()) return connection;
    // That a user got in but sudo refused says more than the next user's refused key.
    if (!failure || failure->code != "agent.sudo") {
      failure = std::move(connected).error();
      if (failure->context.empty()) {
        failure->context.push_back(
            fmt::format("connecting to {} ({}@{}:{})", host.name, door.user, host.address, door.port));
      }
    }
    failed = door;
  }
  return std::move(*failure);
}

}  // namespace sentinel
