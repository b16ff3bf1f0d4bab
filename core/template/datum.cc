// SPDX-License-Identifier: Apache-2.0
// Depth and weight are computed when a container is made, so that walking any value later is bounded.
#include "core/template/datum.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/suggest.h"
#include "core/template/callables.h"

namespace sentinel::template_engine {
namespace {

std::size_t saturating_add(std::size_t a, std::size_t b) {
  const std::size_t sum = a + b;
  return sum < a ? std::numeric_limits<std::size_t>::max() : sum;
}

}  // namespace

Error error_of(const Undefined& undefined) {
  auto candidates = undefined.candidates;
  if (undefined.names != nullptr) candidates = undefined.names->known_names();
  if (undefined.container != nullptr) {
    if (const auto* dict = undefined.container->as_dict()) {
      for (const auto& [key, value] : dict->entries) {
        if (const auto* text = key.as_text()) candidates.push_back(*text);
      }
    }
  }
  std::string hint = undefined.subject.empty() ? std::string() : did_you_mean(undefined.subject, candidates);
  if (hint.empty()) hint = undefined.hint;
  return error_at(*undefined.source, undefined.span, undefined.code, undefined.message, std::move(hint));
}

const Datum* Dict::find(const Datum& key) const {
  const auto hashed = hash_key(key);
  if (!hashed) return nullptr;
  const auto found = index.find(*hashed);
  return found == index.end() ? nullptr : &entries[found->second].second;
}

const Datum* Dict::find(std::string_view key) const {
  const auto found = index.find("s" + std::string(key));
  return found == index.end() ? nullptr : &entries[found->second].second;
}

void Dict::set(Datum key, Datum value) {
  depth = std::max({depth, value.depth() + 1, key.depth() + 1});
  weight = saturating_add(weight, saturating_add(key.weight(), value.weight()));
  const auto [position, inserted] = index.emplace(hash_key(key).value_or(std::string()), entries.size());
  if (inserted) {
    entries.emplace_back(std::move(key), std::move(value));
  } else {
    entries[position->second].second = std::move(value);
  }
}

std::size_t Range::size() const {
  // Unsigned distances: start and stop may be at opposite ends of 64 bits.
  if (step > 0 && start < stop) {
    const auto distance = static_cast<std::uint64_t>(stop) - static_cast<std::uint64_t>(start);
    return (distance - 1) / static_cast<std::uint64_t>(step) + 1;
  }
  if (step < 0 && start > stop) {
    const auto distance = static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(stop);
    return (distance - 1) / (~static_cast<std::uint64_t>(step) + 1) + 1;
  }
  return 0;
}

Datum Datum::items(std::vector<Datum> values, Items::Flavor flavor) {
  Items out;
  out.flavor = flavor;
  for (const auto& value : values) {
    out.depth = std::max(out.depth, value.depth() + 1);
    out.weight = saturating_add(out.weight, value.weight());
  }
  out.items = std::move(values);
  return Datum(State(std::make_shared<const Items>(std::move(out))));
}

Datum Datum::dict(Dict value) {
  return Datum(State(std::make_shared<const Dict>(std::move(value))));
}

const std::string* Datum::as_text() const {
  const auto* text = get<Text>();
  return text == nullptr ? nullptr : text->get();
}

const Items* Datum::as_items() const {
  const auto* items = get<std::shared_ptr<const Items>>();
  return items == nullptr ? nullptr : items->get();
}

const Dict* Datum::as_dict() const {
  const auto* dict = get<std::shared_ptr<const Dict>>();
  return dict == nullptr ? nullptr : dict->get();
}

bool Datum::is_lax_undefined() const {
  const auto* undefined = get<std::shared_ptr<const Undefined>>();
  return undefined != nullptr && (*undefined)->lax;
}

std::optional<std::int64_t> Datum::as_integer() const {
  if (const auto* value = get<std::int64_t>()) return *value;
  if (const auto* value = get<bool>()) return *value ? 1 : 0;
  return std::nullopt;
}

std::optional<double> Datum::as_number() const {
  if (const auto* value = get<double>()) return *value;
  if (const auto value = as_integer()) return static_cast<double>(*value);
  return std::nullopt;
}

int Datum::depth() const {
  if (const auto* items = as_items()) return items->depth;
  if (const auto* dict = as_dict()) return dict->depth;
  return 0;
}

std::size_t Datum::weight() const {
  if (const auto* text = as_text()) return 1 + text->size() / 16;
  if (const auto* items = as_items()) return items->weight;
  if (const auto* dict = as_dict()) return dict->weight;
  return 1;
}

std::string type_name(const Datum& value) {
  struct Namer {
    std::string operator()(const None&) const { return "None"; }

    std::string operator()(bool) const { return "bool"; }

    std::string operator()(std::int64_t) const { return "int"; }

    std::string operator()(double) const { return "float"; }

    std::string operator()(const Datum::Text&) const { return "str"; }

    std::string operator()(const std::shared_ptr<const Items>& items) const {
      static constexpr const char* kNames[] = {"list",      "tuple",       "tuple",     "lazy result",
                                               "dict_keys", "dict_values", "dict_items"};
      return kNames[static_cast<int>(items->flavor)];
    }

    std::string operator()(const std::shared_ptr<const Dict>&) const { return "dict"; }

    std::string operator()(const std::shared_ptr<const Undefined>&) const { return "undefined"; }

    std::string operator()(const Range&) const { return "range"; }

    std::string operator()(const std::shared_ptr<Namespace>&) const { return "namespace"; }

    std::string operator()(const std::shared_ptr<Loop>&) const { return "loop"; }

    std::string operator()(const Method&) const { return "method"; }

    std::string operator()(const FunctionSpec*) const { return "function"; }

    std::string operator()(const std::shared_ptr<const Hole>&) const { return "secret"; }

    std::string operator()(const Secrets&) const { return "secrets"; }
  };

  return std::visit(Namer(), value.state());
}

std::optional<std::string> hash_key(const Datum& value) {
  if (const auto* text = value.as_text()) return "s" + *text;
  if (const auto integer = value.as_integer()) return fmt::format("n{}", *integer);
  if (const auto* real = value.get<double>()) {
    // 1 and 1.0 are the same key.
    if (*real >= -9.2e18 && *real <= 9.2e18 && *real == std::floor(*real)) {
      return fmt::format("n{}", static_cast<std::int64_t>(*real));
    }
    return fmt::format("f{}", *real);
  }
  if (value.is_none()) return "0";
  if (const auto* items = value.as_items(); items != nullptr && items->is_tuple()) {
    std::string out = "t";
    for (const auto& item : items->items) {
      const auto key = hash_key(item);
      if (!key) return std::nullopt;
      out += fmt::format("{}:{}", key->size(), *key);
    }
    return out;
  }
  if (const auto* range = value.get<Range>()) return fmt::format("r{},{},{}", range->start, range->stop, range->step);
  return std::nullopt;
}

Error type_error(std::string message, std::string hint) {
  return Error("template.type", std::move(message), std::move(hint), ExitCode::kUsage);
}

Result<void> require_plain(const Datum& value) {
  if (const auto* undefined = value.get<std::shared_ptr<const Undefined>>()) return error_of(**undefined);
  if (const auto* hole = value.get<std::shared_ptr<const Hole>>()) {
    return Error(
        "template.secret-misuse",
        fmt::format("the secret '{}' can only be printed, it has no value here", (*hole)->secret),
        "write {{ secrets.NAME }}, optionally followed by the filters shell, systemd, systemd_exec, yaml, caddy, "
        "ini or b64encode",
        ExitCode::kUsage);
  }
  if (value.get<Secrets>() != nullptr) {
    return Error("template.secret-misuse", "'secrets' is not a value", "write secrets.NAME", ExitCode::kUsage);
  }
  if (const auto* method = value.get<Method>()) {
    return type_error(fmt::format("the method '{}' is not called", method->spec->name),
                      fmt::format("write {0}() to call it, or ['{0}'] for the key of that name", method->spec->name));
  }
  if (const auto* function = value.get<const FunctionSpec*>()) {
    return type_error(fmt::format("the function '{}' is not called", (*function)->name),
                      fmt::format("write {}()", (*function)->name));
  }
  return {};
}

}  // namespace sentinel::template_engine
