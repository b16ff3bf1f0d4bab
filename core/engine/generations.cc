// SPDX-License-Identifier: Apache-2.0
#include "core/engine/generations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/model/json.h"
#include "core/model/json_fields.h"
#include "core/model/kinds.h"
#include "core/resources/survey.h"

namespace sentinel {
namespace {

struct Identity {
  std::string operator()(const File& body) const { return "path:" + body.path; }

  std::string operator()(const SshdConfig& body) const { return "path:" + body.path; }

  std::string operator()(const Directory& body) const { return "path:" + body.path; }

  std::string operator()(const Link& body) const { return "path:" + body.path; }

  std::string operator()(const Package& body) const {
    const std::set<std::string> names(body.names.begin(), body.names.end());
    return fmt::format("package:{}", fmt::join(names, ","));
  }

  std::string operator()(const AptSource& body) const { return "apt_source:" + body.name; }

  std::string operator()(const User& body) const { return "user:" + body.name; }

  std::string operator()(const Group& body) const { return "group:" + body.name; }

  std::string operator()(const AuthorizedKeys& body) const { return "authorized_keys:" + body.user; }

  std::string operator()(const Sysctl& body) const { return "sysctl:" + body.path; }

  std::string operator()(const Service& body) const { return "service:" + body.unit; }

  std::string operator()(const Firewall&) const { return "firewall"; }

  std::string operator()(const Command& body) const { return fmt::format("command:{}", fmt::join(body.argv, " ")); }
};

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (text.empty() || failure != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

SENTINEL_JSON_FIELDS(ManagedResource, resource, state)
SENTINEL_JSON_FIELDS(Original, body, state)
SENTINEL_JSON_FIELDS(Generation, number, transaction, time, operator_name, purpose, project, managed, secrets,
                     originals_order, originals)

std::string identity(const ResourceBody& body) {
  return std::visit(Identity{}, body);
}

Generations::Generations(System& machine, StateDirectory directory)
    : machine_(machine), directory_(std::move(directory)) {}

Result<std::uint64_t> Generations::current() {
  auto text = machine_.read_file(directory_.current());
  if (!text.ok() && text.error().code == "system.ENOENT") return std::uint64_t{0};
  if (!text.ok()) return std::move(text).error().during("reading the current generation");
  while (!text->empty() && text->back() == '\n') text->pop_back();
  const auto number = parse_number(*text);
  if (!number) return Error("generation.damaged", fmt::format("{} does not hold a number", directory_.current()));
  return *number;
}

Result<Generation> Generations::load(std::uint64_t number) {
  if (number == 0) return Generation{};
  const auto path = fmt::format("{}/{}.json", directory_.generations(), number);
  auto text = machine_.read_file(path);
  if (!text.ok() && text.error().code == "system.ENOENT") {
    return Error("generation.unknown", fmt::format("there is no generation {} on this host", number),
                 "`history` lists those that can be restored", ExitCode::kUsage);
  }
  if (!text.ok()) return std::move(text).error().during(fmt::format("reading generation {}", number));
  auto json = parse_json(*text);
  if (!json.ok()) return std::move(json).error().during("reading " + path);
  auto generation = decode<Generation>(*json);
  if (!generation.ok()) return std::move(generation).error().during("reading " + path);
  return generation;
}

Result<void> Generations::store(const Generation& generation) {
  const auto path = fmt::format("{}/{}.json", directory_.generations(), generation.number);
  SENTINEL_CHECK(machine_.replace_file(path, to_text(generation) + "\n", {0, 0, 0600}));
  return machine_.replace_file(directory_.current(), fmt::format("{}\n", generation.number), {0, 0, 0600});
}

Result<std::vector<std::uint64_t>> Generations::kept() {
  SENTINEL_TRY(const auto names, machine_.list(directory_.generations()));
  std::vector<std::uint64_t> numbers;
  for (const auto& name : names) {
    if (!name.ends_with(".json")) continue;
    if (const auto number = parse_number(std::string_view(name).substr(0, name.size() - 5))) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<void> Generations::prune() {
  SENTINEL_TRY(const auto now, current());
  SENTINEL_TRY(const auto numbers, kept());
  for (std::size_t i = 0; i + kRetained < numbers.size(); ++i) {
    if (numbers[i] == now) continue;
    SENTINEL_CHECK(machine_.remove_file(fmt::format("{}/{}.json", directory_.generations(), numbers[i])));
  }
  return {};
}

Result<Request> Generations::request_for_generation(std::uint64_t number) {
  SENTINEL_TRY(const auto current_number, current());
  SENTINEL_TRY(const auto now, load(current_number));
  SENTINEL_TRY(const auto then, load(number));
  Request request;
  request.purpose = fmt::format("rollback to generation {}", number);
  request.project = now.project;
  request.secrets = then.secrets;
  std::set<std::string> ids;
  for (const auto& managed : then.managed) {
    request.resources.push_back(managed.resource);
    ids.insert(managed.resource.id);
  }
  // What came later goes last and in reverse, as an undo would: a file before the directory it lies in.
  for (auto name = now.originals_order.rbegin(); name != now.originals_order.rend(); ++name) {
    if (then.originals.count(*name) > 0) continue;
    const auto& original = now.originals.at(*name);
    auto body = restored(original.body, original.state);
    if (!body) continue;
    Resource resource;
    resource.id = kRestorePrefix + *name;
    resource.title = fmt::format("{} as it was before generation {}", kind_of(original.body), number + 1);
    resource.body = std::move(*body);
    for (const auto& managed : now.managed) {
      if (identity(managed.resource.body) == *name) resource.notify = managed.resource.notify;
    }
    if (ids.insert(resource.id).second) request.resources.push_back(std::move(resource));
  }
  return request;
}

}  // namespace sentinel
