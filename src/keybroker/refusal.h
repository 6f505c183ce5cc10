// From an Error to what the client sees: upstream's error document and status (trustee.md 1.7) with our member `code`.
// An error's message is for the client; its context is for the owner's log and audit record only.
#pragma once

#include <string>
#include <string_view>

#include "keybroker/error.h"
#include "net/http_server.h"

namespace coffer::keybroker {

// 404 for paths and plugins that do not exist, 413 for large bodies, 503 where all sessions are taken, 401 for all
// others, as upstream does: its clients take a 401 as "attest again" and everything else as final.
// missing_resource_status is the owner's choice (404, 401).
net::ServerResponse to_response(const Error& error, int missing_resource_status);

// The same document for what the HTTP server refuses before it is a request, under the server's own status.
net::ServerResponse unread_refusal(int status, std::string_view why);

// The same code and client's text with the reason behind it added for the owner.
Error because(ErrorCode code, std::string client_text, const Error& cause);

// An error's message for the owner, with the code of the reason behind it, and with its words where the message does
// not hold them already: "the resource store failed (storage.ambiguous: 'default/key/k1' stands in two files, ...)".
std::string owner_text(const Error& error);

}  // namespace coffer::keybroker
