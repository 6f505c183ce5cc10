// What an event says, in upstream's words: the `details` of its claims.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/eventlog/event_log.h"

namespace coffer::evidence::eventlog {

// Members by type: string; unicode_name, unicode_name_length, variable_data, variable_data_length, variable_name;
// device_paths; data. Empty for types without a known form, and for data that does not have its type's form: what an
// event says is firmware's free text, and its digest is checked all the same.
codec::json::Object details(const Event& event);

// The nodes of a UEFI device path as upstream writes them, from root to leaf and without the end node:
// "ACPI(PNP0A03,0)", "Pci(0,3)", "File(\\EFI\\BOOT\\BOOTX64.EFI)"; "Path(3,23,<hex>)" for those it does not know.
// bad_event where the nodes' lengths do not add up.
Result<std::vector<std::string>> device_path_nodes(ByteView path);

// One line for people: "EV_EFI_BOOT_SERVICES_APPLICATION File(kernel)".
std::string describe(const Event& event);
std::string describe(std::string_view type_name, const codec::json::Object& details);

}  // namespace coffer::evidence::eventlog
