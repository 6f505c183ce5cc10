// The Nitro Secure Module's driver, /dev/nsm: one ioctl that takes a CBOR request and gives a CBOR response
// (linux/nsm.h; keymeld-and-multi-agent.md C3).
#pragma once

#include <filesystem>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace coffer::evidence::nitro {

inline constexpr std::size_t max_nsm_request = 0x1000;
inline constexpr std::size_t max_nsm_response = 0x3000;

class NsmDevice {
 public:
  virtual ~NsmDevice() = default;
  // The response to one request. no_device where there is none, device_failed where the driver answers with an error.
  virtual Result<Bytes> exchange(ByteView request) = 0;
};

// <root>/dev/nsm, opened at each exchange.
std::unique_ptr<NsmDevice> system_nsm_device(std::filesystem::path root);

}  // namespace coffer::evidence::nitro
