#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/az_vtpm/az_vtpm.h"
#include "evidence/az_vtpm/evidence.h"
#include "evidence/az_vtpm/hcl_report.h"
#include "evidence/tpm/simulate.h"

namespace coffer::evidence::az_vtpm {
namespace {

namespace json = codec::json;
using namespace std::chrono_literals;

const TimePoint now = from_unix_seconds(1'760'000'000);
const Bytes report_data(48, std::byte{0x11});
const Bytes hardware_report(hardware_report_size, std::byte{0x77});

const tpm::SimulatedKey& key(crypto::KeyKind kind = crypto::KeyKind::rsa) {
  static std::map<crypto::KeyKind, tpm::SimulatedKey> made;
  const auto root = *make_simulator_root(now, crypto::KeyKind::ec_p256);
  const auto found = made.find(kind);
  if (found != made.end()) return found->second;
  auto fresh = *tpm::make_simulated_key(root, {.kind = kind, .not_before = now, .not_after = now + 1h});
  return made.emplace(kind, std::move(fresh)).first->second;
}

// A paravisor: it renews its report some time after the guest wrote, and never says when.
struct Machine {
  explicit Machine(Hardware of = Hardware::snp, crypto::KeyKind kind = crypto::KeyKind::rsa) : hardware(of) {
    tpm = *tpm::SoftwareTpm::create(key(kind), {}, tpm::boot_log({}));
    tpm->written_nv = [this](tpm::SoftwareTpm&, std::uint32_t index) {
      EXPECT_EQ(index, report_data_index);
      pending = true;
    };
  }
  void pause(std::chrono::milliseconds time) {
    paused += time;
    if (!pending || paused < renewal_time) return;
    const auto written = tpm->read_nv(report_data_index);
    const auto text = json::serialize(json::Object{{"user-data", codec::hex_encode(*written)}});
    tpm->put_nv(report_index, HclReport{hardware, hardware_report, as_bytes(text)}.encode(2600));
  }

  Hardware hardware;
  std::shared_ptr<tpm::SoftwareTpm> tpm;
  bool pending = false;
  std::chrono::milliseconds paused{0};
};

class FakeMetadata final : public Metadata {
 public:
  Result<Bytes> vcek() override {
    if (fails) return fail(EvidenceError::no_device, "no metadata service");
    return to_bytes(std::string_view{"vcek"});
  }
  Result<Bytes> td_quote(ByteView td_report) override {
    if (fails) return fail(EvidenceError::no_device, "no metadata service");
    asked = to_bytes(td_report);
    return to_bytes(std::string_view{"quote"});
  }
  bool fails = false;
  Bytes asked;
};

struct Guest {
  explicit Guest(TeeKind kind, crypto::KeyKind key_kind = crypto::KeyKind::rsa)
      : machine(kind == TeeKind::az_snp_vtpm ? Hardware::snp : Hardware::tdx, key_kind),
        attester(
            make_attester_over(kind, {[this]() -> Result<std::shared_ptr<tpm::TpmDevice>> { return machine.tpm; },
                                      metadata, [this](std::chrono::milliseconds time) { machine.pause(time); }})) {}
  Machine machine;
  std::shared_ptr<FakeMetadata> metadata = std::make_shared<FakeMetadata>();
  std::unique_ptr<Attester> attester;
};

TEST(AzAttester, evidence_is_upstreams_of_version_2) {
  Guest guest{TeeKind::az_snp_vtpm};
  const auto value = guest.attester->attest(report_data);
  ASSERT_TRUE(value) << to_string(value.error());
  EXPECT_EQ(*value->find("version"), json::Value{2});
  const auto evidence = parse_evidence(TeeKind::az_snp_vtpm, *value);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  EXPECT_EQ(evidence->pcrs.size(), 24U);
  EXPECT_EQ(evidence->signature.size(), 256U);
  EXPECT_EQ(coffer::to_text(evidence->endorsement), "vcek");
  EXPECT_EQ(tpm::parse_quote(evidence->message)->extra_data, report_data);
  EXPECT_EQ(to_json(TeeKind::az_snp_vtpm, *evidence), *value);
}

TEST(AzAttester, report_is_the_one_made_for_this_report_data) {
  Guest guest{TeeKind::az_snp_vtpm};
  guest.machine.tpm->put_nv(report_index, to_bytes(std::string_view{"an older report"}));
  const auto evidence = parse_evidence(TeeKind::az_snp_vtpm, *guest.attester->attest(report_data));
  EXPECT_EQ(guest.machine.paused, renewal_time);
  const auto hcl = HclReport::parse(evidence->hcl_report);
  ASSERT_TRUE(hcl) << to_string(hcl.error());
  EXPECT_EQ(as_text(hcl->runtime_data),
            R"({"user-data":")" + codec::hex_encode(report_data) + std::string(32, '0') + "\"}");
}

TEST(AzAttester, td_quote_is_asked_for_the_report_of_the_machine) {
  Guest guest{TeeKind::az_tdx_vtpm};
  const auto evidence = parse_evidence(TeeKind::az_tdx_vtpm, *guest.attester->attest(report_data));
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  EXPECT_EQ(coffer::to_text(evidence->endorsement), "quote");
  EXPECT_EQ(guest.metadata->asked, Bytes(td_report_size, std::byte{0x77}));
}

TEST(AzAttester, a_metadata_service_that_fails_is_told) {
  for (const auto kind : {TeeKind::az_snp_vtpm, TeeKind::az_tdx_vtpm}) {
    Guest guest{kind};
    guest.metadata->fails = true;
    EXPECT_EQ(guest.attester->attest(report_data).error().code, EvidenceError::no_device);
  }
}

TEST(AzAttester, a_machine_without_report_is_none_of_azures) {
  Guest guest{TeeKind::az_snp_vtpm};
  guest.machine.tpm->written_nv = {};
  const auto evidence = guest.attester->attest(report_data);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, EvidenceError::no_device);
}

TEST(AzAttester, a_key_that_does_not_sign_by_rsassa_is_the_devices_failure) {
  Guest guest{TeeKind::az_snp_vtpm, crypto::KeyKind::ec_p256};
  EXPECT_EQ(guest.attester->attest(report_data).error().code, EvidenceError::device_failed);
}

TEST(AzAttester, init_data_and_runtime_measurements_go_to_the_vtpm) {
  Guest guest{TeeKind::az_snp_vtpm};
  EXPECT_EQ(guest.attester->kind(), TeeKind::az_snp_vtpm);
  EXPECT_TRUE(guest.attester->bind_init_data(Bytes(32)));
  EXPECT_EQ(guest.machine.tpm->read_pcrs()->at(8), tpm::extended_once(Bytes(32)));
  EXPECT_EQ(guest.attester->runtime_register(17)->index, 15U);
  EXPECT_TRUE(guest.attester->extend_runtime_measurement(17, Bytes(32)));
  EXPECT_EQ(*guest.attester->read_runtime_measurement(17), tpm::extended_once(Bytes(32)));
}

TEST(AzAttester, without_tpm_is_told_at_the_first_use) {
  const auto attester = make_attester(TeeKind::az_snp_vtpm, {.root = "/nonexistent"});
  ASSERT_TRUE(attester);
  EXPECT_EQ((*attester)->attest(report_data).error().code, EvidenceError::no_device);
}

}  // namespace
}  // namespace coffer::evidence::az_vtpm
