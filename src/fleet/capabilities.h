// The one object that our workers add to discovery and heartbeat, under the key "coffer". Upstream's manager ignores
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"

namespace coffer::fleet {

// What a worker says of itself. Nothing here is proof: that is `token` under the broker's signature together with
// `proof` under the key which the token names.
struct Capabilities {
  struct Tee {
    std::string type;  // "tdx", "snp", "sample", ...: evidence/tee.h
    bool simulated = false;
    friend bool operator==(const Tee&, const Tee&) = default;
  };
  struct Attestation {
    std::string token;                      // EAR as compact JWS, from the broker
    std::optional<TimePoint> expires_at{};  // RFC 3339 on the wire
    std::string proof{};                    // sign_presence() of attested_key.h; judged by trust/worker_trust.h
    friend bool operator==(const Attestation&, const Attestation&) = default;
  };

  std::int64_t version = 1;
  std::optional<Tee> tee{};
  std::optional<Attestation> attestation{};
  std::vector<std::string> runtimes{};  // "wasm", "host", "tee"
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_available_bytes = 0;
  std::uint64_t running_tasks = 0;
  std::uint64_t max_tasks = 0;
  std::vector<std::string> tags{};

  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

// FleetError::bad_member. A version above 1 is read as far as version 1 goes.
Result<Capabilities> read_capabilities(const codec::json::Value& value);
codec::json::Value write_capabilities(const Capabilities& capabilities);

}  // namespace coffer::fleet
