// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/core/release/rollout_bench.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "core/model/json.h"
#include "core/release/release_plan.h"

namespace sentinel {
namespace {

std::string tar_entry(const std::string& name, const std::string& bytes) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(100, 7, "0000644");
  header.replace(124, 11, fmt::format("{:011o}", bytes.size()));
  header.replace(148, 8, "        ");
  header[156] = '0';
  header.replace(257, 8, "ustar  ", 8);
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
  std::string padded = bytes;
  padded.resize((bytes.size() + 511) / 512 * 512, '\0');
  return header + padded;
}

std::string bundle_of(const std::string& version) {
  const std::string program = "program " + version;
  const nlohmann::json manifest{
      {"name", "app"},
      {"version", version},
      {"architecture", "x86_64"},
      {"files", {{"bin/app", {{"sha256", sha256_hex(program)}, {"size", program.size()}, {"mode", "0644"}}}}}};
  return tar_entry("bin/app", program) + tar_entry("manifest.json", manifest.dump()) + std::string(1024, '\0');
}

}  // namespace

RolloutBench::RolloutBench() {
  machine.put_file("/proc/sys/kernel/random/boot_id", "boot\n");
}

TransactionInput RolloutBench::input(const std::string& id, const std::string& transaction) {
  HostState host(machine);
  REQUIRE(host.directory.prepare(machine).ok());
  const auto archive = bundle_of(id);
  REQUIRE(host.blobs.put(archive).ok());
  Content environment("KEY=");
  environment.append(Hole{"KEY", {"shell"}});
  REQUIRE(host.blobs.put(environment.serialize()).ok());
  TransactionInput input;
  input.id = transaction;
  input.agent = "agent";
  input.request.purpose = "deploy";
  input.request.secrets = {{"KEY", false, "hex", 32}};
  input.secrets.emplace("KEY", Secret("s3cret-value"));
  ReleaseOrder order;
  order.release.id = id;
  order.release.app = "app";
  order.release.artefact = {Artefact::Kind::kBundle, "app", id, sha256_hex(archive), archive.size()};
  order.release.files = {{kReleaseEnvironment, 0644, reference_to(environment)}};
  input.request.release = order;
  return input;
}

TransactionOutcome RolloutBench::run(System& system, const TransactionInput& ordered) {
  HostState host(system);
  return Rollout({host, runtime, judge, clock, events}, control).run(ordered);
}

Plan RolloutBench::plan(const TransactionInput& ordered) {
  HostState host(machine);
  SecretView secrets(host.secrets, ordered.request.secrets, ordered.secrets);
  auto planned = plan_release(ordered.request, host, secrets, [&](const std::string& digest) {
    auto stored = host.blobs.get(digest);
    return stored.ok() ? std::optional(std::move(stored).value()) : std::nullopt;
  });
  REQUIRE(planned.ok());
  return std::move(planned->plan);
}

Result<std::vector<Recovery>> RolloutBench::recover() {
  HostState host(machine);
  const auto rollout = [&](journal::Writer& writer, const journal::Summary& summary, EventSink& sink) {
    return recover_rollout({host, runtime, judge, clock, sink}, writer, summary);
  };
  const auto sink = [](const std::string&) { return std::make_unique<RecordingSink>(); };
  return recover_now({host, clock, sink, probe_record_lock, rollout});
}

AppReleases RolloutBench::app() {
  HostState host(machine);
  return ReleaseRegistry(machine, host.directory).read("app").value();
}

void RolloutBench::first() {
  REQUIRE(run(machine, input("1.0", kFirst)).outcome == "changed");
  REQUIRE(runtime.traffic == "1.0");
}

TransactionInput back_to(const std::string& id, const std::string& transaction) {
  TransactionInput input;
  input.id = transaction;
  input.agent = "agent";
  ReleaseOrder order;
  order.action = ReleaseOrder::Action::kRollback;
  order.release.app = "app";
  order.release.id = id;
  input.request.release = order;
  return input;
}

}  // namespace sentinel
