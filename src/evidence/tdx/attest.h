// The attester of a TD, over the kernel's interfaces: quotes through configfs-tsm, registers through sysfs.
#pragma once

#include <filesystem>
#include <memory>

#include "evidence/device/configfs_tsm.h"
#include "evidence/tdx/evidence.h"

namespace coffer::evidence::tdx {

// `root` stands for "/"; logs are read below it, all else goes through `files`, which outlives the attester.
std::unique_ptr<Attester> make_attester_on(std::filesystem::path root, device::TsmFilesystem& files);

}  // namespace coffer::evidence::tdx
