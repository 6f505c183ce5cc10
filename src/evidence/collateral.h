// Collateral: signed endorsements that a verifier needs beyond the evidence (certificates, revocation lists, TCB info).
// Verifiers name what they need; a cache, a vendor's service or an offline bundle provides it. Everything returned is
// unauthenticated bytes: the leaf checks signatures and dates, always.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace coffer::evidence {

enum class CollateralError {
  unreachable,   // the vendor's service did not answer, or with a status of 500 and above
  rate_limited,  // status 429; the text says when it may be asked again
  not_found,     // the service answers that it has no such item (400, 404, 410)
  offline,       // not in the store, and asking is switched off
  malformed,     // what came is not the item that was asked for
  expired,       // what is stored is no longer valid at the time asked for, and no newer one could be had
  bad_bundle,    // an export that does not parse, or whose digests do not hold
};
std::string_view code_name(CollateralError code);

// The vendors' services, and where each is unless configured otherwise.
struct CollateralService {
  std::string_view name;
  std::string_view default_url;
};
std::span<const CollateralService> collateral_services();

struct CollateralBlob {
  Bytes body;
  // The PEM chain that some services send in a header beside the body (Intel PCS); empty for others.
  std::string issuer_chain;
};

// When an item may be used. Times come from the item itself (nextUpdate, nextUpdate of TCB info); nothing: for ever.
struct CollateralValidity {
  std::optional<TimePoint> from{};
  std::optional<TimePoint> until{};
};

using SteadyTime = std::chrono::steady_clock::time_point;

struct CollateralItem {
  std::string kind;  // "amd-vcek": names the kind in the store, in errors and in metrics
  std::string key;   // unique within the kind; [A-Za-z0-9._-], at most 200 characters
  // Which vendor service, by the name under which its base URL is configured: "amd-kds", "intel-pcs". Or a base URL
  // ("https://..."), where a verifier's own settings name one.
  std::string service;
  std::string path;          // appended to that base URL: "/vcek/v1/Milan/cert_chain"
  std::string chain_header;  // response header with the issuer chain, percent-encoded PEM; empty: none
  // Reads what came, before it is stored: malformed where it is not such an item. Signatures are checked by the leaf.
  std::function<Result<CollateralValidity>(const CollateralBlob&)> inspect;
  // Whoever asks several questions in a row for one piece of evidence takes Collateral::deadline() once, and states it
  // in each: together they take no longer than one.
  SteadyTime deadline = SteadyTime::max();
};

class Collateral {
 public:
  virtual ~Collateral() = default;
  // The item as it may be used at `at`. Safe from any thread; one question at a time goes out for an item.
  virtual Result<std::shared_ptr<const CollateralBlob>> get(const CollateralItem& item, TimePoint at) = 0;
  // When questions that begin now are to be given up.
  virtual SteadyTime deadline() const { return SteadyTime::max(); }
};

// Why evidence is refused whose endorsement cannot be had: by the code of what went wrong at the service, so that a
// vendor's trouble is told from a machine's; EvidenceError::collateral_missing where no service was asked. The cause
// and the item stand in the text and in the fields collateral_error and collateral_item.
Error cannot_be_had(const CollateralItem& item, const Error& cause);

}  // namespace coffer::evidence
