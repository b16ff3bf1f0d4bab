// SPDX-License-Identifier: Apache-2.0
#include "proxy/usage/usage_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "core/base/digest.h"
#include "core/base/file.h"

namespace sentinel::proxy {
namespace {

constexpr std::string_view kSuffix = ".journal";
constexpr char kItem = 'i';
constexpr char kSealed = 's';
constexpr char kBatch = 'b';
constexpr char kDone = 'd';
constexpr std::size_t kChecksum = 16;
/// Longer journals than this can't be: they are rewritten far earlier.
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

std::string checked_line(char kind, const std::string& text) {
  const std::string record = std::string(1, kind) + " " + text;
  return sha256_hex(record).substr(0, kChecksum) + " " + record + "\n";
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void forget_batch(std::vector<UsageBatch>& batches, const std::string& id) {
  std::erase_if(batches, [&](const UsageBatch& batch) { return batch.id == id; });
}

/// False: not a record.
bool apply(JournalContents& contents, char kind, const std::string& text) {
  if (kind == kItem) {
    const std::optional<UsageRow> row = row_of_text(text);
    if (row) contents.pending.add(*row);
    return row.has_value();
  }
  if (kind == kDone) {
    forget_batch(contents.batches, text);
    return true;
  }
  if (kind != kSealed && kind != kBatch) return false;
  std::optional<UsageBatch> batch = batch_of_text(text);
  if (!batch) return false;
  if (kind == kSealed) {
    for (const UsageRow& row : batch->rows) contents.pending.erase(row);
  }
  forget_batch(contents.batches, batch->id);
  contents.batches.push_back(std::move(*batch));
  return true;
}

/// The file that was opened still has its name: it wasn't replaced or taken meanwhile.
bool still_named(int file, const std::string& path) {
  struct stat opened {};

  struct stat named {};

  return ::fstat(file, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

std::vector<std::string> journals_in(const std::string& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(directory.c_str()), closedir);
  if (listing == nullptr) return names;
  while (const dirent* entry = readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name.ends_with(kSuffix)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

JournalContents read_journal(const std::string& text) {
  JournalContents contents;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end == std::string::npos ? end : end - begin);
    begin = end == std::string::npos ? text.size() : end + 1;
    const std::size_t record = kChecksum + 1;
    const bool whole = end != std::string::npos && line.size() >= record + 2 && line[kChecksum] == ' ' &&
                       sha256_hex(line.substr(record)).compare(0, kChecksum, line, 0, kChecksum) == 0;
    if (!whole || !apply(contents, line[record], line.substr(record + 2))) ++contents.damaged;
  }
  return contents;
}

Result<UsageJournal> UsageJournal::open(const std::string& directory) {
  SENTINEL_CHECK(make_directories(directory, 0700));
  const std::string name = to_hex(random_bytes(8)) + std::string(kSuffix);
  const std::string path = directory + "/" + name;
  // Locked before it has its name: nobody may take it for one whose process has gone.
  Descriptor file(::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
  if (file.valid()) {
    const std::string unnamed = fmt::format("/proc/self/fd/{}", file.get());
    const bool named = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 &&
                       ::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
    if (!named) return system_error(errno, "naming", path);
  } else {
    file = Descriptor(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.valid() || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return system_error(errno, "opening", path);
  }
  SENTINEL_CHECK(sync_directory(directory));
  return UsageJournal(directory, name, std::move(file));
}

bool UsageJournal::append(char kind, const std::string& text) {
  const std::string line = checked_line(kind, text);
  const bool written = write_all(file_.get(), line);
  size_ += line.size();
  return written;
}

bool UsageJournal::append_item(const UsageRow& row) {
  return append(kItem, row_text(row));
}

bool UsageJournal::append_sealed(const UsageBatch& batch) {
  return append(kSealed, batch_text(batch));
}

bool UsageJournal::append_batch(const UsageBatch& batch) {
  return append(kBatch, batch_text(batch));
}

bool UsageJournal::append_done(const std::string& id) {
  return append(kDone, id);
}

bool UsageJournal::sync() {
  return ::fdatasync(file_.get()) == 0;
}

bool UsageJournal::rewrite(const JournalContents& contents) {
  std::string text;
  for (const UsageBatch& batch : contents.batches) text += checked_line(kBatch, batch_text(batch));
  contents.pending.for_each([&](const UsageRow& row) { text += checked_line(kItem, row_text(row)); });
  const std::string next = path() + ".new";
  Descriptor file(::open(next.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  // The lock is the file's, so the new one has it before it has the name.
  const bool written = file.valid() && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && write_all(file.get(), text) &&
                       ::fdatasync(file.get()) == 0 && ::rename(next.c_str(), path().c_str()) == 0;
  if (!written) return false;
  file_ = std::move(file);
  size_ = text.size();
  return sync_directory(directory_).ok();
}

void UsageJournal::remove() {
  ::unlink(path().c_str());
}

std::vector<UsageJournal::Orphan> UsageJournal::orphans() const {
  std::vector<Orphan> found;
  for (const std::string& name : journals_in(directory_)) {
    if (name == name_) continue;
    Orphan orphan;
    orphan.path = directory_ + "/" + name;
    orphan.lock = Descriptor(::open(orphan.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!orphan.lock.valid() || ::flock(orphan.lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (!still_named(orphan.lock.get(), orphan.path)) continue;
    const Result<std::string> text = read_whole_file(orphan.path, kMostBytes);
    if (!text.ok()) continue;
    JournalContents contents = read_journal(*text);
    orphan.batches = std::move(contents.batches);
    orphan.damaged = contents.damaged;
    for (int part = 0; !contents.pending.empty(); ++part) {
      const std::string id = fmt::format("{}-{}", name.substr(0, name.size() - kSuffix.size()), part);
      orphan.batches.push_back({id, 0, 0, contents.pending.take(kMostRows)});
    }
    found.push_back(std::move(orphan));
  }
  return found;
}

bool UsageJournal::bury(const UsageBatch& batch) {
  const std::string dead = directory_ + "/dead-letters";
  const Descriptor file(::open(dead.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  return file.valid() && write_all(file.get(), batch_text(batch) + "\n") && ::fdatasync(file.get()) == 0;
}

}  // namespace sentinel::proxy
