// Against a real TPM implementation, by way of the real library.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "codec/base64.h"
#include "evidence/eventlog/agent_event_log.h"
#include "evidence/eventlog/writer.h"
#include "evidence/tpm/evidence.h"
#include "evidence/tpm/quote.h"
#include "evidence/tpm/swtpm_testing.h"
#include "evidence/tpm/tpm.h"
#include "evidence/tpm/tss_device.h"

namespace coffer::evidence::tpm {
namespace {

namespace json = codec::json;
using ::testing::HasSubstr;

const Bytes report_data(48, std::byte{0x5a});

class SwtpmTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Swtpm::available()) GTEST_SKIP() << "swtpm is missing; tools/setup installs it";
    tpm_ = std::make_unique<Swtpm>();
    ASSERT_TRUE(tpm_->running());
  }

  std::shared_ptr<TpmDevice> device(TssOptions options = {}) const {
    options.tcti = tpm_->tcti();
    return make_tss_device(std::move(options));
  }
  static std::unique_ptr<Attester> attester(std::shared_ptr<TpmDevice> device) {
    return make_attester_over(std::move(device), []() -> Result<std::optional<Bytes>> { return std::nullopt; });
  }
  static Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding = {report_data}) {
    return (*make_verifier(TeeKind::tpm, {}))->verify(evidence, binding, system_clock().now());
  }
  static Bytes ak_of(const Result<json::Value>& evidence) {
    EXPECT_TRUE(evidence) << to_string(evidence.error());
    return evidence ? parse_evidence(*evidence)->ak_public : Bytes{};
  }

  std::unique_ptr<Swtpm> tpm_;
};

TEST_F(SwtpmTest, quotes_verify) {
  const auto evidence = attester(device())->attest(report_data);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  const auto claims = verify(*evidence);
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(*claims->front().claims.find("pcr00"), json::Value{std::string(64, '0')});
  EXPECT_EQ(*claims->front().claims.find("pcr17"), json::Value{std::string(64, 'f')});
  EXPECT_EQ(verify(*evidence, {Bytes(48)}).error().code, EvidenceError::report_data_mismatch);
}

TEST_F(SwtpmTest, a_derived_key_stays_the_same_over_calls_programs_and_boots) {
  const auto first = device();
  const auto key = ak_of(attester(first)->attest(report_data));
  EXPECT_EQ(ak_of(attester(first)->attest(report_data)), key);
  EXPECT_EQ(ak_of(attester(device())->attest(report_data)), key);
  tpm_->reboot();
  ASSERT_TRUE(tpm_->running());
  EXPECT_EQ(ak_of(attester(first)->attest(report_data)), key);
  EXPECT_EQ(ak_of(attester(device())->attest(report_data)), key);
}

TEST_F(SwtpmTest, a_named_key_that_is_absent_is_not_replaced_by_another) {
  const auto evidence = attester(device({.ak_handle = 0x81010009, .ak_explicit = true}))->attest(report_data);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, EvidenceError::no_device);
  EXPECT_THAT(evidence.error().message, HasSubstr("0x81010009"));
  EXPECT_THAT(evidence.error().message, HasSubstr("COFFER_TPM_CREATE_AK"));
}

TEST_F(SwtpmTest, a_key_is_made_persistent_where_told_so) {
  const auto made = ak_of(attester(device({.ak_explicit = true, .create_ak = true}))->attest(report_data));
  EXPECT_EQ(ak_of(attester(device({.ak_explicit = true}))->attest(report_data)), made);
  const auto again = attester(device({.ak_explicit = true, .create_ak = true}))->attest(report_data);
  ASSERT_TRUE(again);
  EXPECT_TRUE(verify(*again));
}

TEST_F(SwtpmTest, init_data_is_bound_and_vouched_for) {
  const Bytes digest(32, std::byte{4});
  const auto guest = attester(device());
  ASSERT_TRUE(guest->bind_init_data(digest));
  ASSERT_TRUE(guest->bind_init_data(digest));
  const auto evidence = guest->attest(report_data);
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(verify(*evidence, {report_data, digest}));
  EXPECT_EQ(verify(*evidence, {report_data, Bytes(32)}).error().code, EvidenceError::init_data_mismatch);
}

class MemoryLog final : public eventlog::AgentLogStorage {
 public:
  Result<Bytes> read_log() override { return log; }
  Result<> append_log(std::size_t size, ByteView entry) override {
    log.resize(size);
    log.insert(log.end(), entry.begin(), entry.end());
    return {};
  }
  Result<std::optional<Bytes>> read_wal() override { return wal; }
  Result<> write_wal(ByteView entry) override {
    wal = to_bytes(entry);
    return {};
  }
  Result<> remove_wal() override {
    wal.reset();
    return {};
  }
  Bytes log;
  std::optional<Bytes> wal;
};

TEST_F(SwtpmTest, runtime_measurements_are_logged_and_explained) {
  const auto guest = attester(device());
  auto storage = std::make_unique<MemoryLog>();
  const auto& kept = *storage;
  const auto log = eventlog::AgentEventLog::open(*guest, std::move(storage));
  ASSERT_TRUE(log);
  ASSERT_TRUE((*log)->extend(17, "github.com/confidential-containers", "PullImage", R"({"image":"a"})"));
  ASSERT_TRUE((*log)->extend(17, "a", "b", "c"));
  auto evidence = *parse_evidence(*guest->attest(report_data));
  const eventlog::LogWriter header{{crypto::HashAlgorithm::sha256}};
  evidence.event_log = concat({header.log(), kept.log});
  const auto claims = verify(to_json(evidence));
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_THAT(json::serialize(*claims->front().claims.find("uefi_event_logs")), HasSubstr("PullImage"));
  evidence.event_log = header.log();
  EXPECT_TRUE(verify(to_json(evidence)));
}

TEST_F(SwtpmTest, nv_indexes_are_written_and_read) {
  const auto tpm = device();
  EXPECT_EQ(tpm->read_nv(0x01400002).error().code, EvidenceError::no_device);
  const Bytes content(64, std::byte{7});
  ASSERT_TRUE(tpm->write_nv(0x01400002, content));
  EXPECT_EQ(*tpm->read_nv(0x01400002), content);
  const Bytes other(64, std::byte{8});
  ASSERT_TRUE(tpm->write_nv(0x01400002, other));
  EXPECT_EQ(*tpm->read_nv(0x01400002), other);
  EXPECT_EQ(tpm->write_nv(0x01400002, Bytes(513)).error().code, EvidenceError::device_failed);
}

TEST_F(SwtpmTest, what_it_refuses_is_an_error_with_its_code) {
  const auto tpm = device();
  EXPECT_EQ(tpm->extend_pcr(24, Bytes(32)).error().code, EvidenceError::device_failed);
  EXPECT_EQ(tpm->extend_pcr(8, Bytes(20)).error().code, EvidenceError::device_failed);
  EXPECT_EQ(tpm->quote(Bytes(65)).error().code, EvidenceError::device_failed);
  // Locality 0 may not extend the PCRs of a dynamic launch.
  const auto dynamic = tpm->extend_pcr(17, Bytes(32));
  ASSERT_FALSE(dynamic);
  EXPECT_THAT(dynamic.error().message, HasSubstr("code 0x"));
}

TEST_F(SwtpmTest, certificates_of_the_key_come_from_the_named_file) {
  EXPECT_TRUE(device()->ak_certificates()->empty());
  EXPECT_EQ(device({.ak_certificate = "/nonexistent"})->ak_certificates().error().code, EvidenceError::bad_config);
}

TEST(Tss, a_tpm_that_is_not_there_is_no_device) {
  const auto tpm = make_tss_device({.tcti = "device:/nonexistent/tpm0"});
  EXPECT_EQ(tpm->read_pcrs().error().code, EvidenceError::no_device);
}

}  // namespace
}  // namespace coffer::evidence::tpm
