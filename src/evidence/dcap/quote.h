// ECDSA quotes as Intel's quoting enclaves make them: version 3 for SGX enclaves, versions 4 and 5 for TDs and enclaves
// (Intel SGX ECDSA QuoteLibReference appendix A; Intel TDX DCAP Quoting Library API appendix A.3). Parsing checks
// shapes and lengths alone.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/json.h"
#include "evidence/dcap/error.h"

namespace coffer::evidence::dcap {

enum class Tee { sgx, tdx };  // header.tee_type 0x00000000 and 0x00000081
std::string_view name_of(Tee tee);

// All members view the parsed bytes, integers in them are little-endian.
struct QuoteHeader {
  ByteView version;               // 2
  ByteView attestation_key_type;  // 2
  ByteView tee_type;              // 4
  ByteView reserved;              // 4; in version 3 the quoting enclave's and the PCE's SVN, 2 bytes each
  ByteView vendor_id;             // 16
  ByteView user_data;             // 20
};

// REPORTBODY of an enclave, 384 bytes.
struct SgxReport {
  ByteView cpu_svn;           // 16
  ByteView misc_select;       // 4
  ByteView reserved1;         // 12
  ByteView isv_ext_prod_id;   // 16
  ByteView attributes_flags;  // 8
  ByteView attributes_xfrm;   // 8
  ByteView mr_enclave;        // 32
  ByteView reserved2;         // 32
  ByteView mr_signer;         // 32
  ByteView reserved3;         // 32
  ByteView config_id;         // 64
  ByteView isv_prod_id;       // 2
  ByteView isv_svn;           // 2
  ByteView config_svn;        // 2
  ByteView reserved4;         // 42
  ByteView isv_family_id;     // 16
  ByteView report_data;       // 64
};

// TDREPORT of a TD: 584 bytes for TDX 1.0, 648 for 1.5.
struct TdReport {
  ByteView tee_tcb_svn;          // 16; byte 0 the TDX module's SVN, byte 1 its major version
  ByteView mr_seam;              // 48
  ByteView mr_signer_seam;       // 48
  ByteView seam_attributes;      // 8
  ByteView td_attributes;        // 8
  ByteView xfam;                 // 8
  ByteView mr_td;                // 48
  ByteView mr_config_id;         // 48
  ByteView mr_owner;             // 48
  ByteView mr_owner_config;      // 48
  std::array<ByteView, 4> rtmr;  // 48 each
  ByteView report_data;          // 64
  // TDX 1.5: the TCB of the module now running, after a TD-preserving update, and the hash of bound service TDs.
  struct Tdx15 {
    ByteView tee_tcb_svn2;   // 16
    ByteView mr_service_td;  // 48
  };
  std::optional<Tdx15> tdx15;
};

struct Quote {
  Tee tee;
  std::uint16_t version;  // 3, 4, 5
  QuoteHeader header;
  // Version 5 names its body: type 1 enclave, 2 TD 1.0, 3 TD 1.5, and its size.
  struct BodyDescriptor {
    ByteView type;  // 2
    ByteView size;  // 4
  };
  std::optional<BodyDescriptor> descriptor;
  std::variant<SgxReport, TdReport> body;

  ByteView signed_part;      // header to body
  ByteView signature;        // 64, r || s by the attestation key
  ByteView attestation_key;  // 64, x || y on P-256
  ByteView qe_report_bytes;  // 384
  SgxReport qe_report;
  ByteView qe_report_signature;     // 64, by the PCK
  ByteView qe_authentication_data;  // at most 65535
  ByteView pck_chain;               // PEM: PCK certificate, its CA, the root (certification data type 5)
  ByteView certification;           // attestation key to the end of certification data: the same for all quotes of
                                    // one quoting enclave until it renews its key

  const SgxReport* sgx() const { return std::get_if<SgxReport>(&body); }
  const TdReport* td() const { return std::get_if<TdReport>(&body); }
};

// Far above what any platform makes (about 5 KiB).
inline constexpr std::size_t max_quote_size = 64U << 10;

// Zero bytes after the quote are passed over, as buffers of fixed size leave them; any other rest is malformed_quote.
// `quote` must outlive what is returned. malformed_quote, unsupported_quote, unsupported_certification.
Result<Quote> parse_quote(ByteView quote);

// Upstream's claims (trustee.md 7): {"header":{...},"body":{...}} in hex, for a TD of a version 5 quote also "type" and
// "size". Names differ between TEEs: "attributes.flags" of an enclave, "td_attributes" of a TD.
codec::json::Object quote_claims(const Quote& quote);
// Every field, those of the certification data included, for people.
codec::json::Object describe(const Quote& quote);

}  // namespace coffer::evidence::dcap
