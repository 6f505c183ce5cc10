#include "evidence/sgx/quote_device.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/file_descriptor.h"
#include "evidence/dcap/quote.h"
#include "evidence/tee.h"

namespace coffer::evidence::sgx {

namespace {

std::unexpected<Error> failed(std::string_view what, const std::filesystem::path& path) {
  const int error = errno;
  const auto code = error == ENOENT ? EvidenceError::no_device : EvidenceError::device_failed;
  return fail(code,
              "cannot " + std::string{what} + " " + path.string() + ": " + std::generic_category().message(error));
}

Result<> write_all(const std::filesystem::path& path, ByteView content) {
  const FileDescriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (!file) return failed("open", path);
  const auto written = ::write(file.get(), content.data(), content.size());
  if (written == static_cast<ssize_t>(content.size())) return {};
  if (written < 0) return failed("write", path);
  return fail(EvidenceError::device_failed,
              path.string() + " took " + std::to_string(written) + " of " + std::to_string(content.size()) + " bytes");
}

// To the end, which may take several reads.
Result<Bytes> read_all(const std::filesystem::path& path) {
  const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return failed("open", path);
  Bytes out;
  std::array<std::byte, 4096> buffer{};
  while (out.size() <= dcap::max_quote_size) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", path);
    if (got == 0) return out;
    out.insert(out.end(), buffer.begin(), buffer.begin() + got);
  }
  return fail(EvidenceError::device_failed,
              path.string() + " gives more than a quote's " + std::to_string(dcap::max_quote_size) + " bytes");
}

class GramineDevice final : public QuoteDevice {
 public:
  explicit GramineDevice(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Result<Bytes> quote(ByteView report_data) override {
    TRY(write_all(directory_ / "user_report_data", report_data));
    return read_all(directory_ / "quote");
  }

 private:
  std::filesystem::path directory_;
};

// sgxioc_gen_dcap_quote_arg_t of Occlum's DCAP library.
struct GenerateQuote {
  const std::byte* report_data;
  std::uint32_t* quote_size;
  std::byte* quote;
};

class OcclumDevice final : public QuoteDevice {
 public:
  explicit OcclumDevice(std::filesystem::path device) : device_(std::move(device)) {}

  Result<Bytes> quote(ByteView report_data) override {
    const FileDescriptor device{::open(device_.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!device) return failed("open", device_);
    std::uint32_t size = 0;
    if (::ioctl(device.get(), _IOR('s', 7, std::uint32_t), &size) < 0) return failed("ask for a quote's size", device_);
    if (size > dcap::max_quote_size) {
      return fail(EvidenceError::device_failed, device_.string() + " speaks of a quote of " + std::to_string(size) +
                                                    " bytes, more than " + std::to_string(dcap::max_quote_size));
    }
    Bytes out(size);
    GenerateQuote request{report_data.data(), &size, out.data()};
    if (::ioctl(device.get(), _IOWR('s', 8, GenerateQuote), &request) < 0) return failed("ask for a quote", device_);
    if (size < out.size()) out.resize(size);
    return out;
  }

 private:
  std::filesystem::path device_;
};

class SystemDevice final : public QuoteDevice {
 public:
  explicit SystemDevice(std::filesystem::path root) : root_(std::move(root)) {}

  Result<Bytes> quote(ByteView report_data) override {
    const auto gramine = root_ / "dev/attestation";
    std::error_code ignored;
    if (std::filesystem::exists(gramine / "quote", ignored)) return GramineDevice{gramine}.quote(report_data);
    return OcclumDevice{root_ / "dev/sgx"}.quote(report_data);
  }

 private:
  std::filesystem::path root_;
};

}  // namespace

std::unique_ptr<QuoteDevice> gramine_device(std::filesystem::path directory) {
  return std::make_unique<GramineDevice>(std::move(directory));
}

std::unique_ptr<QuoteDevice> occlum_device(std::filesystem::path device) {
  return std::make_unique<OcclumDevice>(std::move(device));
}

std::unique_ptr<QuoteDevice> system_quote_device(std::filesystem::path root) {
  return std::make_unique<SystemDevice>(std::move(root));
}

}  // namespace coffer::evidence::sgx
