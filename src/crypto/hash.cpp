#include "crypto/hash.h"

#include <array>

#include "crypto/detail/algorithms.h"

namespace coffer::crypto {
namespace {

struct HashInfo {
  HashAlgorithm algorithm;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<HashInfo, 5> infos = {{
    {HashAlgorithm::sha1, "sha1", 20},
    {HashAlgorithm::sha256, "sha256", 32},
    {HashAlgorithm::sha384, "sha384", 48},
    {HashAlgorithm::sha512, "sha512", 64},
    {HashAlgorithm::sm3, "sm3", 32},
}};

const HashInfo& info(HashAlgorithm algorithm) {
  return infos[static_cast<std::size_t>(algorithm)];
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void start(EVP_MD_CTX* context, HashAlgorithm algorithm) {
  if (EVP_DigestInit_ex2(context, detail::digest(algorithm), nullptr) != 1) detail::openssl_broken("a digest");
}

}  // namespace

std::string_view name_of(HashAlgorithm algorithm) {
  return info(algorithm).name;
}

std::size_t digest_size(HashAlgorithm algorithm) {
  return info(algorithm).size;
}

std::optional<HashAlgorithm> parse_hash_algorithm(std::string_view name) {
  std::string folded{name};
  for (auto& c : folded) c = lower(c);
  for (const auto& candidate : infos) {
    if (candidate.name == folded) return candidate.algorithm;
  }
  return std::nullopt;
}

Bytes hash(HashAlgorithm algorithm, ByteView data) {
  // Contexts keep their algorithm's state: starting one anew with the same algorithm allocates nothing.
  thread_local std::array<detail::DigestContext, infos.size()> contexts;
  auto& context = contexts[static_cast<std::size_t>(algorithm)];
  if (!context) context.reset(EVP_MD_CTX_new());
  start(context.get(), algorithm);
  Bytes out(digest_size(algorithm));
  if (EVP_DigestUpdate(context.get(), data.data(), data.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), detail::data_of(MutableByteView{out}), nullptr) != 1) {
    detail::openssl_broken("a digest");
  }
  return out;
}

struct Hasher::Impl {
  HashAlgorithm algorithm;
  detail::DigestContext context{EVP_MD_CTX_new()};
};

Hasher::Hasher(HashAlgorithm algorithm) : impl_(new Impl{algorithm}) {
  start(impl_->context.get(), algorithm);
}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(ByteView data) {
  if (EVP_DigestUpdate(impl_->context.get(), data.data(), data.size()) != 1) detail::openssl_broken("a digest");
}

Bytes Hasher::finish() {
  Bytes out(digest_size(impl_->algorithm));
  finish(out);
  return out;
}

void Hasher::finish(MutableByteView out) {
  if (out.size() != digest_size(impl_->algorithm) ||
      EVP_DigestFinal_ex(impl_->context.get(), detail::data_of(out), nullptr) != 1) {
    detail::openssl_broken("a digest");
  }
  start(impl_->context.get(), impl_->algorithm);
}

}  // namespace coffer::crypto
