#include "evidence/nitro/nsm_device.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <cerrno>
#include <system_error>

#include "base/file_descriptor.h"
#include "evidence/tee.h"

namespace coffer::evidence::nitro {

namespace {

// struct nsm_raw of linux/nsm.h: two 64-bit address and length pairs, which is what an iovec is on this platform.
struct NsmMessage {
  iovec request;
  iovec response;
};
static_assert(sizeof(NsmMessage) == 32);
constexpr unsigned long nsm_ioctl = _IOWR(0x0A, 0, NsmMessage);

class SystemNsmDevice final : public NsmDevice {
 public:
  explicit SystemNsmDevice(std::filesystem::path path) : path_(std::move(path)) {}

  Result<Bytes> exchange(ByteView request) override {
    if (request.size() > max_nsm_request) {
      return fail(EvidenceError::device_failed, "a request to the Nitro Secure Module has at most " +
                                                    std::to_string(max_nsm_request) + " bytes, not " +
                                                    std::to_string(request.size()));
    }
    const FileDescriptor device{::open(path_.c_str(), O_RDWR | O_CLOEXEC)};
    if (!device) return failed(errno == ENOENT ? EvidenceError::no_device : EvidenceError::device_failed, "open");
    Bytes sent = to_bytes(request);
    Bytes response(max_nsm_response);
    NsmMessage message{{sent.data(), sent.size()}, {response.data(), response.size()}};
    if (::ioctl(device.get(), nsm_ioctl, &message) != 0) return failed(EvidenceError::device_failed, "ask");
    if (message.response.iov_len > response.size()) return failed(EvidenceError::device_failed, "read");
    response.resize(message.response.iov_len);
    return response;
  }

 private:
  std::unexpected<Error> failed(EvidenceError code, std::string_view what) const {
    return fail(code, "cannot " + std::string{what} + " the Nitro Secure Module at " + path_.string() + ": " +
                          std::generic_category().message(errno));
  }
  std::filesystem::path path_;
};

}  // namespace

std::unique_ptr<NsmDevice> system_nsm_device(std::filesystem::path root) {
  return std::make_unique<SystemNsmDevice>(std::move(root) / "dev/nsm");
}

}  // namespace coffer::evidence::nitro
