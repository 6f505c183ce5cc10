// What a verifier asks of Intel's Provisioning Certification Service (API version 4), and sources of it that need no
// network.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "evidence/collateral.h"
#include "evidence/dcap/pck.h"
#include "evidence/dcap/quote.h"

namespace coffer::evidence::dcap {

// Which TCB recovery counts: `early` as soon as Intel publishes it, `standard` months later.
enum class TcbUpdate { early, standard };

struct CollateralQuestion {
  Tee tee;
  std::array<std::uint8_t, 6> fmspc;
  PckCa ca;
  TcbUpdate update = TcbUpdate::early;
  // A caching service (PCCS) has the root's revocation list among its own paths, Intel has it on another host.
  bool caching_service = false;
};

// Kinds "intel-tcb-info", "intel-qe-identity", "intel-pck-crl", "intel-root-crl".
CollateralItem tcb_info_item(const CollateralQuestion& question);
CollateralItem qe_identity_item(const CollateralQuestion& question);
CollateralItem pck_crl_item(const CollateralQuestion& question);
CollateralItem root_crl_item(const CollateralQuestion& question);

// A source made of one file:
// - quote collateral as verification libraries exchange it: {"pck_crl_issuer_chain","root_ca_crl","pck_crl" (hex),
//   "tcb_info_issuer_chain","tcb_info","tcb_info_signature","qe_identity_issuer_chain","qe_identity",
//   "qe_identity_signature"}: one platform's;
// - what Intel's PcsClientTool writes: {"collaterals":{"tcbinfos":[...],"pckcacrl":{...},"tdqeidentity",...}}.
// It answers whatever time is asked for, so that what has expired is seen as such. CollateralError::not_found for what
// it does not hold. bad_config where the text is of neither form.
Result<std::shared_ptr<Collateral>> collateral_from_json(std::string_view text);
Result<std::shared_ptr<Collateral>> collateral_from_file(const std::filesystem::path& path);
// The same, read again once the file has changed. While what stands there cannot be read, what stood there before
// answers, and a warning `dcap.collateral_file` says so once for each such change.
Result<std::shared_ptr<Collateral>> collateral_following_file(const std::filesystem::path& path);

// Where verifier_config's dcap_verifier.collateral_service is the URL of a service: its origin, of which upstream takes
// no more either, and which is the base URL of "intel-pcs". Nothing for a file, or where there is none.
std::optional<std::string> configured_service(const codec::json::Object& verifier_config);

}  // namespace coffer::evidence::dcap
