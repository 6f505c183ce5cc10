#include "codec/cose.h"

#include <algorithm>
#include <array>

namespace coffer::codec::cose {
namespace {

using crypto::SignatureAlgorithm;

constexpr std::uint64_t sign1_tag = 18;      // RFC 9052 section 2
constexpr std::int64_t label_algorithm = 1;  // section 3.1
constexpr std::int64_t label_critical = 2;
constexpr std::int64_t label_content_type = 3;
constexpr std::int64_t label_key_id = 4;

struct Identifier {
  SignatureAlgorithm algorithm;
  std::int64_t number;
};

// RFC 9053 section 2, RFC 8230 section 2, RFC 8812 section 2.
constexpr std::array identifiers{
    Identifier{SignatureAlgorithm::es256, -7},   Identifier{SignatureAlgorithm::es384, -35},
    Identifier{SignatureAlgorithm::es512, -36},  Identifier{SignatureAlgorithm::eddsa, -8},
    Identifier{SignatureAlgorithm::ps256, -37},  Identifier{SignatureAlgorithm::ps384, -38},
    Identifier{SignatureAlgorithm::ps512, -39},  Identifier{SignatureAlgorithm::rs256, -257},
    Identifier{SignatureAlgorithm::rs384, -258}, Identifier{SignatureAlgorithm::rs512, -259},
};

std::int64_t number_of(SignatureAlgorithm algorithm) {
  return std::find_if(identifiers.begin(), identifiers.end(),
                      [&](const Identifier& i) { return i.algorithm == algorithm; })
      ->number;
}

std::optional<SignatureAlgorithm> algorithm_in(const cbor::Value& header) {
  const auto* value = header.find(label_algorithm);
  const auto number = value == nullptr ? std::nullopt : value->if_int64();
  const auto* found =
      std::find_if(identifiers.begin(), identifiers.end(), [&](const Identifier& i) { return i.number == number; });
  if (!number || found == identifiers.end()) return std::nullopt;
  return found->algorithm;
}

std::unexpected<Error> malformed(std::string message) {
  return fail(CoseError::malformed, std::move(message));
}

Result<cbor::Value> parse_cbor(ByteView data, std::string_view what) {
  // A COSE_Sign1 is a few headers around byte strings; a bound on items bounds the comparison of labels.
  auto value = cbor::parse(data, {.max_items = 512});
  if (value) return value;
  return malformed(std::string{what} + ": " + value.error().message);
}

// The four elements, with or without the tag (section 4.2).
Result<const cbor::Array*> elements_of(const cbor::Value& message) {
  const auto* tagged = message.if_tagged();
  if (tagged != nullptr && tagged->tag != sign1_tag) {
    return malformed("a COSE_Sign1 must have the tag 18, and has " + std::to_string(tagged->tag));
  }
  const auto* array = (tagged == nullptr ? message : tagged->content).if_array();
  if (array == nullptr || array->size() != 4) return malformed("a COSE_Sign1 must be an array of four elements");
  return array;
}

Result<const Bytes*> byte_string(const cbor::Value& value, std::string_view what) {
  if (const auto* bytes = value.if_bytes()) return bytes;
  return malformed(std::string{what} + " must be a byte string");
}

Result<cbor::Value> header_map(cbor::Value value, std::string_view what) {
  if (value.if_map() != nullptr) return value;
  return malformed(std::string{what} + " must be a map");
}

// Section 3: a label must not occur in both maps.
Result<> check_distinct_labels(const cbor::Map& protected_header, const cbor::Map& unprotected_header) {
  for (const auto& [label, value] : unprotected_header) {
    const auto same = [&](const auto& entry) { return entry.first == label; };
    if (std::any_of(protected_header.begin(), protected_header.end(), same)) {
      return malformed("a label stands in the protected and in the unprotected header");
    }
  }
  return {};
}

bool is_understood(const cbor::Value& label) {
  const auto number = label.if_int64();
  return number == label_algorithm || number == label_content_type || number == label_key_id;
}

// Section 3.1, "crit": a protected array of labels that the receiver must understand, each of which stands in the
// protected header itself.
Result<> check_critical(const Sign1& message) {
  if (message.unprotected_header.find(label_critical) != nullptr) {
    return fail(CoseError::critical_header, "crit must stand in the protected header");
  }
  const auto* critical = message.protected_header.find(label_critical);
  if (critical == nullptr) return {};
  const auto* labels = critical->if_array();
  const auto is_there = [&](const cbor::Value& label) {
    return is_understood(label) && message.protected_header.find(*label.if_int64()) != nullptr;
  };
  if (labels == nullptr || labels->empty() || !std::all_of(labels->begin(), labels->end(), is_there)) {
    return fail(CoseError::critical_header,
                "crit names a label that is not known here, or that the protected header lacks");
  }
  return {};
}

Result<> check_algorithm(const Sign1& message, const crypto::PublicKey& key,
                         std::span<const SignatureAlgorithm> allowed) {
  if (!message.algorithm) {
    return fail(CoseError::unsupported_algorithm,
                "the protected header names no signature algorithm that is known here");
  }
  if (std::find(allowed.begin(), allowed.end(), *message.algorithm) == allowed.end()) {
    return fail(CoseError::algorithm_not_allowed,
                "the signature algorithm " + std::to_string(number_of(*message.algorithm)) + " is not allowed here");
  }
  if (crypto::fits(*message.algorithm, key.kind())) return {};
  return fail(CoseError::algorithm_not_allowed,
              "the signature algorithm " + std::to_string(number_of(*message.algorithm)) +
                  " does not belong to a key of kind " + std::string{crypto::name_of(key.kind())});
}

// Sig_structure (section 4.4). (Its rule for an empty protected header never applies: the algorithm must be in there.)
Bytes to_be_signed(ByteView protected_bytes, ByteView external_aad, ByteView payload) {
  return cbor::encode(cbor::Array{"Signature1", to_bytes(protected_bytes), to_bytes(external_aad), to_bytes(payload)});
}

Result<ByteView> signed_payload(const Sign1& message, std::optional<ByteView> payload) {
  if (message.detached && !payload) return malformed("the payload is detached, and none was given");
  if (!message.detached && payload) return malformed("the message has a payload, and another was given");
  return message.detached ? *payload : ByteView{message.payload};
}

}  // namespace

std::string_view code_name(CoseError code) {
  switch (code) {
    case CoseError::malformed: return "cose.malformed";
    case CoseError::unsupported_algorithm: return "cose.unsupported_algorithm";
    case CoseError::algorithm_not_allowed: return "cose.algorithm_not_allowed";
    case CoseError::bad_signature: return "cose.bad_signature";
    case CoseError::critical_header: return "cose.critical_header";
  }
  return "cose.unknown";
}

Result<Sign1> Sign1::parse(ByteView data) {
  const auto value = TRY(parse_cbor(data, "COSE_Sign1"));
  const auto& elements = *TRY(elements_of(value));
  Sign1 message;
  message.protected_bytes = *TRY(byte_string(elements[0], "the protected header"));
  message.protected_header = cbor::Map{};
  if (!message.protected_bytes.empty()) {
    auto header = TRY(parse_cbor(message.protected_bytes, "the protected header"));
    message.protected_header = TRY(header_map(std::move(header), "the protected header"));
  }
  message.unprotected_header = TRY(header_map(elements[1], "the unprotected header"));
  TRY(check_distinct_labels(*message.protected_header.if_map(), *message.unprotected_header.if_map()));
  message.detached = elements[2].is_null();
  if (!message.detached) message.payload = *TRY(byte_string(elements[2], "the payload"));
  message.signature = *TRY(byte_string(elements[3], "the signature"));
  message.algorithm = algorithm_in(message.protected_header);
  return message;
}

Result<> verify(const Sign1& message, const crypto::PublicKey& key, std::span<const SignatureAlgorithm> allowed,
                ByteView external_aad, std::optional<ByteView> payload) {
  TRY(check_critical(message));
  TRY(check_algorithm(message, key, allowed));
  const auto content = TRY(signed_payload(message, payload));
  const auto signed_bytes = to_be_signed(message.protected_bytes, external_aad, content);
  if (message.algorithm && key.verify(*message.algorithm, signed_bytes, message.signature)) return {};
  return fail(CoseError::bad_signature, "the COSE_Sign1 signature does not verify");
}

Result<Bytes> sign(ByteView payload, const crypto::PrivateKey& key, SignatureAlgorithm algorithm, cbor::Map unprotected,
                   ByteView external_aad) {
  if (!crypto::fits(algorithm, key.kind())) {
    return fail(CoseError::algorithm_not_allowed, "the algorithm " + std::to_string(number_of(algorithm)) +
                                                      " does not belong to a key of kind " +
                                                      std::string{crypto::name_of(key.kind())});
  }
  const auto header = cbor::encode(cbor::Map{{label_algorithm, number_of(algorithm)}});
  auto signature = TRY(key.sign(algorithm, to_be_signed(header, external_aad, payload)));
  return cbor::encode(cbor::Value::tagged(
      sign1_tag, cbor::Array{header, std::move(unprotected), to_bytes(payload), std::move(signature)}));
}

}  // namespace coffer::codec::cose
