#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "codec/base64.h"
#include "evidence/eventlog/agent_event_log.h"
#include "evidence/eventlog/writer.h"
#include "evidence/tpm/evidence.h"
#include "evidence/tpm/simulate.h"
#include "evidence/tpm/tss_device.h"

namespace coffer::evidence::tpm {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const TimePoint now = from_unix_seconds(1'760'000'000);

const SimulatedKey& key() {
  static const auto root = *make_simulator_root(now);
  static const auto out =
      *make_simulated_key(root, {.kind = crypto::KeyKind::ec_p256, .not_before = now - 1h, .not_after = now + 1h});
  return out;
}

std::shared_ptr<SoftwareTpm> machine() {
  return *SoftwareTpm::create(key(), {}, boot_log({}));
}

Result<std::optional<Bytes>> no_log() {
  return std::nullopt;
}

TEST(TpmAttester, evidence_has_upstreams_members) {
  const auto evidence = make_attester_over(machine(), no_log)->attest(Bytes(48));
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  const auto& object = *evidence->if_object();
  EXPECT_EQ(object.size(), 2U);
  EXPECT_TRUE(object.contains("ak_public"));
  const auto* quote = object.find("tpm_quote")->if_object();
  EXPECT_EQ(quote->size(), 3U);
  EXPECT_EQ(quote->find("pcrs")->if_array()->size(), 24U);
}

TEST(TpmAttester, binds_the_first_32_bytes_of_report_data) {
  Bytes report_data(48, std::byte{1});
  report_data[40] = std::byte{2};
  const auto bound = [](ByteView data) {
    const auto evidence = parse_evidence(*make_attester_over(machine(), no_log)->attest(data));
    return parse_quote(evidence->message)->extra_data;
  };
  EXPECT_EQ(bound(report_data), Bytes(32, std::byte{1}));
  EXPECT_EQ(bound(Bytes(20, std::byte{3})), concat({Bytes(20, std::byte{3}), Bytes(12)}));
}

TEST(TpmAttester, goes_without_an_event_log_that_cannot_be_read) {
  const auto unreadable = []() -> Result<std::optional<Bytes>> { return fail(EvidenceError::device_failed, "no"); };
  const auto evidence = make_attester_over(machine(), unreadable)->attest(Bytes(32));
  ASSERT_TRUE(evidence);
  EXPECT_FALSE(evidence->if_object()->contains("eventlog"));
}

TEST(TpmAttester, init_data_is_extended_once) {
  const auto tpm = machine();
  const auto attester = make_attester_over(tpm, no_log);
  const Bytes digest(32, std::byte{9});
  EXPECT_TRUE(attester->bind_init_data(digest));
  EXPECT_TRUE(attester->bind_init_data(digest));
  EXPECT_EQ(tpm->read_pcrs()->at(8), extended_once(digest));
  EXPECT_EQ(attester->bind_init_data(Bytes(32)).error().code, EvidenceError::init_data_mismatch);
  EXPECT_EQ(attester->bind_init_data(Bytes(48)).error().code, EvidenceError::bad_init_data);
}

TEST(TpmAttester, runtime_measurements_go_to_pcrs_that_a_guest_can_extend_but_not_reset) {
  const auto tpm = machine();
  const auto attester = make_attester_over(tpm, no_log);
  EXPECT_EQ(attester->runtime_register(17)->index, 15U);
  EXPECT_EQ(attester->runtime_register(9)->index, 9U);
  for (const unsigned pcr : {16U, 23U, 24U}) {
    EXPECT_FALSE(attester->runtime_register(pcr));
    EXPECT_EQ(attester->extend_runtime_measurement(pcr, Bytes(32)).error().code, EvidenceError::not_supported);
    EXPECT_EQ(attester->read_runtime_measurement(pcr).error().code, EvidenceError::not_supported);
  }
  EXPECT_TRUE(attester->extend_runtime_measurement(17, Bytes(32)));
  EXPECT_EQ(*attester->read_runtime_measurement(17), extended_once(Bytes(32)));
  EXPECT_EQ(tpm->read_pcrs()->at(15), extended_once(Bytes(32)));
  EXPECT_EQ(attester->extend_runtime_measurement(17, Bytes(20)).error().code, EvidenceError::device_failed);
}

// Passes everything on, and lets a test change PCRs between quote and reading.
class RestlessTpm final : public TpmDevice {
 public:
  explicit RestlessTpm(int changes) : changes_(changes) {}
  Result<QuoteAnswer> quote(ByteView data) override {
    auto out = tpm_->quote(data);
    if (garbage) return QuoteAnswer{{}, Bytes(3), {}};
    if (changes_-- > 0) (void)tpm_->extend_pcr(15, Bytes(32));
    return out;
  }
  Result<std::vector<Bytes>> read_pcrs() override {
    auto out = TRY(tpm_->read_pcrs());
    if (too_few) out.pop_back();
    return out;
  }
  Result<> extend_pcr(unsigned pcr, ByteView digest) override { return tpm_->extend_pcr(pcr, digest); }
  Result<std::vector<Bytes>> ak_certificates() override { return tpm_->ak_certificates(); }
  Result<Bytes> read_nv(std::uint32_t index) override { return tpm_->read_nv(index); }
  Result<> write_nv(std::uint32_t index, ByteView data) override { return tpm_->write_nv(index, data); }
  bool garbage = false;
  bool too_few = false;

 private:
  int changes_;
  std::shared_ptr<SoftwareTpm> tpm_ = machine();
};

TEST(TpmAttester, quotes_again_where_pcrs_changed_in_between) {
  EXPECT_TRUE(make_attester_over(std::make_shared<RestlessTpm>(2), no_log)->attest(Bytes(32)));
  EXPECT_EQ(make_attester_over(std::make_shared<RestlessTpm>(3), no_log)->attest(Bytes(32)).error().code,
            EvidenceError::device_failed);
}

TEST(TpmAttester, answers_that_make_no_sense_are_the_devices_failure) {
  const auto tpm = std::make_shared<RestlessTpm>(0);
  tpm->garbage = true;
  EXPECT_EQ(make_attester_over(tpm, no_log)->attest(Bytes(32)).error().code, EvidenceError::device_failed);
  tpm->garbage = false;
  tpm->too_few = true;
  EXPECT_EQ(make_attester_over(tpm, no_log)->attest(Bytes(32)).error().code, EvidenceError::device_failed);
}

class Root : public ::testing::Test {
 protected:
  Root() {
    std::string name = (fs::temp_directory_path() / "coffer-tpm-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~Root() override {
    for (const auto name :
         {"AA_TPM_DEVICE", "AA_TPM_AK_HANDLE", "COFFER_TPM_CREATE_AK", "COFFER_TPM_AK_CERT", "COFFER_TPM_EVENTLOG"}) {
      ::unsetenv(name);
    }
    fs::remove_all(directory_);
  }
  void write(const std::string& name, ByteView content = {}) const {
    fs::create_directories((directory_ / name).parent_path());
    std::ofstream{directory_ / name, std::ios::binary} << as_text(content);
  }
  std::string tcti() const { return TssOptions::from_environment(directory_)->tcti; }
  fs::path directory_;
};

TEST_F(Root, shows_its_tpm_the_resource_manager_first) {
  EXPECT_EQ(TssOptions::from_environment(directory_).error().code, EvidenceError::no_device);
  write("dev/tpm1");
  EXPECT_EQ(tcti(), "device:" + (directory_ / "dev/tpm1").string());
  write("dev/tpm0");
  EXPECT_EQ(tcti(), "device:" + (directory_ / "dev/tpm0").string());
  write("dev/tpmrm0");
  EXPECT_EQ(tcti(), "device:" + (directory_ / "dev/tpmrm0").string());
}

TEST_F(Root, environment_names_tpm_and_key) {
  ::setenv("AA_TPM_DEVICE", "swtpm:host=127.0.0.1,port=1", 1);
  EXPECT_EQ(tcti(), "swtpm:host=127.0.0.1,port=1");
  ::setenv("AA_TPM_DEVICE", (directory_ / "absent").c_str(), 1);
  EXPECT_EQ(TssOptions::from_environment(directory_).error().code, EvidenceError::no_device);
  write("present");
  ::setenv("AA_TPM_DEVICE", (directory_ / "present").c_str(), 1);
  EXPECT_EQ(tcti(), "device:" + (directory_ / "present").string());
  auto options = *TssOptions::from_environment(directory_);
  EXPECT_EQ(options.ak_handle, 0x81010002U);
  EXPECT_FALSE(options.ak_explicit);
  EXPECT_FALSE(options.create_ak);
  ::setenv("AA_TPM_AK_HANDLE", "0x81000003", 1);
  ::setenv("COFFER_TPM_CREATE_AK", "1", 1);
  ::setenv("COFFER_TPM_AK_CERT", "/some/file.pem", 1);
  options = *TssOptions::from_environment(directory_);
  EXPECT_EQ(options.ak_handle, 0x81000003U);
  EXPECT_TRUE(options.ak_explicit);
  EXPECT_TRUE(options.create_ak);
  EXPECT_EQ(options.ak_certificate, "/some/file.pem");
  for (const auto bad : {"0x", "zz", "0x810100021", "81 "}) {
    ::setenv("AA_TPM_AK_HANDLE", bad, 1);
    EXPECT_EQ(TssOptions::from_environment(directory_).error().code, EvidenceError::bad_config) << bad;
  }
}

TEST_F(Root, without_tpm_is_told_at_the_first_use) {
  const auto attester = make_attester(TeeKind::tpm, {.root = directory_});
  ASSERT_TRUE(attester);
  EXPECT_EQ((*attester)->attest(Bytes(32)).error().code, EvidenceError::no_device);
}

TEST_F(Root, firmwares_and_agents_logs_are_joined) {
  const std::string firmware = "sys/kernel/security/tpm0/binary_bios_measurements";
  EXPECT_FALSE(*read_boot_log(directory_));
  const auto entry = eventlog::agent_event_entry({15, crypto::HashAlgorithm::sha256}, "a b c");
  write("run/attestation-agent/eventlog", entry);
  const eventlog::LogWriter header{{crypto::HashAlgorithm::sha256}};
  EXPECT_EQ(**read_boot_log(directory_), concat({header.log(), entry, Bytes(8, std::byte{0xff})}));
  write(firmware, boot_log({}));
  EXPECT_EQ(**read_boot_log(directory_), concat({boot_log({}), entry, Bytes(8, std::byte{0xff})}));
  ::setenv("COFFER_TPM_EVENTLOG", "off", 1);
  EXPECT_FALSE(*read_boot_log(directory_));
  ::unsetenv("COFFER_TPM_EVENTLOG");
  const eventlog::LogWriter sha384{{crypto::HashAlgorithm::sha384}};
  write(firmware, sha384.log());
  EXPECT_FALSE(*read_boot_log(directory_));
  write(firmware, Bytes(5));
  EXPECT_FALSE(read_boot_log(directory_));
}

}  // namespace
}  // namespace coffer::evidence::tpm
