// Where a measured boot went another way than its prediction, for the owner: "PCR 9, event 0: expected ..., found ...".
#pragma once

#include <vector>

#include "codec/json.h"
#include "evidence/tee.h"
#include "policy/engine.h"

namespace coffer::appraisal::detail {

// Compares the events of the evidence (`uefi_event_logs` under the TEE's name) with the reference value "<tee>_events",
// [{"index","type_name","digest","description"}, ...] as `coffer measure` makes it, or a list of such lists, one for
// each machine that is known: then with the one that the boot comes nearest to (fewest registers that differ, most
// events that agree). One condition a register of the reference value, for the first event that differs. It decides
// nothing: the policy has, by the registers. Empty where one of both is missing or not in that form, and for a TEE
// whose events are not compared.
Result<std::vector<policy::Condition>> measured_boot_conditions(evidence::TeeKind tee,
                                                                const codec::json::Object& annotated,
                                                                const policy::ReferenceValues& reference_values);

}  // namespace coffer::appraisal::detail
