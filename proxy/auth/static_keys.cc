// SPDX-License-Identifier: Apache-2.0
#include "proxy/auth/static_keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <sstream>

#include "core/base/digest.h"
#include "core/base/file.h"

namespace sentinel::proxy {
namespace {

bool is_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Result<StaticKeys> parse_static_keys(std::string_view text, const std::string& shown_path) {
  StaticKeys keys;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string digest;
    if (!(words >> digest)) continue;
    StaticKeys::Key key{digest, {}};
    std::string more;
    const bool complete = static_cast<bool>(words >> key.identity.id);
    words >> key.identity.email;
    if (!is_digest(digest) || !complete || words >> more) {
      // The line itself isn't shown: somebody may have written a key where its digest belongs.
      return Error("proxy.keys", "not a line of a key file",
                   "write: <sha256 of the key, 64 hexadecimal digits> <id> [email]", ExitCode::kUsage)
          .at({shown_path, number, 0, 1, {}});
    }
    keys.keys.push_back(std::move(key));
  }
  return keys;
}

Result<StaticKeys> load_static_keys(const std::string& path) {
  if (path.empty()) return StaticKeys{};
  SENTINEL_TRY(const std::string text, read_whole_file(path));
  return parse_static_keys(text, path);
}

Task<AuthOutcome> StaticKeyAuthenticator::authenticate(std::string_view token) {
  const std::string digest = sha256_hex(token);
  const StaticKeys::Key* found = nullptr;
  // Every key is compared whole: time tells nothing about which one matched, or how far.
  for (const StaticKeys::Key& key : keys_->keys) {
    if (CRYPTO_memcmp(key.digest.data(), digest.data(), digest.size()) == 0) found = &key;
  }
  if (found == nullptr) co_return AuthRefusal{};
  co_return found->identity;
}

}  // namespace sentinel::proxy
