// The attester against a device in memory, and the simulator through it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <deque>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/device/fake_tsm_testing.h"
#include "evidence/snp/snp_testing.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::snp {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

constexpr std::uint64_t invalid_length = 1ULL << 32;
constexpr std::uint64_t busy = 2ULL << 32;

// Gives the answers in their order, and the platform's own after them.
class ScriptedDevice final : public SevGuestDevice {
 public:
  explicit ScriptedDevice(std::deque<Answer> answers = {})
      : answers_(std::move(answers)), sound_(simulated_sev_guest(platform(), {})) {}
  Answer get_report(const Field<64>& report_data, std::uint32_t vmpl, std::uint32_t table_size) override {
    sizes.push_back(table_size);
    if (answers_.empty())
      return table_size == 0 ? bare(report_data) : sound_->get_report(report_data, vmpl, table_size);
    const auto answer = answers_.front();
    answers_.pop_front();
    return answer;
  }
  void pause() override { ++pauses; }
  Answer bare(const Field<64>& report_data) {
    auto out = sound_->get_report(report_data, 0, 1U << 20);
    out.certificate_table.clear();
    return out;
  }

  std::vector<std::uint32_t> sizes{};
  unsigned pauses = 0;

 private:
  std::deque<Answer> answers_;
  std::unique_ptr<SevGuestDevice> sound_;
};

SevGuestDevice::Answer sound_answer() {
  return simulated_sev_guest(platform(), {})->get_report(nonce, 0, 1U << 20);
}

ErrorCode code(std::deque<SevGuestDevice::Answer> answers) {
  ScriptedDevice device{std::move(answers)};
  const auto evidence = request_evidence(device, nonce);
  EXPECT_FALSE(evidence);
  return evidence ? ErrorCode{SnpError::bad_report} : evidence.error().code;
}

TEST(SevGuest, report_and_certificates_become_evidence) {
  ScriptedDevice device;
  const auto evidence = request_evidence(device, nonce);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  EXPECT_EQ(evidence->report.report_data, nonce);
  EXPECT_EQ(evidence->certificates, platform().certificates());
  EXPECT_TRUE(verify(*evidence, {to_bytes(nonce), {}}));
}

// The kernel's TSM reports over a simulated platform.
device::FakeTsm tsm_over_platform() {
  device::FakeTsm files;
  files.provider = "sev_guest";
  files.outblob = [](ByteView inblob) {
    Field<64> report_data{};
    std::ranges::copy(inblob, report_data.begin());
    const auto response = simulated_sev_guest(platform(), {})->get_report(report_data, 0, 1U << 20).response;
    return to_bytes(ByteView{response}.subspan(32, report_size));
  };
  files.auxblob = simulated_sev_guest(platform(), {})->get_report(nonce, 0, 1U << 20).certificate_table;
  return files;
}

TEST(SevGuest, the_kernels_tsm_reports_stand_in_for_the_device) {
  auto files = tsm_over_platform();
  const auto device = tsm_sev_guest(device::ConfigfsTsm{"/", files});
  const auto evidence = request_evidence(*device, nonce);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  EXPECT_EQ(evidence->certificates, platform().certificates());
  EXPECT_TRUE(verify(*evidence, {to_bytes(nonce), {}}));
  files.auxblob.clear();
  EXPECT_TRUE(request_evidence(*device, nonce)->certificates.empty());
}

TEST(SevGuest, tsm_reports_of_another_tee_or_none_are_no_device) {
  auto files = tsm_over_platform();
  files.provider = "tdx_guest";
  const auto device = tsm_sev_guest(device::ConfigfsTsm{"/", files});
  EXPECT_EQ(request_evidence(*device, nonce).error().code, EvidenceError::no_device);
  files.provider = "sev_guest";
  files.failing = {{"outblob", "Input/output error"}};
  EXPECT_EQ(request_evidence(*device, nonce).error().code, EvidenceError::device_failed);
  files.failing.clear();
  files.outblob = [](ByteView) { return Bytes(100); };
  EXPECT_EQ(request_evidence(*device, nonce).error().code, EvidenceError::device_failed);
}

TEST(SevGuest, a_larger_table_is_asked_for_where_the_host_says_so) {
  ScriptedDevice device{{{.error = EIO, .exit_info = invalid_length, .table_size = 32768}}};
  EXPECT_TRUE(request_evidence(device, nonce));
  EXPECT_THAT(device.sizes, testing::ElementsAre(16384, 32768));
}

TEST(SevGuest, hosts_without_certificates_give_a_bare_report) {
  ScriptedDevice device{{{.error = ENOTTY}}};
  const auto evidence = request_evidence(device, nonce);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  EXPECT_TRUE(evidence->certificates.empty());
  EXPECT_TRUE(evidence->to_json().find("cert_chain")->is_null());
  EXPECT_THAT(device.sizes, testing::ElementsAre(16384, 0));
}

TEST(SevGuest, a_busy_host_is_asked_again_a_few_times) {
  const SevGuestDevice::Answer later{.error = EAGAIN, .exit_info = busy};
  ScriptedDevice device{{later, later, {.error = EINTR}}};
  EXPECT_TRUE(request_evidence(device, nonce));
  EXPECT_EQ(device.pauses, 3U);
  EXPECT_EQ(code({later, later, later, later, later}), EvidenceError::device_failed);
}

TEST(SevGuest, errors_of_the_device_are_told) {
  EXPECT_EQ(code({{.error = ENOENT}}), EvidenceError::no_device);
  EXPECT_EQ(code({{.error = EIO, .exit_info = 0x16}}), EvidenceError::device_failed);
  EXPECT_EQ(code({{.error = EIO, .exit_info = invalid_length, .table_size = 2U << 20}}), EvidenceError::device_failed);
  EXPECT_EQ(code({{.error = EIO, .exit_info = invalid_length, .table_size = 100}}), EvidenceError::device_failed);
}

TEST(SevGuest, short_and_odd_answers_are_refused) {
  auto answer = sound_answer();
  for (const std::size_t size : {0U, 4U, 8U, 32U, 1215U}) {
    auto cut = answer;
    cut.response.resize(size);
    EXPECT_EQ(code({cut}), EvidenceError::device_failed) << size;
  }
  auto odd = answer;
  odd.response[0] = std::byte{0x16};
  EXPECT_EQ(code({odd}), EvidenceError::device_failed);
  odd = answer;
  odd.response[4] ^= std::byte{1};
  EXPECT_EQ(code({odd}), EvidenceError::device_failed);
  odd = answer;
  odd.response[32] = std::byte{9};  // the version
  EXPECT_EQ(code({odd}), EvidenceError::device_failed);
  odd = answer;
  odd.response[32 + 0x50] ^= std::byte{1};  // another's report data
  EXPECT_EQ(code({odd}), EvidenceError::device_failed);
  odd = answer;
  odd.certificate_table[16] = std::byte{0xff};
  odd.certificate_table[18] = std::byte{0xff};  // an offset outside
  EXPECT_EQ(code({odd}), EvidenceError::device_failed);
}

TEST(CertificateTable, what_was_written_is_read) {
  const auto certificates = platform().certificates();
  EXPECT_EQ(parse_certificate_table(make_certificate_table(certificates)), certificates);
  EXPECT_TRUE(parse_certificate_table({})->empty());
  EXPECT_TRUE(parse_certificate_table(Bytes(4096))->empty());
}

TEST(CertificateTable, without_an_end_it_is_refused) {
  EXPECT_EQ(parse_certificate_table(Bytes(4096, std::byte{0xff})).error().code, EvidenceError::device_failed);
  Bytes endless(24 * 17, std::byte{0});
  for (std::size_t i = 0; i < endless.size(); i += 24) endless[i] = std::byte{1};
  EXPECT_EQ(parse_certificate_table(endless).error().code, EvidenceError::device_failed);
  EXPECT_EQ(parse_certificate_table(Bytes(10, std::byte{1})).error().code, EvidenceError::device_failed);
}

TEST(SnpAttester, binds_report_data_and_init_data) {
  const auto attester = make_attester_on(simulated_sev_guest(platform(), {.host_data = filled<32>(7)})).value();
  const auto value = attester->attest(Bytes(48, std::byte{3}));
  ASSERT_TRUE(value);
  const auto verifier = make_verifier(TeeKind::snp, simulated_options()).value();
  EXPECT_TRUE(verifier->verify(*value, {Bytes(48, std::byte{3}), Bytes(32, std::byte{7})}, now));
  EXPECT_EQ(attester->attest(Bytes(65)).error().code, EvidenceError::bad_runtime_data);
  EXPECT_TRUE(attester->bind_init_data(Bytes(48, std::byte{7})));
  EXPECT_EQ(attester->bind_init_data(Bytes(32, std::byte{8})).error().code, EvidenceError::init_data_mismatch);
}

TEST(SnpAttester, without_a_device_says_so) {
  const TemporaryDirectory directory;
  const auto attester = make_attester(TeeKind::snp, {.root = directory.path()}).value();
  EXPECT_EQ(attester->attest(Bytes(64)).error().code, EvidenceError::no_device);
  directory.write("dev/sev-guest", "a file");
  EXPECT_EQ(attester->attest(Bytes(64)).error().code, EvidenceError::device_failed);
}

class SnpSimulator : public testing::Test {
 protected:
  SnpSimulator() { EXPECT_TRUE(write_simulator_root(directory.path(), own_root)); }
  Result<std::vector<Claims>> run(const Bytes& report_data = Bytes(48, std::byte{3})) {
    VerifierOptions options;
    options.simulator_roots = {own_root.certificate};
    options.simulated_tees = {TeeKind::snp};
    const auto verifier = TRY(make_verifier(TeeKind::snp, options));
    return verifier->verify(TRY(attester->attest(report_data)), {report_data, {}}, system_clock().now());
  }
  ErrorCode refusal() {
    const auto claims = run();
    EXPECT_FALSE(claims);
    return claims ? ErrorCode{EvidenceError::no_device} : claims.error().code;
  }
  void dial(const SimulatorSettings& settings) {
    EXPECT_TRUE(save_simulator_settings(directory.path(), TeeKind::snp, settings));
  }

  TemporaryDirectory directory;
  SimulatorRoot own_root = make_simulator_root(system_clock().now()).value();
  std::unique_ptr<Attester> attester = make_simulator(TeeKind::snp, {.simulator_directory = directory.path()}).value();
};

TEST_F(SnpSimulator, makes_evidence_that_its_dials_say) {
  const auto plain = run();
  ASSERT_TRUE(plain) << to_string(plain.error());
  EXPECT_TRUE(plain->front().simulated_root);
  dial({.values = {{"measurement", std::string(96, 'a')}, {"product", "Turin"}, {"report_version", 5}}});
  const auto dialled = run();
  ASSERT_TRUE(dialled) << to_string(dialled.error());
  EXPECT_EQ(*dialled->front().claims.find("measurement"), json::Value{std::string(96, 'a')});
}

TEST_F(SnpSimulator, each_fault_is_refused_for_its_own_reason) {
  const std::pair<const char*, ErrorCode> faults[] = {{"old-tcb", SnpError::wrong_tcb},
                                                      {"wrong-nonce", EvidenceError::report_data_mismatch},
                                                      {"other-chip", SnpError::wrong_chip},
                                                      {"lower-privilege", SnpError::wrong_vmpl},
                                                      {"bad-signature", SnpError::bad_signature},
                                                      {"no-certificates", EvidenceError::collateral_missing},
                                                      {"revoked", SnpError::revoked},
                                                      {"expired", SnpError::not_valid_at_time}};
  for (const auto& [name, code] : faults) {
    dial({.faults = {name}});
    EXPECT_EQ(refusal(), code) << name;
  }
  dial({.faults = {"debug", "masked-chip-id", "wrong-measurement"}});
  EXPECT_EQ(*run()->front().claims.find("policy_debug_allowed"), json::Value{true});
}

TEST_F(SnpSimulator, unknown_dials_are_refused) {
  dial({.faults = {"old_tcb"}});
  EXPECT_EQ(attester->attest(Bytes(48)).error().code, EvidenceError::bad_config);
  const json::Object wrong[] = {{{"colour", 1}}, {{"product", "Rome"}}, {{"measurement", "ab"}}, {{"policy", "x"}}};
  for (const auto& values : wrong) {
    dial({.values = values});
    EXPECT_EQ(attester->attest(Bytes(48)).error().code, EvidenceError::bad_config);
  }
}

TEST_F(SnpSimulator, init_data_is_what_the_machine_was_launched_with) {
  EXPECT_TRUE(attester->bind_init_data(Bytes(48, std::byte{9})));
  EXPECT_EQ(run()->front().init_data, codec::hex_encode(Bytes(32, std::byte{9})));
  dial({.values = {{"host_data", std::string(64, 'b')}}});
  EXPECT_EQ(attester->bind_init_data(Bytes(32, std::byte{9})).error().code, EvidenceError::init_data_mismatch);
}

TEST_F(SnpSimulator, without_keys_says_so) {
  EXPECT_EQ(make_simulator(TeeKind::snp, {}).error().code, EvidenceError::bad_config);
  const TemporaryDirectory empty;
  const auto lost = make_simulator(TeeKind::snp, {.simulator_directory = empty.path()}).value();
  EXPECT_EQ(lost->attest(Bytes(48)).error().code, EvidenceError::bad_config);
  EXPECT_EQ(attester->attest(Bytes(65)).error().code, EvidenceError::bad_runtime_data);
}

}  // namespace
}  // namespace coffer::evidence::snp
