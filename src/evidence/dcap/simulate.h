// Intel's side in software: PCK, quoting enclave and the Provisioning Certification Service's collateral under the
// simulator's root, structurally as real ones are.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "evidence/dcap/collateral.h"
#include "evidence/dcap/pck.h"
#include "evidence/dcap/quote.h"
#include "evidence/simulated_vendor.h"
#include "evidence/simulator_root.h"

namespace coffer::evidence::dcap {

// What quotes and collateral must share.
struct SimulatedAuthority {
  SimulatorRoot root;
  SimulatorRoot pck_ca;  // "SGX PCK Platform CA", whose revocation list is part of the collateral
};
Result<SimulatedAuthority> make_simulated_authority(SimulatorRoot root, PckCa kind = PckCa::platform);
// Of the simulator's directory. Where it has no PCK CA yet, one is made and written, and collateral that holds as long
// as the root beside it: <directory>/dcap-collateral.json, for `collateral_service`.
Result<SimulatedAuthority> open_simulated_authority(const std::filesystem::path& directory);
inline constexpr std::string_view simulated_collateral_file = "dcap-collateral.json";

// Of every simulated platform: where it stands on the simulated TCB levels.
PckExtensions simulated_extensions(bool old_tcb = false);
inline constexpr std::string_view simulated_revoked_serial = "5e0001";  // on the collateral's PCK list

struct PlatformOptions {
  TimePoint now;
  PckExtensions extensions = simulated_extensions();
  bool revoked = false;          // a PCK of the serial number above
  bool expired = false;          // a PCK that ended a minute before `now`
  std::uint16_t qe_isv_svn = 8;  // 8 is up to date, from 4 on out of date
  bool foreign_qe = false;       // a quoting enclave of another signer
  Bytes authentication_data = Bytes(32, std::byte{0x20});
};

class SimulatedPlatform {
 public:
  static Result<SimulatedPlatform> create(const SimulatedAuthority& authority, Tee tee, PlatformOptions options);

  // A quote around `body` (a report of an enclave or TD, as its size says), of version 3, 4 or 5.
  Result<Bytes> quote(std::uint16_t version, ByteView body) const;
  const std::string& pck_chain() const { return pck_chain_; }

 private:
  SimulatedPlatform(Tee tee, PlatformOptions options, crypto::PrivateKey key)
      : tee_(tee), options_(std::move(options)), attestation_key_(std::move(key)) {}
  Tee tee_;
  PlatformOptions options_;
  crypto::PrivateKey attestation_key_;
  std::string pck_chain_;
  Bytes qe_certification_;  // report of the quoting enclave to the end of the PCK chain
  Bytes attestation_point_;
};

// What Intel would say, before it signs: a test changes a word and has it signed.
struct CollateralTexts {
  std::string sgx_tcb_info;
  std::string tdx_tcb_info;
  std::string qe_identity;
  std::string td_qe_identity;
};
CollateralTexts simulated_texts(TimePoint issued, TimePoint next_update);

struct CollateralRequest {
  TimePoint issued;
  TimePoint next_update;
  CollateralTexts texts = simulated_texts(issued, next_update);
  std::vector<Bytes> revoked_by_ca{};
  std::vector<Bytes> revoked_by_root{};
  bool revoke_signer = false;  // the TCB signer on the root's list
  std::string signer_name = "SGX TCB Signing";
};
// The request of a platform in good order: validity, and simulated_revoked_serial on the PCK list.
CollateralRequest simulated_collateral_request(TimePoint issued, TimePoint next_update);
// As Intel's PcsClientTool writes it, for collateral_from_json.
Result<std::string> make_collateral_json(const SimulatedAuthority& authority, const CollateralRequest& request);

// "intel-pcs" and "intel-certificates" over the authority of a simulator's directory, with collateral of the day.
std::unique_ptr<SimulatedVendor> make_simulated_pcs(const std::filesystem::path& directory);

}  // namespace coffer::evidence::dcap
