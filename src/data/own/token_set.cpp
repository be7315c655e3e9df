// src/data/own/token_set.cpp - text as tokens: windows of a file of characters, or of files as nanoGPT writes
// them.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "data/own/own_sets.h"
#include "data/own/token_text.h"
#include "data/stores/input_file.h"
#include "files/json_text.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "glidepath/examples.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr double kTrainShare = 0.9;  // nanoGPT's

/// One token after the other. Read by several threads at once.
class TokenRow {
 public:
  TokenRow() = default;
  TokenRow(const TokenRow&) = delete;
  TokenRow& operator=(const TokenRow&) = delete;
  virtual ~TokenRow() = default;
  virtual std::int64_t size() const = 0;
  virtual void read(std::int64_t first, std::int64_t count, std::uint16_t* to) const = 0;
};

class HeldTokens : public TokenRow {
 public:
  explicit HeldTokens(std::vector<std::uint16_t> tokens) : tokens_(std::move(tokens)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(tokens_.size()); }
  void read(std::int64_t first, std::int64_t count, std::uint16_t* to) const override {
    std::copy_n(tokens_.begin() + first, count, to);
  }

 private:
  std::vector<std::uint16_t> tokens_;
};

/// uint16, little-endian, read as they are used.
class FileTokens : public TokenRow {
 public:
  explicit FileTokens(const fs::path& file) : file_(file) {
    if (file_.size() % sizeof(std::uint16_t) != 0)
      throw InputError(fmt::format("{}: has {} bytes, no whole number of uint16 tokens; it is truncated",
                                   file.string(), file_.size()));
  }
  std::int64_t size() const override {
    return static_cast<std::int64_t>(file_.size() / sizeof(std::uint16_t));
  }
  void read(std::int64_t first, std::int64_t count, std::uint16_t* to) const override {
    file_.read(to, static_cast<std::size_t>(count) * sizeof(std::uint16_t),
               static_cast<std::uint64_t>(first) * sizeof(std::uint16_t));
  }

 private:
  InputFile file_;
};

/// Windows of `context` tokens; targets are those one further. In tests they follow each other; in training
/// each begins anywhere in its own.
class WindowExamples : public Examples {
 public:
  WindowExamples(std::shared_ptr<const TokenRow> row, std::int64_t context)
      : row_(std::move(row)), context_(context) {}
  std::int64_t size() const override { return (row_->size() - 1) / context_; }
  Batch batch(const Request& request) const override {
    const auto count = static_cast<std::int64_t>(request.numbers.size());
    Batch batch;
    batch.examples = count;
    const torch::Tensor inputs = torch::empty({count, context_}, torch::kInt64);
    const torch::Tensor targets = torch::empty({count, context_}, torch::kInt64);
    auto* input = inputs.data_ptr<std::int64_t>();
    auto* target = targets.data_ptr<std::int64_t>();
    std::vector<std::uint16_t> window(static_cast<std::size_t>(context_) + 1);
    for (const std::int64_t number : request.numbers) {
      row_->read(begin_of(request, number), context_ + 1, window.data());
      input = std::copy(window.begin(), window.end() - 1, input);
      target = std::copy(window.begin() + 1, window.end(), target);
    }
    batch.inputs.push_back(inputs);
    batch.targets.push_back(targets);
    return batch;
  }

 private:
  std::int64_t begin_of(const Request& request, std::int64_t number) const {
    const std::int64_t begin = number * context_;
    if (!request.training) return begin;
    const std::int64_t room = std::min(context_, row_->size() - context_ - begin);
    return begin + static_cast<std::int64_t>(request.random(number).below(static_cast<std::uint64_t>(room)));
  }

  std::shared_ptr<const TokenRow> row_;
  std::int64_t context_;
};

void set_rows(Dataset& dataset, const fs::path& path, std::shared_ptr<const TokenRow> train,
              std::shared_ptr<const TokenRow> test, std::int64_t context) {
  for (const auto& row : {train, test}) {
    if (row->size() > context) continue;
    throw InputError(
        fmt::format("{}: {} tokens to {}; a context of {} takes {} at least; give a smaller --context",
                    path.string(), row->size(), row == train ? "train on" : "test on", context, context + 1));
  }
  dataset.task = "language";
  dataset.tokens = context;
  dataset.notes.push_back(
      fmt::format("{} tokens to train on and {} to test on, {} different; {} make an example", train->size(),
                  test->size(), dataset.classes, context));
  dataset.train.examples = std::make_shared<WindowExamples>(std::move(train), context);
  dataset.test.examples = std::make_shared<WindowExamples>(std::move(test), context);
}

void load_text(Dataset& dataset, const fs::path& file, std::int64_t context) {
  TokenText text = read_token_text(file);
  const auto train = static_cast<std::ptrdiff_t>(static_cast<double>(text.tokens.size()) * kTrainShare);
  std::size_t test_bytes = 0;
  for (auto token = text.tokens.begin() + train; token != text.tokens.end(); ++token)
    test_bytes += text.characters[*token].size();
  dataset.classes = static_cast<std::int64_t>(text.characters.size());
  dataset.class_names = std::move(text.characters);
  dataset.bytes_per_token =
      static_cast<double>(test_bytes) / static_cast<double>(std::max<std::ptrdiff_t>(
                                            1, static_cast<std::ptrdiff_t>(text.tokens.size()) - train));
  std::vector<std::uint16_t> test_tokens(text.tokens.begin() + train, text.tokens.end());
  text.tokens.resize(static_cast<std::size_t>(train));
  set_rows(dataset, file, std::make_shared<HeldTokens>(std::move(text.tokens)),
           std::make_shared<HeldTokens>(std::move(test_tokens)), context);
}

struct TokenMeta {
  std::int64_t vocabulary = 0;  // 0: not told
  double bytes_per_token = 0;
};

TokenMeta read_meta(const fs::path& file) {
  TokenMeta meta;
  const auto text = try_read_file(file);
  if (!text) return meta;
  const auto json = try_parse_json(*text);
  const auto refuse = [&] {
    throw InputError(
        fmt::format("{}: must be {{\"vocab_size\": 1 to 65536, \"bytes_per_token\": above 0}}, either "
                    "left out where it is not known",
                    file.string()));
  };
  if (!json.is_object()) refuse();
  if (json.contains("vocab_size")) {
    if (!json["vocab_size"].is_number_unsigned() || json["vocab_size"] < 1 || json["vocab_size"] > 65536)
      refuse();
    meta.vocabulary = json["vocab_size"];
  }
  if (json.contains("bytes_per_token")) {
    if (!json["bytes_per_token"].is_number() || !(json["bytes_per_token"] > 0)) refuse();
    meta.bytes_per_token = json["bytes_per_token"];
  }
  return meta;
}

/// The largest token; throws InputError for one that `vocabulary`, where it is told, does not have.
std::int64_t largest_of(const TokenRow& row, const fs::path& file, std::int64_t vocabulary) {
  constexpr std::int64_t kBlock = 1 << 20;
  std::vector<std::uint16_t> block(static_cast<std::size_t>(kBlock));
  std::int64_t largest = 0;
  for (std::int64_t first = 0; first < row.size(); first += kBlock) {
    const std::int64_t count = std::min(kBlock, row.size() - first);
    row.read(first, count, block.data());
    const auto most = std::max_element(block.begin(), block.begin() + count);
    if (vocabulary > 0 && *most >= vocabulary)
      throw InputError(fmt::format("{}: token {} is {}, and vocab_size in meta.json is {}", file.string(),
                                   first + (most - block.begin()), *most, vocabulary));
    largest = std::max<std::int64_t>(largest, *most);
  }
  return largest;
}

void load_files(Dataset& dataset, const fs::path& folder, std::int64_t context) {
  const fs::path train_file = folder / "train.bin", test_file = folder / "val.bin";
  for (const fs::path& file : {train_file, test_file}) {
    std::error_code error;
    if (fs::exists(file, error)) continue;
    throw_if_in_trouble(file, error);
    throw InputError(fmt::format(
        "{}: is not there; the folder must have train.bin and val.bin of uint16 tokens", file.string()));
  }
  auto train = std::make_shared<FileTokens>(train_file), test = std::make_shared<FileTokens>(test_file);
  const TokenMeta meta = read_meta(folder / "meta.json");
  const std::int64_t in_train = largest_of(*train, train_file, meta.vocabulary);
  const std::int64_t in_test = largest_of(*test, test_file, meta.vocabulary);
  dataset.classes = meta.vocabulary > 0 ? meta.vocabulary : std::max(in_train, in_test) + 1;
  dataset.bytes_per_token = meta.bytes_per_token;
  set_rows(dataset, folder, std::move(train), std::move(test), context);
}

}  // namespace

void load_token_set(Dataset& dataset, const fs::path& path, const DataChoice& choice) {
  std::error_code error;
  if (fs::is_directory(path, error)) return load_files(dataset, path, choice.context);
  load_text(dataset, path, choice.context);
}

}  // namespace glidepath
