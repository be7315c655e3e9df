// src/data/fetch/transfer.cpp - one HTTP request, by libcurl.
#include "data/fetch/transfer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <memory>
#include <string_view>

#include <curl/curl.h>
#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

struct Request {
  CURL* curl;
  PartFile& part;
  std::int64_t expected_bytes, most_bytes;
  FetchContext& context;
  std::int64_t start;          // where the part ended
  std::string content_range;   // of the last response
  bool judged = false;         // the first bytes of the body have come
  std::string refusal;         // why the body is not taken
  std::exception_ptr failure;  // thrown inside a callback
  std::int64_t received = 0;

  void judge();
  void learn_size(std::int64_t bytes);
  std::string refusal_of(std::int64_t bytes) const;
};

/// "bytes 100-199/200" -> 100 and 200 (-1 for an unknown total or no such text).
std::pair<std::int64_t, std::int64_t> range_of(std::string_view text) {
  std::int64_t first = -1, total = -1;
  const auto number = [](std::string_view digits, std::int64_t& value) {
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
  };
  if (text.substr(0, 6) == "bytes ") number(text.substr(6), first);
  if (const auto slash = text.find('/'); slash != std::string_view::npos)
    number(text.substr(slash + 1), total);
  return {first, total};
}

/// Takes the size that the server tells where none was expected.
void Request::learn_size(std::int64_t bytes) {
  if (expected_bytes >= 0 || bytes < 0) return;
  expected_bytes = bytes;
  context.set_total(bytes);
}

/// Why a file of so many bytes is not taken; empty when it is.
std::string Request::refusal_of(std::int64_t bytes) const {
  if (most_bytes < 0 || bytes <= most_bytes) return "";
  return fmt::format("has more than {} bytes, twice what the official file has", most_bytes);
}

/// Looks at status and length before the first byte is taken.
void Request::judge() {
  judged = true;
  long status = 0;
  curl_off_t length = -1;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (status == 206 && start > 0) {
    const auto [first, total] = range_of(content_range);
    learn_size(total);
    if (first != start) {
      refusal = fmt::format("asked for bytes from {}, it sends \"{}\"", start, content_range);
    } else if (total >= 0 && total != expected_bytes) {
      refusal = fmt::format("its file has {} bytes, expected {}", total, expected_bytes);
    } else {
      refusal = refusal_of(total);
    }
    return;
  }
  learn_size(status == 200 ? length : -1);
  if (status != 200) {
    refusal = fmt::format("HTTP {}", status);
  } else if (length >= 0 && length != expected_bytes) {
    refusal = fmt::format("its file has {} bytes, expected {}", length, expected_bytes);
  } else if (!refusal_of(length).empty()) {
    refusal = refusal_of(length);
  } else if (start > 0) {  // Range was ignored: this is the whole file
    part.clear();
    context.advance(0);
  }
}

std::size_t on_header(char* data, std::size_t, std::size_t bytes, void* user) {
  auto& request = *static_cast<Request*>(user);
  std::string_view line(data, bytes);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.substr(0, 5) == "HTTP/")
    request.content_range.clear();  // a redirect's headers are not the answer's
  constexpr std::string_view kName = "content-range:";
  const bool is_range = line.size() > kName.size() &&
                        std::equal(kName.begin(), kName.end(), line.begin(),
                                   [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
  if (is_range) {
    line.remove_prefix(kName.size());
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    request.content_range = line;
  }
  return bytes;
}

std::size_t on_body(char* data, std::size_t, std::size_t bytes, void* user) {
  auto& request = *static_cast<Request*>(user);
  try {  // no exception may pass through C
    if (!request.judged) request.judge();
    if (request.refusal.empty() && request.expected_bytes >= 0 &&
        request.part.size() + static_cast<std::int64_t>(bytes) > request.expected_bytes) {
      request.refusal = fmt::format("sends more than the expected {} bytes", request.expected_bytes);
    }
    if (request.refusal.empty())
      request.refusal = request.refusal_of(request.part.size() + static_cast<std::int64_t>(bytes));
    if (!request.refusal.empty()) return 0;
    request.part.append(data, bytes);
    request.received += static_cast<std::int64_t>(bytes);
    request.context.advance(request.part.size());
    return bytes;
  } catch (...) {
    request.failure = std::current_exception();
    return 0;
  }
}

int on_tick(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& request = *static_cast<Request*>(user);
  try {
    request.context.advance(request.part.size());
    return 0;
  } catch (...) {
    request.failure = std::current_exception();
    return 1;
  }
}

void set_up(Request& request, const std::string& url, char* error_text) {
  CURL* curl = request.curl;
  const FetchOptions& options = request.context.options;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "glidepath/" GLIDEPATH_VERSION);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
#if CURL_AT_LEAST_VERSION(7, 85, 0)
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_seconds * 1000));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1000L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(options.stall_seconds)));
  // Not CURLOPT_RESUME_FROM: with it libcurl gives up where a server answers with the whole file.
  const std::string range = fmt::format("{}-", request.start);
  if (request.start > 0) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());  // copied
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &request);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &request);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_tick);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &request);
}

bool is_connected(CURL* curl) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &microseconds);
  return microseconds > 0;
}

void set_http_error(const Request& request, TransferEnd& end) {
  long status = 0;
  curl_easy_getinfo(request.curl, CURLINFO_RESPONSE_CODE, &status);
  end.reason = fmt::format("HTTP {}", status);
  if (status == 416 && request.expected_bytes < 0 &&
      range_of(request.content_range).second == request.part.size()) {
    end.what = TransferEnd::What::kWhole;  // an earlier run ended just after the last byte
  } else if (status == 416) {              // the part is no beginning of its file
    request.part.clear();
    end.what = TransferEnd::What::kTryAgain;
  } else if (status >= 500 || status == 429 || status == 408) {
    curl_off_t wait = 0;
    curl_easy_getinfo(request.curl, CURLINFO_RETRY_AFTER, &wait);
    end.what = TransferEnd::What::kTryAgain;
    end.wait_seconds = static_cast<double>(std::min<curl_off_t>(wait, 60));
  }
}

void set_curl_error(const Request& request, CURLcode code, const char* error_text, TransferEnd& end) {
  end.reason = *error_text != '\0' ? error_text : curl_easy_strerror(code);
  if (!end.reason.empty() && end.reason[0] >= 'A' && end.reason[0] <= 'Z' &&
      !(end.reason.size() > 1 && end.reason[1] >= 'A' && end.reason[1] <= 'Z')) {
    end.reason[0] = static_cast<char>(end.reason[0] + 32);
  }
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_OUT_OF_MEMORY:
      return;  // gives up
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      end.what = TransferEnd::What::kNoServer;
      return;
    case CURLE_OPERATION_TIMEDOUT:
      if (!is_connected(request.curl)) {
        end.what = TransferEnd::What::kNoServer;
        end.reason = fmt::format("no connection within {} s", request.context.options.connect_seconds);
        return;
      }
      end.reason = fmt::format("stalled for {} s", request.context.options.stall_seconds);
      [[fallthrough]];
    default:
      end.what = TransferEnd::What::kTryAgain;
  }
}

}  // namespace

TransferEnd transfer(const std::string& url, PartFile& part, std::int64_t expected_bytes,
                     std::int64_t most_bytes, FetchContext& context) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  if (started != CURLE_OK || !handle) throw RunError("libcurl cannot start");

  std::array<char, CURL_ERROR_SIZE> error_text{};
  Request request{handle.get(), part, expected_bytes, most_bytes, context, part.size(), {},
                  false,        {},   nullptr,        0};
  set_up(request, url, error_text.data());
  const CURLcode code = curl_easy_perform(request.curl);
  if (request.failure) std::rethrow_exception(request.failure);

  TransferEnd end;
  end.received = request.received;
  end.kept = part.size() - request.received;
  if (!request.refusal.empty()) {
    end.reason = request.refusal;
  } else if (code == CURLE_HTTP_RETURNED_ERROR) {
    set_http_error(request, end);
  } else if (code != CURLE_OK) {
    set_curl_error(request, code, error_text.data(), end);
  } else if (request.judged && (part.size() == request.expected_bytes || request.expected_bytes < 0)) {
    end.what = TransferEnd::What::kWhole;
  } else {
    if (!request.judged) request.judge();  // an empty body
    end.what = request.refusal.empty() ? TransferEnd::What::kTryAgain : TransferEnd::What::kGiveUp;
    end.reason = request.refusal.empty()
                     ? fmt::format("ended after {} of {} bytes", part.size(), request.expected_bytes)
                     : request.refusal;
  }
  return end;
}

}  // namespace glidepath
