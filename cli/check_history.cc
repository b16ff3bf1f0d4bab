// SPDX-License-Identifier: Apache-2.0
// The file is written anew each time: short, and never half a line.
#include "cli/check_history.h"

#include <unistd.h>

#include "core/base/file.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

constexpr std::size_t kMaxHistory = 16U << 20;

// The names of hosts have no slash: the project's schema sees to that.
std::string path_of(const std::string& project_directory, const std::string& host) {
  return project_directory + "/.sentinel/checks/" + host + ".jsonl";
}

std::vector<PastAudit> load_all(const std::string& path) {
  std::vector<PastAudit> audits;
  const auto text = read_whole_file(path, kMaxHistory);
  if (!text.ok()) return audits;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const auto json = parse_json(text->substr(begin, end - begin));
    begin = end + 1;
    if (!json.ok()) continue;
    if (auto audit = decode<PastAudit>(*json); audit.ok()) audits.push_back(std::move(*audit));
  }
  return audits;
}

}  // namespace

std::vector<PastAudit> load_history(const std::string& project_directory, const std::string& host,
                                    const std::string& profile) {
  auto audits = load_all(path_of(project_directory, host));
  std::erase_if(audits, [&](const PastAudit& audit) { return audit.profile != profile; });
  return audits;
}

Result<void> add_to_history(const std::string& project_directory, const std::string& host, const PastAudit& audit) {
  const std::string path = path_of(project_directory, host);
  auto audits = load_all(path);
  // Only the newest is compared with; of the others the scores are enough, and bundles carry them all.
  for (PastAudit& earlier : audits) {
    if (earlier.profile == audit.profile) earlier.verdicts.clear();
  }
  audits.push_back(audit);
  std::string text;
  for (std::size_t i = audits.size() > kKeptAudits ? audits.size() - kKeptAudits : 0; i < audits.size(); ++i) {
    text += to_text(nlohmann::json(audits[i])) + "\n";
  }
  SENTINEL_CHECK(make_directories(parent_directory(path), 0700));
  return replace_file(path, text, FileAttributes{geteuid(), getegid(), 0600});
}

}  // namespace sentinel
