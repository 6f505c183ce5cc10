// The collection in which a realm gets its two tokens, in both forms that firmware gives: a map under CBOR tag 399
// (RMM specification 1.0; draft-ffm-rats-cca-token-00, -01), and a CMW collection under tag 907 (-02 and later;
// draft-ietf-rats-msg-wrap), in which each token stands beside its media type.
#pragma once

#include "codec/cbor.h"
#include "evidence/cca/error.h"

namespace coffer::evidence::cca {

enum class Wrapping { plain, cmw };

struct Collection {
  Bytes platform;
  Bytes realm;
};

// At most max_token bytes; exactly these two tokens, of type application/eat+cwt where a type is named. not_a_token.
Result<Collection> parse_collection(ByteView token);
Bytes encode(const Collection& tokens, Wrapping wrapping);

}  // namespace coffer::evidence::cca
