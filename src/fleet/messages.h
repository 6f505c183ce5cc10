// Every payload of the fleet's wire contract: typed, bounded, without I/O. Unknown members are ignored, null counts as
// absent wherever a member may be absent, ids are bounded text. to_json() writes exactly the members and the presence
// rules of upstream's.
#pragma once

#include "fleet/capabilities.h"
#include "fleet/commands.h"
#include "fleet/error.h"
#include "fleet/presence.h"
#include "fleet/registry_messages.h"
#include "fleet/results.h"
#include "fleet/round_start.h"
#include "fleet/telemetry.h"
#include "fleet/topics.h"
