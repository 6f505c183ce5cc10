// A Nitro Secure Module in software: real documents, certificates and registers under the simulator's root.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "evidence/nitro/document.h"
#include "evidence/simulator_root.h"
#include "evidence/simulator_settings.h"

namespace coffer::evidence::nitro {

enum class Fault {
  debug,        // PCR0 to PCR2 all zero, as an enclave with a console reports them
  wrong_pcr,    // PCR0 of another image
  wrong_nonce,  // a nonce that nobody asked for
  expired,      // a leaf certificate that ended an hour before the document was made
  wrong_root,   // a chain to a root that is neither AWS's nor the simulator's
  clock_skew,   // a document made an hour after its time
  bad_signature,
};
// "debug", "wrong-pcr", ...; bad_config for another name.
Result<Fault> parse_fault(std::string_view name);

struct Simulation {
  std::map<unsigned, Bytes> pcrs = simulated_pcrs();
  std::optional<Bytes> nonce{};
  std::optional<Bytes> user_data{};
  std::optional<Bytes> public_key{};
  std::vector<Fault> faults{};

  bool has(Fault fault) const;
  // PCR0 to PCR15 as a small image has them: 0 to 2, 4 and 8 set, the others zero.
  static std::map<unsigned, Bytes> simulated_pcrs();
};

// What the simulator's dials ask for: any fault above, and values "pcr0" to "pcr31" (48 bytes in hex).
Result<Simulation> simulation_of(const SimulatorSettings& settings);

// A document made at `now` by a leaf valid for three hours, below a zone's certificate, below `root`.
Result<Bytes> simulate_document(const SimulatorRoot& root, const Simulation& wanted, TimePoint now);

}  // namespace coffer::evidence::nitro
