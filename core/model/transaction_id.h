// SPDX-License-Identifier: Apache-2.0
// Names of transactions: the file name of a journal, the nonce of a confirmation.
#pragma once

#include <string>
#include <string_view>

namespace sentinel {

/// 32 lower-case hexadecimal digits: 128 bits from the kernel.
std::string new_transaction_id();
/// True for exactly that form: safe as a file name.
bool is_transaction_id(std::string_view text);

}  // namespace sentinel
