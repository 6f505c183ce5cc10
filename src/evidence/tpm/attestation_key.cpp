#include "evidence/tpm/attestation_key.h"

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/log.h"
#include "evidence/tee.h"

namespace coffer::evidence::tpm {

namespace {

ByteView view(const BYTE* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

constexpr std::uint32_t default_exponent = 65537;

std::unexpected<Error> unusable(std::string_view why) {
  return fail(EvidenceError::device_failed, "the TPM's attestation key " + std::string{why});
}

Result<crypto::PublicKey> public_key_of(const TPMT_PUBLIC& area) {
  if (area.type == TPM2_ALG_RSA) {
    const auto given = area.parameters.rsaDetail.exponent;
    const auto exponent = ByteWriter{}.u32_be(given == 0 ? default_exponent : given).take();
    return crypto::PublicKey::from_rsa_components(view(area.unique.rsa.buffer, area.unique.rsa.size),
                                                  ByteView{exponent}.subspan(exponent[0] == std::byte{0} ? 1 : 0));
  }
  const auto curve = area.parameters.eccDetail.curveID;
  if (area.type != TPM2_ALG_ECC || (curve != TPM2_ECC_NIST_P256 && curve != TPM2_ECC_NIST_P384)) {
    return unusable("is neither RSA nor on P-256 or P-384");
  }
  return crypto::PublicKey::from_ec_numbers(
      curve == TPM2_ECC_NIST_P256 ? crypto::KeyKind::ec_p256 : crypto::KeyKind::ec_p384,
      view(area.unique.ecc.x.buffer, area.unique.ecc.x.size), view(area.unique.ecc.y.buffer, area.unique.ecc.y.size));
}

// Upstream's verifiers know RSASSA with SHA-256 alone; a key with a scheme of its own signs by that one.
TPMT_SIG_SCHEME scheme_of(const TPMT_PUBLIC& area) {
  TPMT_SIG_SCHEME out{};
  out.scheme = area.type == TPM2_ALG_RSA ? TPM2_ALG_RSASSA : TPM2_ALG_ECDSA;
  out.details.any.hashAlg = TPM2_ALG_SHA256;
  const auto own = area.parameters.asymDetail.scheme;
  if (own.scheme == TPM2_ALG_NULL) return out;
  out.scheme = own.scheme;
  out.details.any.hashAlg = own.details.anySig.hashAlg;
  return out;
}

Result<LoadedKey> describe(const TssContext& tpm, ESYS_TR object, bool transient) {
  TPM2B_PUBLIC* raw = nullptr;
  TRY(TssContext::check(tpm.library().Esys_ReadPublic(tpm.esys(), object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                                      &raw, nullptr, nullptr),
                        "to read the attestation key"));
  const TssPointer<TPM2B_PUBLIC> read{raw};
  const auto& area = read->publicArea;
  // Only a restricted key refuses to sign what merely looks as if the TPM had made it (part 1, section 31.5).
  constexpr TPMA_OBJECT needed = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM;
  if ((area.objectAttributes & needed) != needed) return unusable("is no restricted signing key of this TPM alone");
  return LoadedKey {
    object, transient, TRY(public_key_of(area))
    , scheme_of(area)
  };
}

TPM2B_PUBLIC key_template() {
  TPM2B_PUBLIC out{};
  auto& area = out.publicArea;
  area.type = TPM2_ALG_RSA;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM |
                          TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH;
  auto& rsa = area.parameters.rsaDetail;
  rsa.symmetric.algorithm = TPM2_ALG_NULL;
  rsa.scheme.scheme = TPM2_ALG_RSASSA;
  rsa.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
  rsa.keyBits = 2048;
  return out;
}

Result<ESYS_TR> derive(const TssContext& tpm) {
  const auto wanted = key_template();
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  ESYS_TR out = ESYS_TR_NONE;
  TRY(TssContext::check(
      tpm.library().Esys_CreatePrimary(tpm.esys(), ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                       &sensitive, &wanted, &outside, &pcrs, &out, nullptr, nullptr, nullptr, nullptr),
      "to derive an attestation key"));
  return out;
}

// Of the derived key, so that the next call need not derive it again; a TPM without room for it is no error.
void save(const TssContext& tpm, ESYS_TR object, std::optional<TPMS_CONTEXT>& saved) {
  TPMS_CONTEXT* raw = nullptr;
  if (tpm.library().Esys_ContextSave(tpm.esys(), object, &raw) != TSS2_RC_SUCCESS) return;
  saved = *TssPointer<TPMS_CONTEXT>{raw};
}

Result<LoadedKey> load_derived(const TssContext& tpm, std::optional<TPMS_CONTEXT>& saved) {
  ESYS_TR object = ESYS_TR_NONE;
  if (saved && tpm.library().Esys_ContextLoad(tpm.esys(), &*saved, &object) == TSS2_RC_SUCCESS) {
    return describe(tpm, object, true);
  }
  object = TRY(derive(tpm));
  save(tpm, object, saved);
  auto out = TRY(describe(tpm, object, true));
  log::info("tpm.ak_derived", "the attestation key is derived from the TPM's endorsement seed", {});
  return out;
}

Result<LoadedKey> create_persistent(const TssContext& tpm, TPM2_HANDLE handle) {
  const auto derived = TRY(derive(tpm));
  ESYS_TR persistent = ESYS_TR_NONE;
  const auto kept =
      TssContext::check(tpm.library().Esys_EvictControl(tpm.esys(), ESYS_TR_RH_OWNER, derived, ESYS_TR_PASSWORD,
                                                        ESYS_TR_NONE, ESYS_TR_NONE, handle, &persistent),
                        fmt::format("to keep the attestation key at {:#x}", handle));
  tpm.library().Esys_FlushContext(tpm.esys(), derived);
  TRY(kept);
  log::info("tpm.ak_created", "an attestation key is made persistent", {{"handle", fmt::format("{:#x}", handle)}});
  return describe(tpm, persistent, false);
}

}  // namespace

Result<LoadedKey> load_attestation_key(const TssContext& tpm, const AkChoice& choice,
                                       std::optional<TPMS_CONTEXT>& saved) {
  if (TRY(tpm.has_handle(choice.handle))) return describe(tpm, TRY(tpm.object(choice.handle)), false);
  if (choice.create) return create_persistent(tpm, choice.handle);
  if (!choice.explicitly) return load_derived(tpm, saved);
  return fail(EvidenceError::no_device, fmt::format("the TPM has no attestation key at {:#x}, which AA_TPM_AK_HANDLE "
                                                    "names; COFFER_TPM_CREATE_AK=1 makes one",
                                                    choice.handle));
}

}  // namespace coffer::evidence::tpm
