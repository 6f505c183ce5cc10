#include "evidence/tpm/registers.h"

#include "codec/base64.h"
#include "evidence/tpm/quote.h"

namespace coffer::evidence::tpm {

namespace {

constexpr std::size_t digest_size = 32;
constexpr unsigned agents_pcr = 15;

Result<unsigned> runtime_pcr_of(unsigned pcr_index) {
  if (const auto pcr = runtime_pcr(pcr_index)) return *pcr;
  return fail(EvidenceError::not_supported, "PCR " + std::to_string(pcr_index) + " takes no runtime measurements");
}

}  // namespace

Result<> bind_init_data(TpmDevice& tpm, ByteView digest) {
  if (digest.size() != digest_size) {
    return fail(EvidenceError::bad_init_data,
                "a TPM binds init-data by a digest of 32 bytes (algorithm sha256 or sm3), this one has " +
                    std::to_string(digest.size()));
  }
  const auto pcrs = TRY(tpm.read_pcrs());
  const auto& value = pcrs.at(init_data_pcr);
  if (equal(value, extended_once(digest))) return {};
  if (equal(value, Bytes(digest_size))) return tpm.extend_pcr(init_data_pcr, digest);
  return fail(EvidenceError::init_data_mismatch, "PCR 8 holds " + codec::hex_encode(value) + ", neither zeros nor " +
                                                     codec::hex_encode(extended_once(digest)) +
                                                     ": something else was measured into it");
}

std::optional<unsigned> runtime_pcr(unsigned pcr) {
  if (pcr == 16 || pcr >= 23) return std::nullopt;
  return pcr >= 17 ? agents_pcr : pcr;
}

std::optional<MeasurementRegister> runtime_register(unsigned pcr) {
  const auto index = runtime_pcr(pcr);
  if (!index) return std::nullopt;
  return MeasurementRegister{*index, crypto::HashAlgorithm::sha256};
}

Result<> extend_runtime_measurement(TpmDevice& tpm, unsigned pcr, ByteView digest) {
  return tpm.extend_pcr(TRY(runtime_pcr_of(pcr)), digest);
}

Result<Bytes> read_runtime_measurement(TpmDevice& tpm, unsigned pcr) {
  const auto index = TRY(runtime_pcr_of(pcr));
  return TRY(tpm.read_pcrs())
  .at(index);
}

}  // namespace coffer::evidence::tpm
