#include <fmt/format.h>

#include <algorithm>

#include "evidence/eventlog/event_log.h"
#include "evidence/tpm/simulate.h"

namespace coffer::evidence::tpm {

using crypto::HashAlgorithm;

namespace {

std::vector<unsigned> all_pcrs() {
  std::vector<unsigned> out(pcr_count);
  for (unsigned pcr = 0; pcr < pcr_count; ++pcr) out[pcr] = pcr;
  return out;
}

// Name of an object: its name algorithm and a digest (part 1, section 16). Ours is of the public key's encoding.
Bytes name_of(const crypto::PublicKey& key) {
  return concat({as_bytes(std::string_view{"\x00\x0b", 2}), crypto::sha256(key.to_spki_der())});
}

}  // namespace

Result<std::shared_ptr<SoftwareTpm>> SoftwareTpm::create(SimulatedKey key, std::vector<Bytes> certificates,
                                                         ByteView log) {
  const auto parsed = TRY(eventlog::EventLog::parse(log));
  auto out = std::shared_ptr<SoftwareTpm>{new SoftwareTpm{std::move(key), std::move(certificates)}};
  for (unsigned pcr = 0; pcr < pcr_count; ++pcr) {
    out->pcrs_.push_back(TRY(parsed.replay(pcr, HashAlgorithm::sha256)));
  }
  return out;
}

Result<Signature> SoftwareTpm::sign(ByteView message) const {
  if (key_.key.kind() == crypto::KeyKind::rsa) {
    return Signature {
      crypto::SignatureScheme::rsa_pkcs1, HashAlgorithm::sha256,
          TRY(key_.key.sign(crypto::SignatureAlgorithm::rs256, message))
    };
  }
  const auto raw = TRY(key_.key.sign(crypto::default_algorithm(key_.key.kind()), message));
  const auto half = raw.begin() + static_cast<std::ptrdiff_t>(raw.size() / 2);
  const auto hash = key_.key.kind() == crypto::KeyKind::ec_p256 ? HashAlgorithm::sha256 : HashAlgorithm::sha384;
  return Signature{crypto::SignatureScheme::ecdsa, hash, {}, Bytes{raw.begin(), half}, Bytes{half, raw.end()}};
}

Result<QuoteAnswer> SoftwareTpm::quote(ByteView qualifying_data) {
  const std::lock_guard lock{mutex_};
  const auto hash = key_.key.kind() == crypto::KeyKind::ec_p384 ? HashAlgorithm::sha384 : HashAlgorithm::sha256;
  crypto::Hasher hasher{hash};
  for (const auto& value : pcrs_) hasher.update(value);
  Quote quote{.qualified_signer = name_of(key_.key.public_key()),
              .extra_data = other_qualifying_data.value_or(to_bytes(qualifying_data)),
              .clock = 1000,
              .reset_count = 1,
              .restart_count = 0,
              .safe = true,
              .firmware_version = 1,
              .selections = {{HashAlgorithm::sha256, all_pcrs()}},
              .pcr_digest = hasher.finish()};
  QuoteAnswer out{key_.key.public_key().to_spki_der(), encode_quote(quote), {}};
  out.signature = encode_signature(TRY(sign(out.message)));
  if (alter_quote) alter_quote(out);
  return out;
}

Result<std::vector<Bytes>> SoftwareTpm::read_pcrs() {
  const std::lock_guard lock{mutex_};
  return pcrs_;
}

Result<> SoftwareTpm::extend_pcr(unsigned pcr, ByteView digest) {
  const std::lock_guard lock{mutex_};
  if (pcr >= pcr_count || digest.size() != crypto::digest_size(HashAlgorithm::sha256)) {
    return fail(EvidenceError::device_failed,
                fmt::format("PCR {} cannot be extended with {} bytes", pcr, digest.size()));
  }
  pcrs_[pcr] = crypto::sha256(concat({pcrs_[pcr], digest}));
  return {};
}

Result<std::vector<Bytes>> SoftwareTpm::ak_certificates() {
  return certificates_;
}

Result<Bytes> SoftwareTpm::read_nv(std::uint32_t index) {
  const std::lock_guard lock{mutex_};
  if (const auto found = nv_.find(index); found != nv_.end()) return found->second;
  return fail(EvidenceError::no_device, fmt::format("the TPM has no NV index {:#x}", index));
}

void SoftwareTpm::put_nv(std::uint32_t index, Bytes content) {
  const std::lock_guard lock{mutex_};
  nv_[index] = std::move(content);
}

Result<> SoftwareTpm::write_nv(std::uint32_t index, ByteView content) {
  put_nv(index, to_bytes(content));
  if (written_nv) written_nv(*this, index);
  return {};
}

}  // namespace coffer::evidence::tpm
