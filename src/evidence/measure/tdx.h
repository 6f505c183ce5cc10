// TDX's measurements of a launch: MRTD by the processor, RTMR1 and RTMR2 by firmware and kernel.
#pragma once

#include <string>
#include <vector>

#include "evidence/eventlog/event_log.h"
#include "evidence/measure/linux_boot.h"
#include "evidence/measure/vm.h"

namespace coffer::evidence::measure {

// Monitors add a section's pages and measure them either page by page (KVM as merged in Linux 6.16) or in two passes,
// first all pages, then all content (earlier patches).
enum class TdxPageOrder { page_by_page, two_passes };

// 48 bytes, from the firmware alone (TDX Module Base Specification, "Measurement and Attestation": TDH.MEM.PAGE.ADD and
// TDH.MR.EXTEND). bad_firmware.
Result<Bytes> tdx_mrtd(ByteView firmware, TdxPageOrder order = TdxPageOrder::page_by_page);

struct TdxBoot {
  std::vector<PredictedEvent> events;  // index as in a CC event log: 2 is RTMR1, 3 is RTMR2
  // Kernel, and leaving firmware. Two alternatives: builds of OVMF differ in whether they log a separator there.
  std::vector<Bytes> rtmr1;
  Bytes rtmr2;  // command line and initrd
};
// Direct boot of a kernel by QEMU; `boot.memory` counts, because QEMU writes the initrd's place into the kernel's
// header.
Result<TdxBoot> predict_tdx_boot(const VmBoot& boot);

}  // namespace coffer::evidence::measure
