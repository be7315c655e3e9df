// src/files/checksum.cpp - checksums by OpenSSL.
#include "files/checksum.h"

#include <array>
#include <cerrno>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "files/read_file.h"
#include "glidepath/error.h"

namespace glidepath {

struct Hasher::State {
  std::string algorithm;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher(const std::string& checksum) : state_(std::make_unique<State>()) {
  state_->algorithm = checksum.substr(0, checksum.find(':'));
  const EVP_MD* digest = EVP_get_digestbyname(state_->algorithm.c_str());
  if (digest == nullptr || state_->context == nullptr ||
      EVP_DigestInit_ex(state_->context, digest, nullptr) != 1) {
    throw RunError(fmt::format("OpenSSL on this machine does not offer {}", state_->algorithm));
  }
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;

void Hasher::add(const void* data, std::size_t bytes) { EVP_DigestUpdate(state_->context, data, bytes); }

std::string Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context, digest.data(), &length);
  std::string text = state_->algorithm + ":";
  for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::optional<std::string> try_sha256_of(const std::filesystem::path& file) {
  const int descriptor = open_regular(file);
  if (descriptor < 0) return std::nullopt;
  const std::string algorithm = "sha256";
  Hasher hasher(algorithm);
  std::vector<char> block(std::size_t{1} << 20);
  ssize_t count = 0;
  while ((count = ::read(descriptor, block.data(), block.size())) != 0) {
    if (count < 0 && errno != EINTR) break;
    if (count > 0) hasher.add(block.data(), static_cast<std::size_t>(count));
  }
  ::close(descriptor);
  if (count != 0) return std::nullopt;
  return hasher.finish().substr(algorithm.size() + 1);
}

}  // namespace glidepath
