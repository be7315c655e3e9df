// src/study/store/sqlite.h - SQLite with destructors, exceptions and typed values.
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
  void count_row();

  Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  std::uint64_t rows_ = 0, most_rows_ = 0;
  mutable std::uint64_t bytes_ = 0;
};

/// An open file. Every failure throws RunError naming the file; a busy one is waited for up to a minute.
///
/// The file may come from anywhere: nothing that its schema says is run (views, triggers, functions), one
/// statement takes no more steps, rows and bytes than a file of its size can give, and a rollback journal
/// beside it is none that has SQLite delete another file. Throws InputError or LinkInTheWay otherwise.
class Database {
 public:
  enum class Mode { kCreate, kRead };
  /// kRead never changes what the file says, though it may finish what a killed writer began.
  /// Throws InputError if kRead finds no file.
  Database(const std::filesystem::path& file, Mode mode);
  void execute(const std::string& sql);
  std::int64_t changes() const { return sqlite3_changes(handle_.get()); }
  [[noreturn]] void fail() const;
  /// Throws InputError: the file is damaged, or made to be.
  [[noreturn]] void refuse(const std::string& what) const;
  sqlite3* handle() const { return handle_.get(); }
  const std::filesystem::path& file() const { return file_; }
  std::uint64_t file_bytes() const;
  /// A statement begins: its steps are counted anew.
  void begin_counting() const;

 private:
  struct Closer {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  };
  struct Steps {
    std::uint64_t left = 0;
  };
  void harden();

  std::filesystem::path file_;
  std::unique_ptr<Steps> steps_ = std::make_unique<Steps>();
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
