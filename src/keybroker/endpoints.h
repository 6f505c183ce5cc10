// The endpoints under /kbs/v0, each a plain function of a call (trustee.md 1.1; ours are marked).
#pragma once

#include "keybroker/services.h"

namespace coffer::keybroker::endpoints {

Result<net::ServerResponse> auth(const Call& call);
Result<net::ServerResponse> attest(const Call& call);

Result<net::ServerResponse> get_resource(const Call& call);
Result<net::ServerResponse> set_resource(const Call& call);
Result<net::ServerResponse> delete_resource(const Call& call);
Result<net::ServerResponse> list_resources(const Call& call);  // ours: GET resources

Result<net::ServerResponse> set_resource_policy(const Call& call);
Result<net::ServerResponse> get_resource_policy(const Call& call);     // ids; ours: the text by id
Result<net::ServerResponse> delete_resource_policy(const Call& call);  // ours

Result<net::ServerResponse> set_attestation_policy(const Call& call);
Result<net::ServerResponse> get_attestation_policy(const Call& call);     // ours: ids, and the text by id
Result<net::ServerResponse> delete_attestation_policy(const Call& call);  // ours

Result<net::ServerResponse> register_reference_value(const Call& call);
Result<net::ServerResponse> get_reference_value(const Call& call);     // ours: the list without an id
Result<net::ServerResponse> delete_reference_value(const Call& call);  // ours

Result<net::ServerResponse> audit(const Call& call);  // ours
Result<net::ServerResponse> info(const Call& call);   // ours, without authentication

}  // namespace coffer::keybroker::endpoints
