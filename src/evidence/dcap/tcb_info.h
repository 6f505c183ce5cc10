// TCB info and enclave identities as Intel's Provisioning Certification Service states them (PCS API version 4). The
// signature is over the exact bytes received, so both are found in the text before they are read.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "evidence/dcap/quote.h"
#include "evidence/dcap/tcb_status.h"

namespace coffer::evidence::dcap {

struct SignedText {
  std::string_view text;  // what is signed: the member's value, byte for byte
  Bytes signature;        // 64, r || s
};
// {"<member>":{...},"signature":"<hex>"}; views into `document`. `code` for what is not of that form.
Result<SignedText> find_signed_text(std::string_view document, std::string_view member, DcapError code);

using Components = std::array<std::uint8_t, 16>;

struct TcbLevel {
  Components sgx;
  Components tdx{};  // zeros in TCB info for SGX
  std::uint16_t pce_svn;
  TcbStatus status;
  TimePoint date;
  std::vector<std::string> advisories;
};

// A level of something with one SVN: a quoting enclave, a TDX module.
struct SvnLevel {
  std::uint16_t isv_svn;
  TcbStatus status;
  TimePoint date;
  std::vector<std::string> advisories;
};

struct TdxModule {
  std::uint8_t version;  // 0 for `tdxModule`, n of "TDX_0n" for `tdxModuleIdentities`
  std::array<std::uint8_t, 48> mr_signer;
  std::array<std::uint8_t, 8> attributes;
  std::array<std::uint8_t, 8> attributes_mask;
  std::vector<SvnLevel> levels{};  // none for `tdxModule`
};

struct TcbInfo {
  Tee tee;
  TimePoint issued;
  TimePoint next_update;
  std::array<std::uint8_t, 6> fmspc;
  std::array<std::uint8_t, 2> pce_id;
  std::uint32_t evaluation_number;
  std::vector<TdxModule> modules{};  // for TDX; version 0 first
  std::vector<TcbLevel> levels;      // newest first, as Intel sorts them
};
// Version 3 of the structure, tcbType 0. bad_tcb_info.
Result<TcbInfo> parse_tcb_info(std::string_view text);

struct EnclaveIdentity {
  Tee tee;  // id QE or TD_QE
  TimePoint issued;
  TimePoint next_update;
  std::uint32_t evaluation_number;
  std::array<std::uint8_t, 4> misc_select, misc_select_mask;  // in the byte order of a report
  std::array<std::uint8_t, 16> attributes, attributes_mask;
  std::array<std::uint8_t, 32> mr_signer;
  std::uint16_t isv_prod_id;
  std::vector<SvnLevel> levels;
};
// Version 2 of the structure. bad_qe_identity.
Result<EnclaveIdentity> parse_enclave_identity(std::string_view text);

}  // namespace coffer::evidence::dcap
