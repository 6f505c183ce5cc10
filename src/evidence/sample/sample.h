// The sample TEE: a stand-in without hardware. Anyone can make its evidence, so it is accepted only where it was chosen
// by name (see registry.h). Wire form: {"svn":"1","report_data":"<base64>"} (trustee.md 7); ours may carry an
// additional "init_data" (base64 digest), which upstream ignores.
#pragma once

#include <memory>
#include <optional>

#include "evidence/tee.h"

namespace coffer::evidence::sample {

// kind: TeeKind::sample or TeeKind::sampledevice.
std::unique_ptr<Verifier> make_verifier(TeeKind kind);
std::unique_ptr<Attester> make_attester(TeeKind kind, std::optional<Bytes> init_data_digest = std::nullopt);

}  // namespace coffer::evidence::sample
