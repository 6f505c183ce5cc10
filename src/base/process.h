// What every program does first.
#pragma once

namespace coffer {

// No core files and no ptrace by other processes of the same user (PR_SET_DUMPABLE): memory holds keys.
void forbid_core_dumps();

}  // namespace coffer
