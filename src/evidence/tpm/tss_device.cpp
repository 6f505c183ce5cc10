#include "evidence/tpm/tss_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "crypto/x509.h"
#include "evidence/eventlog/agent_event_log.h"
#include "evidence/tee.h"
#include "evidence/tpm/attestation_key.h"
#include "evidence/tpm/quote.h"

namespace coffer::evidence::tpm {

namespace {

constexpr std::size_t nv_chunk = 512;  // every TPM's buffer takes this much (TPM2_PT_NV_BUFFER_MAX)
constexpr std::size_t max_nv = 16384;

Bytes bytes_of(const BYTE* data, std::size_t size) {
  return coffer::to_bytes(ByteView{reinterpret_cast<const std::byte*>(data), size});
}

// For TPM2B types of every name.
template <typename T>
T sized(ByteView content) {
  T out{};
  out.size = static_cast<UINT16>(content.size());
  std::memcpy(&out.buffer, content.data(), content.size());
  return out;
}

TPML_PCR_SELECTION select(unsigned first, unsigned count) {
  TPML_PCR_SELECTION out{};
  out.count = 1;
  out.pcrSelections[0].hash = TPM2_ALG_SHA256;
  out.pcrSelections[0].sizeofSelect = pcr_count / 8;
  for (unsigned pcr = first; pcr < first + count; ++pcr) {
    out.pcrSelections[0].pcrSelect[pcr / 8] |= static_cast<BYTE>(1U << (pcr % 8));
  }
  return out;
}

Result<Signature> signature_of(const TPMT_SIGNATURE& signature) {
  const auto unsupported = [&] {
    return fail(EvidenceError::device_failed,
                fmt::format("the TPM signed by scheme {:#x} with hash {:#x}, which no verifier takes", signature.sigAlg,
                            signature.signature.any.hashAlg));
  };
  const auto hash = eventlog::algorithm_of_id(signature.signature.any.hashAlg);
  if (!hash) return unsupported();
  const auto& rsa = signature.signature.rsassa.sig;
  switch (signature.sigAlg) {
    case TPM2_ALG_RSASSA: return Signature{crypto::SignatureScheme::rsa_pkcs1, *hash, bytes_of(rsa.buffer, rsa.size)};
    case TPM2_ALG_RSAPSS:
      return Signature{crypto::SignatureScheme::rsa_pss_any_salt, *hash, bytes_of(rsa.buffer, rsa.size)};
    case TPM2_ALG_ECDSA: {
      const auto& ec = signature.signature.ecdsa;
      return Signature{crypto::SignatureScheme::ecdsa,
                       *hash,
                       {},
                       bytes_of(ec.signatureR.buffer, ec.signatureR.size),
                       bytes_of(ec.signatureS.buffer, ec.signatureS.size)};
    }
    default: return unsupported();
  }
}

class TssDevice final : public TpmDevice {
 public:
  explicit TssDevice(TssOptions options) : options_(std::move(options)) {}

  Result<QuoteAnswer> quote(ByteView qualifying_data) override {
    if (qualifying_data.size() > sizeof(TPMU_HA)) {
      return fail(EvidenceError::device_failed, "a TPM binds at most 64 bytes into a quote");
    }
    const std::lock_guard lock{mutex_};
    const auto tpm = TRY(TssContext::open(options_.tcti));
    const AkChoice choice{options_.ak_handle, options_.ak_explicit, options_.create_ak};
    const auto key = TRY(load_attestation_key(tpm, choice, saved_key_));
    auto out = quote_by(tpm, key, qualifying_data);
    if (key.transient) tpm.library().Esys_FlushContext(tpm.esys(), key.object);
    return out;
  }

  Result<std::vector<Bytes>> read_pcrs() override {
    const std::lock_guard lock{mutex_};
    const auto tpm = TRY(TssContext::open(options_.tcti));
    std::vector<Bytes> out;
    // A TPM answers with eight at most, and may answer with fewer.
    while (out.size() < pcr_count) {
      const auto first = static_cast<unsigned>(out.size());
      const auto selection = select(first, std::min(8U, pcr_count - first));
      auto some = TRY(read_some(tpm, selection));
      if (some.empty()) return fail(EvidenceError::device_failed, "the TPM has no PCRs in its SHA-256 bank");
      std::ranges::move(some, std::back_inserter(out));
    }
    return out;
  }

  Result<> extend_pcr(unsigned pcr, ByteView digest) override {
    if (pcr >= pcr_count || digest.size() != TPM2_SHA256_DIGEST_SIZE) {
      return fail(EvidenceError::device_failed,
                  fmt::format("PCR {} cannot be extended with {} bytes: expected PCR 0 to 23 and 32 bytes", pcr,
                              digest.size()));
    }
    const std::lock_guard lock{mutex_};
    const auto tpm = TRY(TssContext::open(options_.tcti));
    TPML_DIGEST_VALUES values{};
    values.count = 1;
    values.digests[0].hashAlg = TPM2_ALG_SHA256;
    std::memcpy(values.digests[0].digest.sha256, digest.data(), digest.size());
    return TssContext::check(tpm.library().Esys_PCR_Extend(tpm.esys(), ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD,
                                                           ESYS_TR_NONE, ESYS_TR_NONE, &values),
                             fmt::format("to extend PCR {}", pcr));
  }

  Result<std::vector<Bytes>> ak_certificates() override {
    std::vector<Bytes> out;
    if (options_.ak_certificate.empty()) return out;
    const auto pem = TRY(eventlog::read_log_file(options_.ak_certificate));
    const auto chain = crypto::Certificate::chain_from_pem(pem ? coffer::to_text(*pem) : std::string{});
    if (!chain) {
      return fail(EvidenceError::bad_config,
                  "COFFER_TPM_AK_CERT names " + options_.ak_certificate.string() + ": " + chain.error().message);
    }
    for (const auto& each : *chain) out.push_back(each.der());
    return out;
  }

  Result<Bytes> read_nv(std::uint32_t index) override {
    const std::lock_guard lock{mutex_};
    const auto tpm = TRY(TssContext::open(options_.tcti));
    if (!TRY(tpm.has_handle(index))) {
      return fail(EvidenceError::no_device, fmt::format("the TPM has no NV index {:#x}", index));
    }
    const auto object = TRY(tpm.object(index));
    const auto size = TRY(nv_size(tpm, object));
    Bytes out;
    while (out.size() < size) {
      const auto part = std::min(nv_chunk, size - out.size());
      TPM2B_MAX_NV_BUFFER* raw = nullptr;
      TRY(TssContext::check(
          tpm.library().Esys_NV_Read(tpm.esys(), ESYS_TR_RH_OWNER, object, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                     static_cast<UINT16>(part), static_cast<UINT16>(out.size()), &raw),
          fmt::format("to read NV index {:#x}", index)));
      const TssPointer<TPM2B_MAX_NV_BUFFER> data{raw};
      if (data->size == 0 || data->size > part) return fail(EvidenceError::device_failed, "the TPM answers too little");
      const auto bytes = bytes_of(data->buffer, data->size);
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
  }

  Result<> write_nv(std::uint32_t index, ByteView content) override {
    const std::lock_guard lock{mutex_};
    const auto tpm = TRY(TssContext::open(options_.tcti));
    if (content.size() > nv_chunk) return fail(EvidenceError::device_failed, "too much for one NV index");
    const auto object = TRY(tpm.has_handle(index))
    ? TRY(tpm.object(index)) : TRY(define_nv(tpm, index, content.size()));
    const auto data = sized<TPM2B_MAX_NV_BUFFER>(content);
    return TssContext::check(tpm.library().Esys_NV_Write(tpm.esys(), ESYS_TR_RH_OWNER, object, ESYS_TR_PASSWORD,
                                                         ESYS_TR_NONE, ESYS_TR_NONE, &data, 0),
                             fmt::format("to write NV index {:#x}", index));
  }

 private:
  static Result<QuoteAnswer> quote_by(const TssContext& tpm, const LoadedKey& key, ByteView qualifying_data) {
    const auto data = sized<TPM2B_DATA>(qualifying_data);
    const auto selection = select(0, pcr_count);
    TPM2B_ATTEST* raw_message = nullptr;
    TPMT_SIGNATURE* raw_signature = nullptr;
    TRY(TssContext::check(tpm.library().Esys_Quote(tpm.esys(), key.object, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                                   &data, &key.scheme, &selection, &raw_message, &raw_signature),
                          "to quote"));
    const TssPointer<TPM2B_ATTEST> message{raw_message};
    const TssPointer<TPMT_SIGNATURE> signature{raw_signature};
    return QuoteAnswer {
      key.public_key.to_spki_der(), bytes_of(message->attestationData, message->size),
          encode_signature(TRY(signature_of(*signature)))
    };
  }

  static Result<std::vector<Bytes>> read_some(const TssContext& tpm, const TPML_PCR_SELECTION& selection) {
    UINT32 counter = 0;
    TPML_PCR_SELECTION* raw_selected = nullptr;
    TPML_DIGEST* raw_values = nullptr;
    TRY(TssContext::check(tpm.library().Esys_PCR_Read(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &selection,
                                                      &counter, &raw_selected, &raw_values),
                          "to read its PCRs"));
    const TssPointer<TPML_PCR_SELECTION> selected{raw_selected};
    const TssPointer<TPML_DIGEST> values{raw_values};
    std::vector<Bytes> out;
    for (UINT32 i = 0; i < values->count; ++i) {
      out.push_back(bytes_of(values->digests[i].buffer, values->digests[i].size));
    }
    return out;
  }

  static Result<std::size_t> nv_size(const TssContext& tpm, ESYS_TR object) {
    TPM2B_NV_PUBLIC* raw = nullptr;
    TRY(TssContext::check(
        tpm.library().Esys_NV_ReadPublic(tpm.esys(), object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &raw, nullptr),
        "to describe an NV index"));
    const TssPointer<TPM2B_NV_PUBLIC> area{raw};
    if (area->nvPublic.dataSize > max_nv) return fail(EvidenceError::device_failed, "an NV index is too large");
    return area->nvPublic.dataSize;
  }

  static Result<ESYS_TR> define_nv(const TssContext& tpm, TPM2_HANDLE index, std::size_t size) {
    TPM2B_NV_PUBLIC area{};
    area.nvPublic.nvIndex = index;
    area.nvPublic.nameAlg = TPM2_ALG_SHA256;
    area.nvPublic.attributes = TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD;
    area.nvPublic.dataSize = static_cast<UINT16>(size);
    const TPM2B_AUTH no_password{};
    ESYS_TR out = ESYS_TR_NONE;
    TRY(TssContext::check(tpm.library().Esys_NV_DefineSpace(tpm.esys(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
                                                            ESYS_TR_NONE, ESYS_TR_NONE, &no_password, &area, &out),
                          fmt::format("to define NV index {:#x}", index)));
    return out;
  }

  TssOptions options_;
  std::mutex mutex_;
  std::optional<TPMS_CONTEXT> saved_key_;
};

}  // namespace

std::unique_ptr<TpmDevice> make_tss_device(TssOptions options) {
  return std::make_unique<TssDevice>(std::move(options));
}

}  // namespace coffer::evidence::tpm
