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

// The nodes of a UEFI device path as text (UEFI 2.11 section 10.6): "PciRoot(0x0)", "File(\\EFI\\BOOT\\BOOTX64.EFI)".
// The end node is left out.
std::vector<std::string> device_path_nodes(ByteView path);

// One line for people: "EV_EFI_BOOT_SERVICES_APPLICATION File(kernel)".
std::string describe(const Event& event);

}  // namespace coffer::evidence::eventlog
