#include "evidence/tpm/device.h"

#include "evidence/tee.h"
#include "evidence/tpm/quote.h"

namespace coffer::evidence::tpm {

Result<ConsistentQuote> quote_consistently(TpmDevice& device, ByteView qualifying_data) {
  constexpr int attempts = 3;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    ConsistentQuote out {
      TRY(device.quote(qualifying_data))
      , TRY(device.read_pcrs())
    };
    const auto quote = parse_quote(out.answer.message);
    const auto signature = parse_signature(out.answer.signature);
    if (!quote || !signature) {
      return fail(EvidenceError::device_failed,
                  "the TPM's quote does not parse: " + (quote ? signature.error() : quote.error()).message);
    }
    const auto checked = check_pcrs(*quote, out.pcrs, signature->hash);
    if (checked) return out;
    if (checked.error().code != TpmError::pcr_digest_mismatch) {
      return fail(EvidenceError::device_failed, "the TPM's quote does not fit its PCRs: " + checked.error().message);
    }
  }
  return fail(EvidenceError::device_failed, "the TPM's PCRs changed between quoting and reading, each of three times");
}

}  // namespace coffer::evidence::tpm
