// What can be wrong with a message of the fleet, or with what it asks for. The names go out in results ("code").
#pragma once

#include "base/result.h"

namespace coffer::fleet {

enum class FleetError {
  // Payloads
  bad_payload,     // not UTF-8 JSON, not an object, too deep or too large
  missing_member,  // a required member that is absent, null or empty
  bad_member,      // a member of the wrong type, or outside its range
  bad_identifier,  // a tenant, channel or id that no topic can carry
  // Commands
  nothing_to_run,         // a start with neither file nor image_url
  encrypted_needs_image,  // an encrypted start without image_url
  encrypted_with_file,    // an encrypted start that carries a file
  // Chunks
  unknown_assembly,  // a chunk that nobody here asked for
  bad_chunk,         // index, total or size outside the bounds, or a total that differs from the first chunk's
  fetch_failed,      // the proxy said so: its own words are in the message
  fetch_timeout,
  fetch_busy,  // as many images as allowed are on their way already
  digest_mismatch,
  cancelled,
  // Trust in workers and aggregators
  bad_proof,      // not signed by the attested key, or about another worker
  stale_proof,    // made too long ago, or in the future
  not_attested,   // a worker that shows no token of a broker that is believed
  untrusted_tee,  // a sample or simulated TEE that was not allowed by name
  not_affirming,  // its evidence was appraised worse than asked for
  wrong_claim,    // its token does not say what is asked for
  // Federated rounds
  bad_seal,  // a sealed update that the named key does not open, or that is about another round or worker inside
};
std::string_view code_name(FleetError code);

}  // namespace coffer::fleet
