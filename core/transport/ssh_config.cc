// SPDX-License-Identifier: Apache-2.0
// One pass over the lines with one bit of state: does the block we are in apply?
#include "core/transport/ssh_config.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <map>

#include "core/base/file.h"
#include "core/transport/pattern.h"

namespace sentinel {

namespace {

constexpr int kDeepestInclude = 16;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

struct Line {
  std::string keyword;  ///< lower case; empty for blank lines and comments
  std::vector<std::string> arguments;
  Position position;
};

class Parser {
 public:
  Parser(const SshConfigQuery& query, SshConfig& into) : query_(query), into_(into) {}

  Result<void> file(const std::string& path, int depth) {
    const auto text = read_whole_file(path, 4U << 20);
    if (!text.ok()) {
      if (text.error().code == "system.ENOENT" || text.error().code == "system.ENOTDIR") return {};
      return Error("ssh.config", text.error().message, {}, ExitCode::kUsage).during("reading the SSH configuration");
    }
    std::string_view rest = *text;
    for (int number = 1; !rest.empty(); ++number) {
      std::string_view content = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(content.size() + 1, rest.size()));
      if (!content.empty() && content.back() == '\r') content.remove_suffix(1);
      SENTINEL_TRY(const Line line, split(content, Position{path, number, 0, 1, std::string(content)}));
      if (!line.keyword.empty()) SENTINEL_CHECK(apply(line, depth));
    }
    return {};
  }

 private:
  static Error wrong(const Line& line, const std::string& what) { return wrong(line.position, what); }

  static Error wrong(const Position& position, const std::string& what) {
    return Error("ssh.config", what, {}, ExitCode::kUsage).at(position);
  }

  /// "Keyword value…" or "Keyword=value"; arguments may be in double quotes.
  static Result<Line> split(std::string_view text, Position position) {
    Line line{{}, {}, std::move(position)};
    const auto skip = [&](std::string_view set) {
      text.remove_prefix(std::min(text.find_first_not_of(set), text.size()));
    };
    skip(" \t");
    if (text.empty() || text.front() == '#') return line;
    line.position.column = static_cast<int>(line.position.source_line.size() - text.size()) + 1;
    const std::size_t end = std::min(text.find_first_of(" \t="), text.size());
    line.position.length = static_cast<int>(end);
    line.keyword = lower(text.substr(0, end));
    text.remove_prefix(end);
    skip(" \t");
    if (!text.empty() && text.front() == '=') text.remove_prefix(1);
    for (skip(" \t"); !text.empty(); skip(" \t")) {
      if (text.front() == '#') break;
      const bool quoted = text.front() == '"';
      if (quoted) text.remove_prefix(1);
      const std::size_t stop = text.find_first_of(quoted ? "\"" : " \t");
      if (quoted && stop == std::string_view::npos) return wrong(line, "a quote is not closed");
      line.arguments.emplace_back(text.substr(0, stop));
      text.remove_prefix(stop == std::string_view::npos ? text.size() : stop + (quoted ? 1 : 0));
    }
    return line;
  }

  Result<void> apply(const Line& line, int depth) {
    if (line.keyword == "host") {
      SENTINEL_CHECK(at_least_one(line));
      applies_ = pattern_list_matches(fmt::format("{}", fmt::join(line.arguments, " ")), ' ', query_.host);
      return {};
    }
    if (line.keyword == "match") {
      SENTINEL_CHECK(at_least_one(line));
      return match(line);
    }
    if (!applies_) return {};
    if (line.keyword == "include") return include(line, depth);
    return value(line);
  }

  static Result<void> at_least_one(const Line& line) {
    if (!line.arguments.empty()) return {};
    return wrong(line, fmt::format("{} needs a value",
                                   line.position.source_line.substr(static_cast<std::size_t>(line.position.column) - 1,
                                                                    static_cast<std::size_t>(line.position.length))));
  }

  Result<void> match(const Line& line) {
    applies_ = true;
    for (std::size_t i = 0; i < line.arguments.size(); ++i) {
      std::string criterion = lower(line.arguments[i]);
      const bool negated = !criterion.empty() && criterion.front() == '!';
      if (negated) criterion.erase(0, 1);
      if (criterion == "all") continue;
      const std::map<std::string, std::string> subjects = {
          {"host", into_.host_name.value_or(query_.host)},
          {"originalhost", query_.host},
          {"user", query_.user.empty() ? into_.user.value_or(query_.local_user) : query_.user},
          {"localuser", query_.local_user},
      };
      const auto subject = subjects.find(criterion);
      if (subject == subjects.end()) {
        applies_ = false;
        return {};
      }
      if (++i == line.arguments.size()) return wrong(line, fmt::format("Match {} needs a pattern", criterion));
      if (pattern_list_matches(line.arguments[i], ',', subject->second) == negated) applies_ = false;
    }
    return {};
  }

  Result<void> include(const Line& line, int depth) {
    SENTINEL_CHECK(at_least_one(line));
    if (depth == kDeepestInclude) return wrong(line, "files include each other without end");
    const std::string& file = line.position.file;
    for (std::string pattern : line.arguments) {
      if (pattern.rfind("~/", 0) == 0) pattern = query_.home + pattern.substr(1);
      if (pattern.empty() || pattern.front() != '/') {
        // ssh_config(5): relative to ~/.ssh in a user's file, to /etc/ssh in the system's.
        const bool system_wide = file.rfind("/etc/ssh/", 0) == 0;
        pattern.insert(0, system_wide ? std::string("/etc/ssh/") : query_.home + "/.ssh/");
      }
      glob_t found{};
      // What makes glob unsafe in threads is looking up users, and it is not asked to.
      const int status = ::glob(pattern.c_str(), 0, nullptr, &found);  // NOLINT(concurrency-mt-unsafe)
      std::vector<std::string> paths;
      if (status == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
      ::globfree(&found);
      for (const std::string& path : paths) {
        const bool applied = applies_;
        SENTINEL_CHECK(this->file(path, depth + 1));
        applies_ = applied;  // blocks of the included file end with it
      }
    }
    return {};
  }

  Result<void> value(const Line& line) {
    const auto text = [&](std::optional<std::string>& field) -> Result<void> {
      SENTINEL_CHECK(at_least_one(line));
      if (!field) field = line.arguments.front();
      return {};
    };
    const auto list = [&](std::optional<std::vector<std::string>>& field) -> Result<void> {
      SENTINEL_CHECK(at_least_one(line));
      if (!field) field = line.arguments;
      return {};
    };
    if (line.keyword == "hostname") return text(into_.host_name);
    if (line.keyword == "user") return text(into_.user);
    if (line.keyword == "identityagent") return text(into_.identity_agent);
    if (line.keyword == "hostkeyalias") return text(into_.host_key_alias);
    if (line.keyword == "userknownhostsfile") return list(into_.user_known_hosts);
    if (line.keyword == "globalknownhostsfile") return list(into_.global_known_hosts);
    if (line.keyword == "port") return port(line);
    if (line.keyword == "identitiesonly") return yes_or_no(line, into_.identities_only);
    if (line.keyword == "identityfile") {
      SENTINEL_CHECK(at_least_one(line));
      into_.identity_files.push_back(line.arguments.front());
      return {};
    }
    if (line.keyword == "proxyjump" || line.keyword == "proxycommand") return proxy(line);
    return {};
  }

  /// Whichever of the two comes first counts.
  Result<void> proxy(const Line& line) {
    SENTINEL_CHECK(at_least_one(line));
    if (into_.proxy_jump || into_.proxy_command) return {};
    if (line.keyword == "proxyjump") {
      into_.proxy_jump = line.arguments.front();
    } else {
      into_.proxy_command = fmt::format("{}", fmt::join(line.arguments, " "));
      into_.proxy_command_position = line.position;
    }
    return {};
  }

  Result<void> port(const Line& line) {
    SENTINEL_CHECK(at_least_one(line));
    const std::string& text = line.arguments.front();
    unsigned int number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size() || number == 0 || number > 65535) {
      return wrong(line, fmt::format("'{}' is not a port", text));
    }
    if (!into_.port) into_.port = static_cast<std::uint16_t>(number);
    return {};
  }

  static Result<void> yes_or_no(const Line& line, std::optional<bool>& field) {
    SENTINEL_CHECK(at_least_one(line));
    const std::string text = lower(line.arguments.front());
    const bool yes = text == "yes" || text == "true";
    if (!yes && text != "no" && text != "false") return wrong(line, fmt::format("'{}' is neither yes nor no", text));
    if (!field) field = yes;
    return {};
  }

  const SshConfigQuery& query_;
  SshConfig& into_;
  bool applies_ = true;
};

}  // namespace

Result<void> read_ssh_config(const std::string& file, const SshConfigQuery& query, SshConfig& into) {
  return Parser(query, into).file(file, 0);
}

}  // namespace sentinel
