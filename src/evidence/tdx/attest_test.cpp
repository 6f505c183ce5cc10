#include "evidence/tdx/attest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/device/fake_tsm_testing.h"
#include "evidence/tdx/simulate.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::tdx {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

const Bytes digest(48, std::byte{0x11});
const Bytes register_value(48, std::byte{0x77});

// A kernel's interface with a simulated TDX module behind it.
class TdxMachine : public ::testing::Test {
 protected:
  struct Files final : device::TsmFilesystem {
    device::FakeTsm tsm;
    Answer measurement{Outcome::done, {}, register_value};
    std::filesystem::path last_measurement;
    Bytes extended;

    bool measures(const std::filesystem::path& path) {
      if (path.string().find("measurements") == std::string::npos) return false;
      last_measurement = path;
      return true;
    }
    Answer make_directory(const std::filesystem::path& path) override { return tsm.make_directory(path); }
    Answer remove_directory(const std::filesystem::path& path) override { return tsm.remove_directory(path); }
    Answer write(const std::filesystem::path& file, ByteView content) override {
      if (!measures(file)) return tsm.write(file, content);
      extended = to_bytes(content);
      return measurement;
    }
    Answer read(const std::filesystem::path& file, std::size_t limit) override {
      return measures(file) ? measurement : tsm.read(file, limit);
    }
    void pause(std::chrono::milliseconds time) override { tsm.pause(time); }
  };

  void SetUp() override {
    const auto now = system_clock().now();
    const auto authority = dcap::make_simulated_authority(make_simulator_root(now).value()).value();
    platform_.emplace(simulate_platform(authority, {}, now).value());
    files_.tsm.outblob = [this](ByteView inblob) {
      return simulate(*platform_, guest_, faults_, inblob).value().quote;
    };
    attester_ = make_attester_on(root_.path(), files_);
  }

  TemporaryDirectory root_;
  Files files_;
  std::optional<dcap::SimulatedPlatform> platform_;
  Guest guest_;
  Faults faults_;
  std::unique_ptr<Attester> attester_;
};

TEST_F(TdxMachine, the_quote_is_over_the_padded_report_data) {
  const auto evidence = attester_->attest(digest);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  auto padded = digest;
  padded.resize(64);
  EXPECT_EQ(files_.tsm.last_inblob, padded);
  EXPECT_TRUE(evidence->find("cc_eventlog")->is_null());
  EXPECT_TRUE(parse_evidence(*evidence));
}

TEST_F(TdxMachine, the_firmwares_log_comes_with_it) {
  guest_.kernel = "k";
  const auto log = simulate(*platform_, guest_, {}, digest).value().event_log.value();
  root_.write("sys/firmware/acpi/tables/data/CCEL", as_text(log));
  const auto evidence = parse_evidence(attester_->attest(digest).value()).value();
  ASSERT_TRUE(evidence.event_log);
  EXPECT_TRUE(std::ranges::equal(log, ByteView{*evidence.event_log}.first(log.size())));
}

TEST_F(TdxMachine, an_answer_over_other_report_data_is_refused) {
  faults_.wrong_nonce = true;
  const auto evidence = attester_->attest(digest);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, EvidenceError::device_failed);
}

TEST_F(TdxMachine, an_answer_that_is_no_quote_is_refused) {
  files_.tsm.outblob = [](ByteView) { return to_bytes("no quote"); };
  EXPECT_EQ(attester_->attest(digest).error().code, EvidenceError::device_failed);
}

TEST_F(TdxMachine, a_machine_without_the_interface_is_no_td) {
  files_.tsm.absent = true;
  EXPECT_EQ(attester_->attest(digest).error().code, EvidenceError::no_device);
  EXPECT_EQ(attester_->attest(Bytes(65)).error().code, EvidenceError::bad_runtime_data);
}

TEST_F(TdxMachine, init_data_is_compared_with_what_the_td_was_launched_with) {
  const Bytes init_data(32, std::byte{0x33});
  EXPECT_EQ(attester_->bind_init_data(init_data).error().code, EvidenceError::init_data_mismatch);
  guest_.mr_config_id = init_data;
  guest_.mr_config_id.resize(48);
  EXPECT_TRUE(attester_->bind_init_data(init_data));
}

TEST_F(TdxMachine, events_go_to_the_register_of_their_pcr) {
  for (const auto& [pcr, index] : std::initializer_list<std::pair<unsigned, unsigned>>{
           {0, 4}, {1, 1}, {2, 2}, {6, 2}, {7, 1}, {8, 3}, {15, 3}, {16, 4}}) {
    EXPECT_EQ(attester_->runtime_register(pcr)->index, index) << pcr;
    ASSERT_TRUE(attester_->extend_runtime_measurement(pcr, digest));
    EXPECT_THAT(files_.last_measurement.string(), EndsWith("/rtmr" + std::to_string(index - 1) + ":sha384"));
  }
  EXPECT_EQ(files_.extended, digest);
  EXPECT_EQ(attester_->read_runtime_measurement(8).value(), register_value);
}

TEST_F(TdxMachine, a_kernel_without_registers_in_sysfs_is_named_unsupported) {
  files_.measurement = {device::TsmFilesystem::Outcome::absent, "No such file or directory"};
  EXPECT_EQ(attester_->extend_runtime_measurement(8, digest).error().code, EvidenceError::not_supported);
  EXPECT_EQ(attester_->read_runtime_measurement(8).error().code, EvidenceError::not_supported);
  files_.measurement = {device::TsmFilesystem::Outcome::failed, "Input/output error"};
  EXPECT_EQ(attester_->extend_runtime_measurement(8, digest).error().code, EvidenceError::device_failed);
  files_.measurement = {device::TsmFilesystem::Outcome::done, {}, Bytes(47)};
  EXPECT_EQ(attester_->read_runtime_measurement(8).error().code, EvidenceError::device_failed);
}

}  // namespace
}  // namespace coffer::evidence::tdx
