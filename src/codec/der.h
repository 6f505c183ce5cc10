// A small reader and writer for DER (X.690): enough for evidence formats that nest TLVs inside certificates and quotes.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/byte_reader.h"

namespace coffer::codec::der {

enum class DerError { malformed, wrong_tag };
std::string_view code_name(DerError code);

struct Element {
  std::uint8_t tag;  // the identifier octet: 0x30 SEQUENCE, 0x02 INTEGER, 0x04 OCTET STRING, 0x06 OID, 0xa0.. context
  ByteView content;
  ByteView whole;  // header and content
};

class Reader {
 public:
  explicit Reader(ByteView data) : reader_(data) {}
  bool at_end() const { return reader_.at_end(); }
  Result<Element> next();  // definite, minimal lengths only
  Result<Element> expect(std::uint8_t tag, std::string_view what);
  Result<> expect_end(std::string_view what) const { return reader_.expect_end(what); }

 private:
  ByteReader reader_;
};

// The content of an OBJECT IDENTIFIER in dotted form, "1.2.840.113741.1.13.1".
Result<std::string> oid_text(ByteView content);
// The content of an INTEGER from 0 to 2^64 - 1.
Result<std::uint64_t> unsigned_integer(ByteView content);
// The content of an INTEGER of any size from 0, big-endian without leading zeros; one zero byte for 0.
Result<ByteView> unsigned_bytes(ByteView content);
Result<bool> boolean(ByteView content);
// The octets of a BIT STRING that is made of whole octets.
Result<ByteView> bit_string_octets(ByteView content);

// Whole elements, header and content. Sizes stay under 4 GiB.
Bytes encode(std::uint8_t tag, ByteView content);
Bytes encode_sequence(std::initializer_list<ByteView> elements);
Bytes encode_octet_string(ByteView content);
Bytes encode_integer(std::uint64_t value);
// A big-endian number without sign, of any size; empty is 0.
Bytes encode_integer(ByteView magnitude);
// From dotted form. DerError::malformed where it has no two arcs, or an arc is out of its range (X.660 section 7.6) or
// over 64 bits.
Result<Bytes> encode_oid(std::string_view dotted);

}  // namespace coffer::codec::der
