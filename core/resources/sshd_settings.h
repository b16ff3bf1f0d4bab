// SPDX-License-Identifier: Apache-2.0
// Which line of which file sets what: sshd's configuration with its includes, in the order sshd meets it
// (sshd_config(5): for each keyword the first value counts, for a few all of them; Match blocks override per
// connection). `sshd -T` says what is in force, but neither where it comes from nor what a Match block makes of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/system/reader.h"

namespace sentinel {

inline constexpr const char* kSshdMainFile = "/etc/ssh/sshd_config";

struct SshdSetting {
  std::string keyword;  ///< lower case
  std::string value;    ///< the rest of the line, trimmed
  std::string file;
  int line = 0;       ///< from 1
  std::string match;  ///< criteria of the Match block it is in; empty: it applies to every connection

  bool operator==(const SshdSetting&) const = default;
};

/// An include, as written.
struct SshdInclude {
  std::string pattern;  ///< absolute
  std::string file;
  int line = 0;
  std::string match;

  bool operator==(const SshdInclude&) const = default;
};

struct SshdSettings {
  std::vector<SshdInclude> includes;
  std::vector<SshdSetting> settings;         ///< in the order they are met
  std::map<std::string, std::string> files;  ///< every file read, with its text
  std::vector<std::string> order;            ///< files in the order they are met, each once
  std::vector<std::string> directories;      ///< that include patterns look into
};

/// A main file that isn't there is empty. Files that an include names but that can't be read are passed over, as sshd
/// does.
Result<SshdSettings> read_sshd_settings(Reader& machine);

/// The line of the main file that includes `path` for every connection, whether or not it is there now; 0: none does.
int include_line(const SshdSettings& all, const std::string& path);

/// Keywords of which every line counts, not only the first.
bool is_cumulative(const std::string& keyword);
/// The same setting under an old name: "challengeresponseauthentication" is "kbdinteractiveauthentication".
std::string canonical_keyword(const std::string& keyword);
/// Two values that mean the same to sshd ("without-password", "prohibit-password").
bool same_value(const std::string& keyword, const std::string& left, const std::string& right);

}  // namespace sentinel
