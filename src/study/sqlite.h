// src/study/sqlite.h - SQLite with destructors, exceptions and typed values.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <sqlite3.h>

namespace glidepath {

class Database;

/// A prepared statement. Parameters are numbered from 1, columns from 0.
class Statement {
 public:
  Statement(Database& database, const std::string& sql);
  Statement& bind(int index, const std::string& value);
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);  ///< NaN is stored as NULL
  /// True while there is a row to read.
  bool step();
  /// Runs to the end and makes the statement ready for other values.
  void run();
  std::string text(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;  ///< NULL reads as NaN
  bool is_null(int column) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

/// An open file. Every failure throws RunError naming the file; a busy one is waited for up to a minute.
class Database {
 public:
  enum class Mode { kCreate, kRead };
  /// kRead never changes what the file says, though it may finish what a killed writer began.
  /// Throws InputError if kRead finds no file.
  Database(const std::filesystem::path& file, Mode mode);
  void execute(const std::string& sql);
  std::int64_t changes() const { return sqlite3_changes(handle_.get()); }
  [[noreturn]] void fail() const;
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Closer {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  };
  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

/// Takes the write lock at once, so that what is read inside stays true; rolls back unless commit() is
/// called.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace glidepath
