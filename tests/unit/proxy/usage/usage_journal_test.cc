// SPDX-License-Identifier: Apache-2.0
#include "proxy/usage/usage_journal.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include <catch2/catch.hpp>

#include "core/base/file.h"

using namespace sentinel::proxy;

namespace {

struct Directory {
  Directory() {
    char name[] = "/tmp/sentinel-journal-XXXXXX";
    path = mkdtemp(name);
  }

  ~Directory() { std::filesystem::remove_all(path); }

  /// Of the one file in it.
  std::string text() const {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      return sentinel::read_whole_file(entry.path()).value();
    }
    return {};
  }

  std::string path;
};

UsageRow row(const std::string& model, std::uint64_t tokens) {
  return {"a@b.c", model, tokens, 0, 1, "2026-02-01T12:00:00.000Z"};
}

}  // namespace

TEST_CASE("A journal tells what is pending and which batches are not settled") {
  Directory directory;
  UsageJournal journal = UsageJournal::open(directory.path).value();
  CHECK(journal.append_item(row("m", 1)));
  CHECK(journal.append_item(row("n", 2)));
  CHECK(journal.append_sealed({"b-0", 0, 0, {row("m", 1)}}));
  CHECK(journal.append_item(row("m", 4)));
  CHECK(journal.append_batch({"b-9", 0, 0, {row("x", 9)}}));
  CHECK(journal.append_batch({"b-0", 3, 5, {row("m", 1)}}));
  CHECK(journal.append_done("b-9"));
  const JournalContents contents = read_journal(directory.text());
  CHECK(contents.damaged == 0);
  CHECK(contents.pending.size() == 2);
  REQUIRE(contents.batches.size() == 1);
  CHECK((contents.batches[0].id == "b-0" && contents.batches[0].attempts == 3));
  CHECK(journal.rewrite(contents));
  const std::string rewritten = directory.text();
  CHECK(rewritten.size() == journal.size());
  CHECK((read_journal(rewritten).pending.size() == 2 && read_journal(rewritten).batches.size() == 1));
}

TEST_CASE("Cut anywhere, a journal loses at most the record that was cut; a changed byte costs that record alone") {
  Directory directory;
  UsageJournal journal = UsageJournal::open(directory.path).value();
  for (std::uint64_t i = 0; i < 3; ++i) CHECK(journal.append_item(row("model-" + std::to_string(i), i)));
  const std::string text = directory.text();
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string rest = text.substr(0, cut);
    CHECK(read_journal(rest).pending.size() == static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '\n')));
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == '!' ? '?' : '!';
    const JournalContents contents = read_journal(changed);
    CHECK(contents.damaged >= 1);
    CHECK(contents.pending.size() >= (text[at] == '\n' ? 1U : 2U));
  }
}

TEST_CASE("Only what a dead process left is adopted, under ids that are the same each time") {
  Directory directory;
  UsageJournal mine = UsageJournal::open(directory.path).value();
  {
    UsageJournal living = UsageJournal::open(directory.path).value();
    CHECK(living.append_item(row("m", 1)));
    CHECK(mine.orphans().empty());
  }  // its descriptor, and with it its lock, goes as with its process
  const std::string id = mine.orphans().at(0).batches.at(0).id;
  CHECK(mine.orphans().at(0).batches.at(0).id == id);
}
