// SPDX-License-Identifier: Apache-2.0
// Filling the holes of a content with secrets: the one place where a secret's value meets the text around it. Used when
// comparing a file and when writing it, so both see the same bytes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/model/content.h"

namespace sentinel {

/// Value of a secret; null when it has none.
using SecretLookup = std::function<const Secret*(const std::string& name)>;

/// The bytes of the file. Error `secret.no-value` naming the secret, `secret.not-quotable` when a filter can't express
/// the value; neither tells anything about it.
Result<Secret> fill(const Content& content, const SecretLookup& secrets);

/// Names of secrets the content needs and that have no value yet, in order, each once.
std::vector<std::string> secrets_without_value(const Content& content, const SecretLookup& secrets);

}  // namespace sentinel
