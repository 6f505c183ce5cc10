// The attester of a TD, over the kernel's interfaces: quotes through configfs-tsm, registers through sysfs.
#pragma once

#include <filesystem>
#include <memory>

#include "evidence/device/configfs_tsm.h"
#include "evidence/tdx/evidence.h"

namespace coffer::evidence::tdx {

// `root` stands for "/"; logs are read below it, all else goes through `files`, which outlives the attester.
std::unique_ptr<Attester> make_attester_on(std::filesystem::path root, device::TsmFilesystem& files);

// Which RTMR an event of a PCR goes to (UEFI 2.11 section 38.4.1), as the log counts: one more than the register.
std::uint32_t log_index(unsigned pcr);

}  // namespace coffer::evidence::tdx
