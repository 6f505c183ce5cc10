// What a policy sees of a verified document, and what `inspect` shows of an unverified one.
#pragma once

#include "codec/json.h"
#include "evidence/nitro/document.h"

namespace coffer::evidence::nitro {

// module_id, timestamp (ms), digest, pcrs {"pcr0": hex, ...}, debug, and nonce, user_data, public_key in hex where the
// document has them.
codec::json::Object claims_of(const Payload& payload);
// The same with certificates and signature.
codec::json::Object describe(const Document& document);

}  // namespace coffer::evidence::nitro
