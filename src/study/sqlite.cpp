// src/study/sqlite.cpp - SQLite with destructors, exceptions and typed values.
#include "study/sqlite.h"

#include <limits>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {

Statement::Statement(Database& database, const std::string& sql) : database_(database) {
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
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.fail();
  return false;
}

void Statement::run() {
  while (step()) {
  }
  sqlite3_reset(statement_.get());
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double Statement::real(int column) const {
  if (is_null(column)) return std::numeric_limits<double>::quiet_NaN();
  return sqlite3_column_double(statement_.get(), column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Database::Database(const std::filesystem::path& file, Mode mode) : file_(file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    throw InputError(
        fmt::format("{}: a folder where a study keeps its SQLite file; move it away", file.string()));
  }
  sqlite3* handle = nullptr;
  // A reader opens for writing too where it may: rolling back what a killed writer left needs that.
  const int flags = SQLITE_OPEN_READWRITE | (mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0);
  int code = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK && mode == Mode::kRead) {
    code = sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr);
    handle_.reset(handle);
  }
  if (code != SQLITE_OK) fail();
  sqlite3_busy_timeout(handle_.get(), 60'000);
  if (mode == Mode::kRead) execute("PRAGMA query_only = 1");
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void Database::fail() const {
  const int code = sqlite3_errcode(handle_.get());
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
