// SPDX-License-Identifier: Apache-2.0
// Look: what every kind's observe() and plan() get. The surroundings, plus what several resources share and is looked
// at once (dpkg's status, passwd and group, `systemctl show`, `sshd -T`, iptables-save): process starts are what costs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <typeindex>
#include <vector>

#include "core/base/result.h"
#include "core/model/content.h"
#include "core/resources/survey.h"

namespace sentinel {

/// Used by one thread.
class Look {
 public:
  explicit Look(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;

  Reader& machine() const { return surroundings_.machine; }

  const Surroundings& surroundings() const { return surroundings_; }

  /// A shared look: `take` runs at the first call for T and after forget(); failures are remembered, too. The reference
  /// is valid until forget(). Each kind of shared look is a struct of its own with a function around this:
  /// `Result<const DpkgStatus*> dpkg_status(Look&)`.
  template <typename T>
  Result<const T*> shared(const std::function<Result<T>()>& take) {
    auto& slot = shared_[std::type_index(typeid(T))];
    if (slot == nullptr) slot = std::make_shared<Result<T>>(take());
    const auto& taken = *static_cast<const Result<T>*>(slot.get());
    if (!taken.ok()) return taken.error();
    return &taken.value();
  }

  /// Units that will be asked about, so that one `systemctl show` covers all of them.
  void expect_unit(const std::string& unit) { units_.insert(unit); }

  const std::set<std::string>& expected_units() const { return units_; }

  /// A wanted content. Nothing when its bytes are not here; then it is among missing().
  Result<std::optional<Content>> content(const ContentRef& reference);

  const std::vector<ContentRef>& missing() const { return missing_; }

  /// Puts a content that the plan makes itself where actions find it, and names it.
  Result<ContentRef> keep(std::string text);

  /// Texts met while observing, by the name their state gives them, so that plan() can show what was before. Never for
  /// contents that are not to be shown.
  void remember_text(const std::string& name, std::string text) { texts_[name] = std::move(text); }

  const std::string* remembered_text(const std::string& name) const;

  /// Paths that steps planned before remove: a directory is empty when nothing else is in it.
  void note_removal(const std::string& path) { removals_.insert(path); }

  bool is_to_be_removed(const std::string& path) const { return removals_.contains(path); }

  /// Something was changed: look again.
  void forget();

 private:
  Surroundings surroundings_;
  std::map<std::type_index, std::shared_ptr<void>> shared_;
  std::set<std::string> units_;
  std::vector<ContentRef> missing_;
  std::map<std::string, std::string> texts_;
  std::set<std::string> removals_;
};

/// The name of a content that holds secrets, or may: "hmac:" and hex of HMAC-SHA-256 under the host's key, taken over
/// the SHA-256 of the bytes. So a wanted content without holes can be compared with it by its digest alone.
std::string sensitive_name(const Secret& host_key, std::string_view bytes);
/// The same from the lower-case hex SHA-256 of the bytes.
std::string sensitive_name_of_digest(const Secret& host_key, std::string_view digest);
bool is_sensitive_name(std::string_view name);

}  // namespace sentinel
