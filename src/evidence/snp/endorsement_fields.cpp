#include "codec/base64.h"
#include "codec/der.h"
#include "evidence/snp/endorsement.h"

namespace coffer::evidence::snp {

namespace der = codec::der;

namespace {

constexpr std::string_view amd_arc = "1.3.6.1.4.1.3704.1.";
constexpr std::uint8_t integer_tag = 0x02;
constexpr std::uint8_t octet_string_tag = 0x04;

std::unexpected<Error> bad(std::string_view what) {
  return fail(SnpError::bad_certificate, "the endorsement key's certificate " + std::string{what});
}

Result<Bytes> extension(const crypto::Certificate& certificate, std::string_view arc) {
  auto value = certificate.extension(std::string{amd_arc} + std::string{arc});
  if (!value) return bad("lacks the extension " + std::string{amd_arc} + std::string{arc});
  return *std::move(value);
}

// The one DER element that fills `value`, or nothing.
std::optional<der::Element> whole_element(ByteView value) {
  der::Reader reader{value};
  auto element = reader.next();
  if (!element || !reader.at_end()) return std::nullopt;
  return *element;
}

Result<std::uint8_t> byte_extension(const crypto::Certificate& certificate, std::string_view arc) {
  const auto value = TRY(extension(certificate, arc));
  if (value.size() == 1) return std::to_integer<std::uint8_t>(value[0]);
  const auto element = whole_element(value);
  if (element && element->tag == octet_string_tag && element->content.size() == 1) {
    return std::to_integer<std::uint8_t>(element->content[0]);
  }
  const auto number =
      element && element->tag == integer_tag ? der::unsigned_integer(element->content) : Result<std::uint64_t>{256};
  if (number && *number <= 255) return static_cast<std::uint8_t>(*number);
  return bad("has no byte in the extension " + std::string{amd_arc} + std::string{arc} + ": " +
             codec::hex_encode(ByteView{value}.first(std::min<std::size_t>(value.size(), 16))));
}

Result<Bytes> hardware_id(const crypto::Certificate& certificate, std::size_t size) {
  auto value = TRY(extension(certificate, "4"));
  if (value.size() == size) return value;
  const auto element = whole_element(value);
  if (element && element->tag == octet_string_tag && element->content.size() == size) {
    return to_bytes(element->content);
  }
  return bad("has a hardware identifier of " + std::to_string(value.size()) + " bytes, expected are " +
             std::to_string(size));
}

// IA5String "Milan-B0", or the bare text.
Result<Product> product(const crypto::Certificate& certificate) {
  const auto value = TRY(extension(certificate, "2"));
  const auto element = whole_element(value);
  const auto text = as_text(element ? element->content : ByteView{value});
  if (const auto product = product_of_text(text)) return *product;
  return fail(SnpError::unsupported_product,
              "the endorsement key's certificate is for a product line whose root is not known here: " +
                  codec::hex_encode(as_bytes(text.substr(0, 32))));
}

Result<TcbVersion> tcb(const crypto::Certificate& certificate, Product product) {
  TcbVersion out;
  out.bootloader = TRY(byte_extension(certificate, "3.1"));
  out.tee = TRY(byte_extension(certificate, "3.2"));
  out.snp = TRY(byte_extension(certificate, "3.3"));
  out.microcode = TRY(byte_extension(certificate, "3.8"));
  if (product == Product::turin) out.fmc = TRY(byte_extension(certificate, "3.9"));
  return out;
}

Result<SigningKey> kind(const crypto::Certificate& certificate) {
  const auto name = certificate.subject_attribute("2.5.4.3").value_or("");
  if (name == "SEV-VCEK") return SigningKey::vcek;
  if (name == "SEV-VLEK") return SigningKey::vlek;
  return bad("is expected to be that of SEV-VCEK or SEV-VLEK, found " + certificate.subject());
}

}  // namespace

Result<EndorsementFields> read_endorsement(const crypto::Certificate& certificate) {
  EndorsementFields out {
    .kind = TRY(kind(certificate))
    , .product = TRY(product(certificate))
    , .tcb = {}
  };
  out.tcb = TRY(tcb(certificate, out.product));
  if (out.kind == SigningKey::vcek) {
    out.hardware_id = TRY(hardware_id(certificate, out.product == Product::turin ? 8 : 64));
  }
  return out;
}

}  // namespace coffer::evidence::snp
