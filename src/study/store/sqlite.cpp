// src/study/store/sqlite.cpp - SQLite with destructors, exceptions and typed values.
#include "study/store/sqlite.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <sys/stat.h>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "files/folder.h"
#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// With every link on the way to its folder followed, which SQLite would otherwise take for one in the place
/// of the file.
fs::path real_place(const fs::path& file) {
  std::error_code error;
  const fs::path folder = fs::canonical(file.has_parent_path() ? file.parent_path() : ".", error);
  return error ? file : folder / file.filename();
}

/// Regular, with one name, or not there. `told` is what messages call the file.
void require_plain(const fs::path& place, const fs::path& told) {
  struct stat found {};
  for (const char* ending : {"", "-journal", "-wal", "-shm"}) {
    if (::lstat((place.string() + ending).c_str(), &found) != 0) continue;
    if (S_ISREG(found.st_mode) && found.st_nlink == 1) continue;
    throw LinkInTheWay(
        fmt::format("{}{}: is a link, or no regular file, where a study keeps one of its own; take it away",
                    told.string(), ending));
  }
}

/// A rollback journal may name a "super-journal", which SQLite deletes when it has rolled back: any file of
/// the user's. Ours never do. One that names none and is not whole is ignored or rolled back by SQLite.
void require_plain_journal(const fs::path& place, const fs::path& told) {
  constexpr std::string_view kMagic("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
  if (tail_of(place.string() + "-journal", kMagic.size()) == kMagic) {
    throw InputError(fmt::format(
        "{0}-journal: names another file to be deleted, which no journal of a study does; take it "
        "away, or {0} as well",
        told.string()));
  }
  // The write-ahead log's two files would be made beside it.
  constexpr std::size_t kVersions = 18;  // of the format, for writing and reading; 2: with such a log
  const std::string head = head_of(place, kVersions + 2);
  const bool is_sqlite = head.size() == kVersions + 2 && head.compare(0, 15, "SQLite format 3") == 0;
  if (is_sqlite && (head[kVersions] > 1 || head[kVersions + 1] > 1)) {
    throw InputError(fmt::format(
        "{0}: has a write-ahead log, which a study's does not; sqlite3 {1} \"PRAGMA journal_mode = DELETE\" "
        "takes it away",
        told.string(), shell_word(told.string())));
  }
}

}  // namespace

Statement::Statement(Database& database, const std::string& sql) : database_(database) {
  database.begin_counting();
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    database.fail();
  }
  statement_.reset(statement);
}

Statement& Statement::bind(int index, const std::string& value) {
  const int length = static_cast<int>(value.size());
  if (sqlite3_bind_text(statement_.get(), index, value.data(), length, SQLITE_TRANSIENT) != SQLITE_OK) {
    database_.fail();
  }
  return *this;
}

Statement& Statement::bind(int index, std::int64_t value) {
  if (sqlite3_bind_int64(statement_.get(), index, value) != SQLITE_OK) database_.fail();
  return *this;
}

Statement& Statement::bind(int index, double value) {
  if (sqlite3_bind_double(statement_.get(), index, value) != SQLITE_OK) database_.fail();
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) {
    count_row();
    return true;
  }
  if (code != SQLITE_DONE) database_.fail();
  return false;
}

/// Pages that lead in circles give rows without end, of which each takes a few bytes of a file at least.
void Statement::count_row() {
  constexpr std::uint64_t kFew = 10'000, kLeastBytesOfRow = 4;
  if (++rows_ <= kFew) return;
  if (most_rows_ == 0) most_rows_ = kFew + database_.file_bytes() / kLeastBytesOfRow;
  if (rows_ > most_rows_) database_.refuse("gives more rows than it has room for");
}

void Statement::run() {
  while (step()) {
  }
  sqlite3_reset(statement_.get());
  rows_ = bytes_ = 0;
  database_.begin_counting();
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  const auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  constexpr std::uint64_t kFew = std::uint64_t{64} << 20;
  bytes_ += length;
  if (bytes_ > kFew && bytes_ > kFew + 2 * database_.file_bytes())
    database_.refuse("gives more text than it has room for");
  return std::string(text, length);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double Statement::real(int column) const {
  if (is_null(column)) return std::numeric_limits<double>::quiet_NaN();
  return sqlite3_column_double(statement_.get(), column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Database::Database(const fs::path& file, Mode mode) : file_(file) {
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) {
    throw InputError(
        fmt::format("{}: a folder where a study keeps its SQLite file; move it away", file.string()));
  }
  const fs::path place = real_place(file);
  require_plain(place, file);
  require_plain_journal(place, file);
  sqlite3* handle = nullptr;
  // A reader opens for writing too where it may: rolling back what a killed writer left needs that.
  const int flags =
      SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_READWRITE | (mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0);
  int code = sqlite3_open_v2(place.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK && mode == Mode::kRead) {
    code = sqlite3_open_v2(place.c_str(), &handle, SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_READONLY, nullptr);
    handle_.reset(handle);
  }
  if (code != SQLITE_OK) fail();
  harden();
  sqlite3_busy_timeout(handle_.get(), 60'000);
  if (mode == Mode::kRead) execute("PRAGMA query_only = 1");
}

/// https://www.sqlite.org/security.html, "Untrusted SQLite Database Files".
void Database::harden() {
  sqlite3* handle = handle_.get();
  for (const int option : {SQLITE_DBCONFIG_DEFENSIVE}) sqlite3_db_config(handle, option, 1, nullptr);
  for (const int option : {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_VIEW,
                           SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION}) {
    sqlite3_db_config(handle, option, 0, nullptr);
  }
  struct Limit {
    int what, most;
  };
  for (const Limit& limit : {Limit{SQLITE_LIMIT_LENGTH, 64 << 20},
                             {SQLITE_LIMIT_SQL_LENGTH, 100'000},
                             {SQLITE_LIMIT_COLUMN, 100},
                             {SQLITE_LIMIT_EXPR_DEPTH, 50},
                             {SQLITE_LIMIT_COMPOUND_SELECT, 3},
                             {SQLITE_LIMIT_VDBE_OP, 25'000},
                             {SQLITE_LIMIT_FUNCTION_ARG, 8},
                             {SQLITE_LIMIT_ATTACHED, 0},
                             {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
                             {SQLITE_LIMIT_WORKER_THREADS, 0}}) {
    sqlite3_limit(handle, limit.what, limit.most);
  }
  constexpr int kEvery = 10'000;
  sqlite3_progress_handler(
      handle, kEvery,
      [](void* counted) {
        std::uint64_t& left = static_cast<Steps*>(counted)->left;
        left -= std::min<std::uint64_t>(left, kEvery);
        return left == 0 ? 1 : 0;
      },
      steps_.get());
  begin_counting();
  execute("PRAGMA cell_size_check = 1");
}

std::uint64_t Database::file_bytes() const {
  std::error_code error;
  const auto bytes = fs::file_size(file_, error);
  return error ? 0 : bytes;
}

void Database::begin_counting() const {
  constexpr std::uint64_t kLeast = 100'000'000, kOfByte = 20;
  steps_->left = kLeast + kOfByte * file_bytes();
}

void Database::execute(const std::string& sql) {
  begin_counting();
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void Database::refuse(const std::string& what) const {
  throw InputError(
      fmt::format("{}: {}; it is damaged, or was not written by glidepath; move it away, the runs "
                  "beside it are found again",
                  file_.string(), what));
}

void Database::fail() const {
  const int code = sqlite3_errcode(handle_.get());
  if (code == SQLITE_INTERRUPT) refuse("takes more steps to read than a file of its size can need");
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) {
    throw InputError(fmt::format(
        "{}: not a study store, or damaged ({}); move it away, the runs beside it are found again",
        file_.string(), sqlite3_errmsg(handle_.get())));
  }
  throw RunError(fmt::format("{}: {}; what it held before is safe, and the same command goes on from there",
                             file_.string(), sqlite3_errmsg(handle_.get())));
}

Transaction::Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace glidepath
