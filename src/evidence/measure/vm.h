// The measured boot of an emulated machine (QEMU q35, OVMF without Secure Boot, `-kernel`), before it happened.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/measure/linux_boot.h"

namespace coffer::evidence::measure {

struct VmBoot {
  ByteView kernel;  // the bzImage as it is on disk
  ByteView initrd{};
  std::string command_line{};  // as given to -append
  std::uint64_t memory = 1U << 30;
  Bytes init_data_digest{};  // of what the guest's agent binds; 32 bytes, or none
};

struct PredictedEvent {
  std::uint32_t index;  // PCR
  eventlog::EventType type;
  Bytes digest;
  std::string description;  // for people: "kernel command line \"console=ttyS0\""
};

struct VmPrediction {
  crypto::HashAlgorithm algorithm;
  std::vector<PredictedEvent> events;        // in the order of their registers' extensions
  std::map<std::uint32_t, Bytes> registers;  // value of each PCR that the events determine
};

// PCR 4 (the kernel), 5 (leaving firmware), 7 (Secure Boot is off, no keys), 9 (command line, initrd), and those that
// hold nothing but a separator (2, 3, 6); PCR 8 where init-data is given, as the guest's attester extends it without an
// event. bad_machine for a digest that no PCR takes. PCR 0 and 1 are firmware's own: OVMF measures its first volume
// after having run from it and having written into it, and then its boot variables.
Result<VmPrediction> predict_vm(const VmBoot& boot, crypto::HashAlgorithm algorithm = crypto::HashAlgorithm::sha256);

// {"tpm_pcr04":["<hex>"],"tpm_pcr09":["<hex>"],...,"tpm_events":[{"index","type_name","digest","description"}]}: names
// as the default policy asks for them, and the events by which a later denial is explained.
codec::json::Object reference_values(const VmPrediction& prediction);

// As reference values hold events.
codec::json::Array to_json(const std::vector<PredictedEvent>& events);
// "tpm_pcr04": both digits are written, as in the claims of upstream's verifier.
std::string tpm_register_name(std::uint32_t index);

}  // namespace coffer::evidence::measure
