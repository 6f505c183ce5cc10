#include "image/ocicrypt/cipher.h"

#include <algorithm>

#include "crypto/random.h"

namespace coffer::image::ocicrypt {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t nonce_size = 16;
constexpr std::size_t piece_size = 256U << 10;

}  // namespace

Result<std::unique_ptr<DecryptSink>> DecryptSink::create(const PublicOptions& public_options,
                                                         const PrivateOptions& private_options, ByteSink& next) {
  const auto& nonce = public_options.nonce ? public_options.nonce : private_options.nonce;
  if (!nonce) return fail(ImageError::bad_annotation, "neither public nor private options hold the cipher's nonce");
  if (public_options.hmac.empty()) return fail(ImageError::bad_annotation, "the public options hold no HMAC");
  auto cipher = TRY(crypto::AesCtr::create(private_options.key.expose(), *nonce));
  crypto::Hmac mac{crypto::HashAlgorithm::sha256, private_options.key.expose()};
  return std::unique_ptr<DecryptSink>(
      new DecryptSink(std::move(cipher), std::move(mac), public_options.hmac, private_options.digest, next));
}

DecryptSink::DecryptSink(crypto::AesCtr cipher, crypto::Hmac mac, Bytes expected_mac, std::optional<Digest> digest,
                         ByteSink& next)
    : cipher_(std::move(cipher)),
      mac_(std::move(mac)),
      expected_mac_(std::move(expected_mac)),
      expected_digest_(std::move(digest)),
      next_(next),
      buffer_(piece_size) {
  if (expected_digest_) digest_.emplace(expected_digest_->algorithm());
}

Result<> DecryptSink::write(ByteView data) {
  while (!data.empty()) {
    const auto piece = data.first(std::min(data.size(), piece_size));
    const auto plain = buffer_.mutable_expose().first(piece.size());
    mac_.update(piece);
    cipher_.apply(piece, plain);
    if (digest_) digest_->update(plain);
    TRY(next_.write(plain));
    data = data.subspan(piece.size());
  }
  return {};
}

Result<> DecryptSink::check_end() {
  if (!constant_time_equal(mac_.finish(), expected_mac_)) {
    return fail(ImageError::hmac_mismatch,
                "the HMAC of the encrypted layer does not hold: it was changed, or its annotations were");
  }
  if (!digest_ || !expected_digest_) return {};
  const auto actual = Digest::from_hash(expected_digest_->algorithm(), digest_->finish());
  if (actual == *expected_digest_) return {};
  return fail(ImageError::digest_mismatch,
              "the decrypted layer should have digest " + expected_digest_->text() + " and has " + actual.text());
}

Result<> DecryptSink::finish() {
  TRY(check_end());
  return next_.finish();
}

Result<std::unique_ptr<EncryptSink>> EncryptSink::create(ByteSink& next) {
  auto key = crypto::system_random().secret(key_size);
  auto nonce = crypto::system_random().bytes(nonce_size);
  auto cipher = TRY(crypto::AesCtr::create(key.expose(), nonce));
  crypto::Hmac mac{crypto::HashAlgorithm::sha256, key.expose()};
  return std::unique_ptr<EncryptSink>(
      new EncryptSink(std::move(key), std::move(nonce), std::move(cipher), std::move(mac), next));
}

EncryptSink::EncryptSink(SecretBytes key, Bytes nonce, crypto::AesCtr cipher, crypto::Hmac mac, ByteSink& next)
    : key_(std::move(key)),
      nonce_(std::move(nonce)),
      cipher_(std::move(cipher)),
      mac_(std::move(mac)),
      digest_(crypto::HashAlgorithm::sha256),
      next_(next),
      buffer_(piece_size) {}

Result<> EncryptSink::write(ByteView data) {
  while (!data.empty()) {
    const auto piece = data.first(std::min(data.size(), piece_size));
    const auto sealed = MutableByteView{buffer_}.first(piece.size());
    digest_.update(piece);
    cipher_.apply(piece, sealed);
    mac_.update(sealed);
    TRY(next_.write(sealed));
    data = data.subspan(piece.size());
  }
  return {};
}

Result<> EncryptSink::finish() {
  final_mac_ = mac_.finish();
  final_digest_ = Digest::from_hash(crypto::HashAlgorithm::sha256, digest_.finish());
  return next_.finish();
}

PublicOptions EncryptSink::public_options() const {
  return {final_mac_, std::nullopt};
}

PrivateOptions EncryptSink::private_options() const {
  return {key_.clone(), final_digest_, nonce_};
}

}  // namespace coffer::image::ocicrypt
