#include "fleet/error.h"

#include <utility>

namespace coffer::fleet {

std::string_view code_name(FleetError code) {
  switch (code) {
    case FleetError::bad_payload: return "fleet.bad_payload";
    case FleetError::missing_member: return "fleet.missing_member";
    case FleetError::bad_member: return "fleet.bad_member";
    case FleetError::bad_identifier: return "fleet.bad_identifier";
    case FleetError::nothing_to_run: return "fleet.nothing_to_run";
    case FleetError::encrypted_needs_image: return "fleet.encrypted_needs_image";
    case FleetError::encrypted_with_file: return "fleet.encrypted_with_file";
    case FleetError::unknown_assembly: return "fleet.unknown_assembly";
    case FleetError::bad_chunk: return "fleet.bad_chunk";
    case FleetError::fetch_failed: return "fleet.fetch_failed";
    case FleetError::fetch_timeout: return "fleet.fetch_timeout";
    case FleetError::fetch_busy: return "fleet.fetch_busy";
    case FleetError::digest_mismatch: return "fleet.digest_mismatch";
    case FleetError::cancelled: return "fleet.cancelled";
    case FleetError::bad_proof: return "fleet.bad_proof";
    case FleetError::stale_proof: return "fleet.stale_proof";
    case FleetError::not_attested: return "fleet.not_attested";
    case FleetError::untrusted_tee: return "fleet.untrusted_tee";
    case FleetError::not_affirming: return "fleet.not_affirming";
    case FleetError::wrong_claim: return "fleet.wrong_claim";
    case FleetError::bad_seal: return "fleet.bad_seal";
  }
  std::unreachable();
}

}  // namespace coffer::fleet
