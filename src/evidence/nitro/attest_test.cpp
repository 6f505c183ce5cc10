#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "codec/base64.h"
#include "evidence/nitro/document.h"
#include "evidence/nitro/nitro.h"
#include "evidence/nitro/nsm_message.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::nitro {
namespace {

namespace cbor = codec::cbor;
using testing::HasSubstr;

const Bytes digest(48, std::byte{0x22});
const Bytes document = to_bytes("the document");

// A module with one register, which answers as the driver does, or as the test wants.
class FakeNsm final : public NsmDevice {
 public:
  struct State {
    Bytes pcr = Bytes(pcr_size);
    bool locked = false;
    std::vector<std::string> asked{};
    cbor::Value last_attestation{};
    std::function<std::optional<Bytes>(const std::string&)> override_answer{};
  };
  explicit FakeNsm(State& state) : state_(state) {}

  Result<Bytes> exchange(ByteView request) override {
    const auto value = *cbor::parse(request);
    const auto& [name, content] = value.if_map()->front();
    state_.asked.push_back(*name.if_text());
    if (state_.override_answer) {
      if (auto answer = state_.override_answer(*name.if_text())) return *std::move(answer);
    }
    return cbor::encode(answer(*name.if_text(), content));
  }

 private:
  cbor::Value answer(const std::string& name, const cbor::Value& content) {
    if (name == "Attestation") {
      state_.last_attestation = content;
      return cbor::Map{{"Attestation", cbor::Map{{"document", document}}}};
    }
    if (name == "DescribePCR") {
      return cbor::Map{{"DescribePCR", cbor::Map{{"lock", state_.locked}, {"data", state_.pcr}}}};
    }
    if (state_.locked) return cbor::Map{{"Error", "ReadOnlyIndex"}};
    if (name == "ExtendPCR") {
      state_.pcr = crypto::sha384(concat({state_.pcr, *content.find("data")->if_bytes()}));
      return cbor::Map{{"ExtendPCR", cbor::Map{{"data", state_.pcr}}}};
    }
    state_.locked = true;
    return "LockPCR";
  }
  State& state_;
};

class NitroAttest : public testing::Test {
 protected:
  void answer_always(Bytes answer) {
    state_.override_answer = [answer = std::move(answer)](const std::string&) { return answer; };
  }
  FakeNsm::State state_;
  std::unique_ptr<Attester> attester_ = make_attester_over(std::make_unique<FakeNsm>(state_));
};

TEST_F(NitroAttest, the_digest_goes_into_the_nonce_alone) {
  const auto evidence = attester_->attest(digest);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  EXPECT_EQ(*evidence->find("document")->if_string(), codec::base64_encode(document));
  EXPECT_EQ(*state_.last_attestation.find("nonce")->if_bytes(), digest);
  EXPECT_TRUE(state_.last_attestation.find("user_data")->is_null());
  EXPECT_TRUE(state_.last_attestation.find("public_key")->is_null());
}

TEST_F(NitroAttest, the_modules_errors_are_named) {
  answer_always(cbor::encode(cbor::Map{{"Error", "InputTooLarge"}}));
  const auto evidence = attester_->attest(digest);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, EvidenceError::device_failed);
  EXPECT_THAT(evidence.error().message, HasSubstr("InputTooLarge"));
}

TEST_F(NitroAttest, short_odd_and_foreign_answers_are_failures) {
  auto whole = cbor::encode(cbor::Map{{"Attestation", cbor::Map{{"document", document}}}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    answer_always({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_EQ(attester_->attest(digest).error().code, EvidenceError::device_failed) << size;
  }
  for (const cbor::Value& odd : {cbor::Value{"Attestation"}, cbor::Value{cbor::Map{{"Attestation", 1}}},
                                 cbor::Value{cbor::Map{{"Attestation", cbor::Map{{"document", Bytes{}}}}}},
                                 cbor::Value{cbor::Map{{"Error", 1}}}, cbor::Value{cbor::Map{{"GetRandom", 1}}}}) {
    answer_always(cbor::encode(odd));
    EXPECT_EQ(attester_->attest(digest).error().code, EvidenceError::device_failed);
  }
}

TEST_F(NitroAttest, init_data_is_extended_once_and_locked) {
  ASSERT_TRUE(attester_->bind_init_data(digest));
  EXPECT_TRUE(state_.locked);
  EXPECT_EQ(state_.pcr, init_data_pcr_value(digest));
  EXPECT_THAT(state_.asked, testing::ElementsAre("DescribePCR", "ExtendPCR", "LockPCR", "DescribePCR"));
  state_.asked.clear();
  EXPECT_TRUE(attester_->bind_init_data(digest));  // a second start
  EXPECT_THAT(state_.asked, testing::ElementsAre("DescribePCR"));
}

TEST_F(NitroAttest, other_init_data_in_the_register_is_a_mismatch) {
  ASSERT_TRUE(attester_->bind_init_data(digest));
  EXPECT_EQ(attester_->bind_init_data(Bytes(32)).error().code, EvidenceError::init_data_mismatch);
  state_ = {.pcr = init_data_pcr_value(digest)};  // extended, but never locked
  EXPECT_THAT(attester_->bind_init_data(digest).error().message, HasSubstr("found unlocked"));
}

TEST_F(NitroAttest, failures_on_the_way_to_the_register_are_failures) {
  for (const std::string failing : {"DescribePCR", "ExtendPCR", "LockPCR"}) {
    state_ = {};
    state_.override_answer = [&](const std::string& name) -> std::optional<Bytes> {
      if (name != failing) return std::nullopt;
      return cbor::encode(cbor::Map{{"Error", "InvalidIndex"}});
    };
    EXPECT_EQ(attester_->bind_init_data(digest).error().code, EvidenceError::device_failed) << failing;
  }
  state_ = {};
  answer_always(cbor::encode(cbor::Map{{"DescribePCR", cbor::Map{{"data", Bytes(48)}}}}));
  EXPECT_EQ(attester_->bind_init_data(digest).error().code, EvidenceError::device_failed);
}

TEST(NitroRequest, is_what_serde_reads) {
  // {"Attestation": {"nonce": h'01', "user_data": null, "public_key": null}}
  EXPECT_EQ(codec::hex_encode(encode_attestation_request({.nonce = Bytes(1, std::byte{1})})),
            "a16b4174746573746174696f6ea3656e6f6e6365410169757365725f64617461f66a7075626c69635f6b6579f6");
  EXPECT_EQ(codec::hex_encode(encode_describe_pcr(16)), "a16b4465736372696265504352a165696e64657810");
}

TEST(SystemNsm, is_absent_here) {
  const auto attester = make_attester(TeeKind::nitro, {.root = "/nonexistent"});
  ASSERT_TRUE(attester);
  EXPECT_EQ((*attester)->attest(digest).error().code, EvidenceError::no_device);
  EXPECT_EQ((*attester)->extend_runtime_measurement(10, digest).error().code, EvidenceError::not_supported);
}

TEST(SystemNsm, requests_over_the_drivers_limit_are_never_sent) {
  EXPECT_EQ(system_nsm_device("/")->exchange(Bytes(max_nsm_request + 1)).error().code, EvidenceError::device_failed);
}

TEST(SystemNsm, a_file_that_is_no_device_is_a_failure) {
  const TemporaryDirectory root;
  root.write("dev/nsm", "");
  EXPECT_EQ(system_nsm_device(root.path())->exchange(Bytes(1)).error().code, EvidenceError::device_failed);
}

}  // namespace
}  // namespace coffer::evidence::nitro
