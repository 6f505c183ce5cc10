#include "evidence/az_vtpm/hcl_report.h"

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "codec/base64.h"

namespace coffer::evidence::az_vtpm {

namespace json = codec::json;

namespace {

constexpr std::string_view magic = "HCLA";
constexpr std::size_t header_size = 32;
constexpr std::size_t request_size = 20;
constexpr std::size_t max_report = 64U << 10;
constexpr std::uint32_t newest_header = 2;
constexpr std::uint32_t request_version = 1;
constexpr std::uint32_t sha256_hash = 1;
constexpr std::size_t digest_size = 32;

std::unexpected<Error> bad(std::string text) {
  return fail(AzVtpmError::bad_hcl_report, "HCL report " + std::move(text));
}

template <typename T>
Result<T> complete(Result<T> read) {
  if (!read) return bad("is too short: " + read.error().message);
  return read;
}

Result<> expect(std::string_view what, std::uint64_t found, std::uint64_t expected) {
  if (found == expected) return {};
  return bad(fmt::format("has {} {}, expected {}", what, found, expected));
}

// Its size, as the header states it.
Result<std::uint32_t> read_header(ByteReader& reader) {
  const auto signature = TRY(complete(reader.bytes(magic.size(), "signature")));
  if (as_text(signature) != magic) return bad("does not begin with \"HCLA\"");
  const auto version = TRY(complete(reader.u32_le("version")));
  if (version == 0 || version > newest_header) return bad(fmt::format("is of version {}, expected 1 or 2", version));
  const auto size = TRY(complete(reader.u32_le("size")));
  TRY(complete(reader.skip(header_size - 12, "request type and status")));
  return size;
}

std::unexpected<Error> bad_data(std::string text) {
  return fail(AzVtpmError::bad_runtime_data, "runtime data " + std::move(text));
}

Result<crypto::PublicKey> read_key(const json::Object& jwk) {
  const auto number = [&jwk](std::string_view name) -> Result<Bytes> {
    return codec::base64url_decode(TRY(json::string_member(jwk, name, "HCLAkPub")));
  };
  const auto modulus = number("n");
  const auto exponent = number("e");
  if (!modulus || !exponent) return bad_data("has an attestation key without modulus or exponent");
  auto key = crypto::PublicKey::from_rsa_components(*modulus, *exponent);
  if (!key) return bad_data("has an attestation key that is none: " + key.error().message);
  return key;
}

Result<const json::Object*> find_key(const json::Value& data) {
  const auto* keys = data.find("keys");
  const auto* list = keys == nullptr ? nullptr : keys->if_array();
  if (list == nullptr) return bad_data("has no keys");
  for (const auto& each : *list) {
    const auto* kid = each.find("kid");
    if (kid != nullptr && kid->if_string() != nullptr && *kid->if_string() == "HCLAkPub") return each.if_object();
  }
  return bad_data("has no key \"HCLAkPub\"");
}

}  // namespace

std::string_view name_of(Hardware hardware) {
  return hardware == Hardware::snp ? "SEV-SNP" : "TDX";
}

Result<HclReport> HclReport::parse(ByteView report) {
  if (report.size() > max_report) return bad(fmt::format("has {} bytes, at most {} fit", report.size(), max_report));
  ByteReader reader{report};
  const auto size = TRY(read_header(reader));
  HclReport out{};
  out.hardware_report = TRY(complete(reader.bytes(hardware_report_size, "hardware report")));
  const auto request = TRY(complete(reader.u32_le("request data size")));
  TRY(expect("request data version", TRY(complete(reader.u32_le("request data version"))), request_version));
  const auto type = TRY(complete(reader.u32_le("report type")));
  out.hardware = Hardware{type};
  if (out.hardware != Hardware::snp && out.hardware != Hardware::tdx) {
    return bad(fmt::format("is of hardware type {}, expected 2 (SEV-SNP) or 4 (TDX)", type));
  }
  TRY(expect("hash type", TRY(complete(reader.u32_le("hash type"))), sha256_hash));
  const auto data_size = TRY(complete(reader.u32_le("runtime data size")));
  out.runtime_data = TRY(complete(reader.bytes(data_size, "runtime data")));
  TRY(expect("request data size", request, request_size + data_size));
  TRY(expect("size", size, reader.offset()));
  return out;
}

Bytes HclReport::encode(std::size_t size) const {
  const auto data_size = static_cast<std::uint32_t>(runtime_data.size());
  const auto total = static_cast<std::uint32_t>(header_size + hardware_report_size + request_size) + data_size;
  ByteWriter out;
  out.bytes(as_bytes(magic)).u32_le(hardware == Hardware::snp ? 1 : 2).u32_le(total).u32_le(2).zeros(16);
  out.bytes(hardware_report).zeros(hardware_report_size - hardware_report.size());
  out.u32_le(request_size + data_size).u32_le(request_version).u32_le(static_cast<std::uint32_t>(hardware));
  out.u32_le(sha256_hash).u32_le(data_size).bytes(runtime_data);
  if (out.view().size() < size) out.zeros(size - out.view().size());
  return out.take();
}

Result<RuntimeClaims> RuntimeClaims::parse(ByteView runtime_data) {
  const auto data = json::parse(as_text(runtime_data));
  if (!data) return bad_data("is no JSON: " + data.error().message);
  const auto* jwk = TRY(find_key(*data));
  const auto* user_data = data->find("user-data");
  if (user_data == nullptr || user_data->if_string() == nullptr) return bad_data("has no user-data");
  auto bytes = codec::hex_decode(*user_data->if_string());
  if (!bytes) return bad_data("has user-data that is no hex: " + bytes.error().message);
  return RuntimeClaims {
    TRY(read_key(*jwk))
    , *std::move(bytes)
  };
}

Result<> check_runtime_data(ByteView runtime_data, ByteView report_data) {
  const auto digest = crypto::sha256(runtime_data);
  const auto stated = report_data.first(digest_size);
  if (equal(digest, stated)) return {};
  return fail(AzVtpmError::runtime_data_mismatch, "the runtime data hashes to " + codec::hex_encode(digest) +
                                                      ", but the hardware report states " + codec::hex_encode(stated));
}

}  // namespace coffer::evidence::az_vtpm
