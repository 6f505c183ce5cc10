// The attestation document of an AWS Nitro enclave (aws-nitro-enclaves-nsm-api, docs/attestation_process.md): a
// COSE_Sign1 around a CBOR map.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/cose.h"
#include "evidence/nitro/error.h"

namespace coffer::evidence::nitro {

inline constexpr std::size_t max_document = 0x3000;  // what the Nitro Secure Module's driver can return
inline constexpr std::size_t pcr_size = 48;          // of the only digest in use, SHA-384

struct Payload {
  std::string module_id;
  std::uint64_t timestamp_ms = 0;  // since 1970
  std::string digest;              // "SHA384"
  std::map<unsigned, Bytes> pcrs;  // by index, at most 31
  Bytes certificate;               // DER
  std::vector<Bytes> cabundle;     // DER, root first
  std::optional<Bytes> public_key{};
  std::optional<Bytes> user_data{};
  std::optional<Bytes> nonce{};

  // The enclave runs with a console: the module reports all of PCR0 as zero.
  bool debug() const;
  TimePoint timestamp() const;
};

struct Document {
  codec::cose::Sign1 message;
  Payload payload;
};

// Shape and bounds only; nothing is verified. not_a_document, bad_header, bad_payload, bad_pcrs.
Result<Document> parse_document(ByteView document);
Result<Payload> parse_payload(ByteView payload);
// As the module encodes it; for the simulator.
Bytes encode_payload(const Payload& payload);

}  // namespace coffer::evidence::nitro
