#include "evidence/sgx/attest.h"

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/dcap/quote.h"
#include "evidence/sgx/simulate.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::sgx {
namespace {

const Bytes digest(48, std::byte{0x11});

const dcap::SimulatedPlatform& platform() {
  static const auto made = [] {
    const auto now = system_clock().now();
    const auto authority = dcap::make_simulated_authority(make_simulator_root(now).value()).value();
    return simulate_platform(authority, {}, now).value();
  }();
  return made;
}

struct FakeDevice final : QuoteDevice {
  Enclave enclave;
  Faults faults;
  std::optional<Bytes> answer;
  Result<Bytes> quote(ByteView report_data) override {
    if (answer) return *answer;
    return simulate(platform(), enclave, faults, report_data);
  }
};

struct Machine {
  FakeDevice* device;
  std::unique_ptr<Attester> attester;
};
Machine machine() {
  auto device = std::make_unique<FakeDevice>();
  auto* seen = device.get();
  return {seen, make_attester_on(std::move(device))};
}

TEST(SgxAttester, the_quote_is_over_the_padded_report_data) {
  const auto enclave = machine();
  const auto evidence = enclave.attester->attest(digest);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  const auto bytes = codec::base64_decode(*evidence->find("quote")->if_string()).value();
  EXPECT_EQ(codec::hex_encode(dcap::parse_quote(bytes).value().sgx()->report_data),
            codec::hex_encode(digest) + std::string(32, '0'));
}

TEST(SgxAttester, answers_that_are_not_asked_for_are_refused) {
  const auto enclave = machine();
  enclave.device->faults.wrong_nonce = true;
  EXPECT_EQ(enclave.attester->attest(digest).error().code, EvidenceError::device_failed);
  enclave.device->answer = to_bytes("no quote");
  EXPECT_EQ(enclave.attester->attest(digest).error().code, EvidenceError::device_failed);
  EXPECT_EQ(enclave.attester->attest(Bytes(65)).error().code, EvidenceError::bad_runtime_data);
}

TEST(SgxAttester, init_data_is_compared_with_the_enclaves_config_id) {
  const auto enclave = machine();
  const Bytes init_data(32, std::byte{0x33});
  EXPECT_EQ(enclave.attester->bind_init_data(init_data).error().code, EvidenceError::init_data_mismatch);
  enclave.device->enclave.config_id = init_data;
  enclave.device->enclave.config_id.resize(64);
  EXPECT_TRUE(enclave.attester->bind_init_data(init_data));
}

TEST(GramineDevice, writes_report_data_and_reads_the_quote) {
  const TemporaryDirectory directory;
  directory.write("user_report_data", "");
  directory.write("quote", std::string(5000, 'q'));
  const auto device = gramine_device(directory.path());
  EXPECT_EQ(as_text(device->quote(digest).value()), std::string(5000, 'q'));
  EXPECT_EQ(directory.read("user_report_data"), as_text(digest));
}

TEST(GramineDevice, files_that_are_absent_or_endless_are_errors) {
  const TemporaryDirectory directory;
  const auto device = gramine_device(directory.path());
  EXPECT_EQ(device->quote(digest).error().code, EvidenceError::no_device);
  directory.write("user_report_data", "");
  directory.write("quote", std::string(dcap::max_quote_size + 5000, 'q'));
  EXPECT_EQ(device->quote(digest).error().code, EvidenceError::device_failed);
}

TEST(OcclumDevice, what_is_no_such_device_is_an_error) {
  const TemporaryDirectory directory;
  EXPECT_EQ(occlum_device(directory.path() / "sgx")->quote(digest).error().code, EvidenceError::no_device);
  directory.write("sgx", "an ordinary file");
  EXPECT_EQ(occlum_device(directory.path() / "sgx")->quote(digest).error().code, EvidenceError::device_failed);
}

TEST(SystemDevice, is_gramines_where_its_files_are_there) {
  const TemporaryDirectory root;
  EXPECT_EQ(system_quote_device(root.path())->quote(digest).error().code, EvidenceError::no_device);
  root.write("dev/attestation/user_report_data", "");
  root.write("dev/attestation/quote", "quote");
  EXPECT_EQ(as_text(system_quote_device(root.path())->quote(digest).value()), "quote");
}

}  // namespace
}  // namespace coffer::evidence::sgx
