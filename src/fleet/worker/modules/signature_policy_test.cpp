#include "fleet/worker/modules/signature_policy.h"

#include <gtest/gtest.h>

#include "image/signature/sign.h"

namespace coffer::fleet::worker {
namespace {

using crypto::KeyKind;
using crypto::PrivateKey;
using image::ImageError;
using image::signature::TrustedKeys;

const PrivateKey& operators_key() {
  static const auto key = PrivateKey::generate(KeyKind::ec_p256).value();
  return key;
}

const PrivateKey& requests_key() {
  static const auto key = PrivateKey::generate(KeyKind::ed25519).value();
  return key;
}

class SignaturePolicyTest : public ::testing::Test {
 protected:
  SignaturePolicy policy(bool own = true) {
    std::optional<TrustedKeys> keys;
    if (own) keys = TrustedKeys::parse(operators_key().public_key().to_pem(), "own").value();
    return {std::move(keys), [this](const codec::ResourceUri& uri, const std::string& kbs_uri) -> Result<SecretBytes> {
              asked_.push_back(uri.text() + " " + kbs_uri);
              return SecretBytes::copy_of(requests_key().public_key().to_pem());
            }};
  }
  static StartCommand task(const std::string& public_key, const std::string& signature) {
    StartCommand out{.id = "t", .name = "add", .kbs_uri = "http://kbs"};
    out.module_signature = ModuleSignature{.public_key = public_key, .signature = signature};
    return out;
  }
  static std::string signed_by(const PrivateKey& key) { return image::signature::sign_content(key, module()).value(); }
  static Bytes module() { return to_bytes("module"); }
  static std::string pem() { return requests_key().public_key().to_pem(); }

  std::vector<std::string> asked_;
};

TEST_F(SignaturePolicyTest, without_keys_nothing_is_asked) {
  const auto demand = policy(false).demand({.id = "t", .name = "add"});
  ASSERT_TRUE(demand);
  EXPECT_FALSE(demand->is_for_image());
  EXPECT_TRUE(demand->check_origin("from anywhere"));
  EXPECT_TRUE(demand->check_module(module(), "t"));
}

TEST_F(SignaturePolicyTest, the_workers_keys_hold_for_every_task_wherever_its_module_comes_from) {
  const auto demand = policy().demand({.id = "t", .name = "add"});
  ASSERT_TRUE(demand);
  EXPECT_TRUE(demand->is_for_image());
  EXPECT_EQ(demand->check_origin("in the request itself").error().code, ImageError::signature_missing);
}

TEST_F(SignaturePolicyTest, a_signature_over_the_module_takes_the_place_of_the_images) {
  const auto demand = policy().demand(task("", signed_by(operators_key())));
  ASSERT_TRUE(demand);
  EXPECT_FALSE(demand->is_for_image());
  EXPECT_TRUE(demand->check_origin("by proxy"));
  EXPECT_TRUE(demand->check_module(module(), "t"));
  EXPECT_EQ(demand->check_module(to_bytes("another"), "t").error().code, ImageError::signature_invalid);
}

TEST_F(SignaturePolicyTest, a_request_names_its_own_key_where_the_worker_has_none) {
  const auto demand = policy(false).demand(task(pem(), signed_by(requests_key())));
  ASSERT_TRUE(demand);
  EXPECT_TRUE(demand->check_module(module(), "t"));
  const auto other = policy(false).demand(task(pem(), signed_by(operators_key())));
  EXPECT_EQ(other->check_module(module(), "t").error().code, ImageError::signature_invalid);
}

TEST_F(SignaturePolicyTest, a_requests_key_is_asked_for_beside_the_workers_and_not_in_its_place) {
  const auto demand = policy().demand(task(pem(), signed_by(requests_key())));
  ASSERT_TRUE(demand);
  EXPECT_EQ(demand->check_module(module(), "t").error().code, ImageError::signature_invalid);
}

TEST_F(SignaturePolicyTest, a_key_may_stand_with_the_broker) {
  const auto demand = policy(false).demand(task("kbs:///default/key/cosign", signed_by(requests_key())));
  ASSERT_TRUE(demand) << to_string(demand.error());
  EXPECT_TRUE(demand->check_module(module(), "t"));
  EXPECT_EQ(asked_, std::vector<std::string>{"kbs:///default/key/cosign http://kbs"});
}

TEST_F(SignaturePolicyTest, a_signature_without_any_key_and_a_key_that_is_none_are_refused) {
  EXPECT_EQ(policy(false).demand(task("", "AAAA")).error().code, WorkerError::no_trusted_key);
  EXPECT_EQ(policy(false).demand(task("-----BEGIN PUBLIC KEY-----", "AAAA")).error().code, ImageError::bad_signing_key);
}

TEST_F(SignaturePolicyTest, demands_that_differ_have_different_fingerprints) {
  const auto own = policy().demand({.id = "t", .name = "add"})->fingerprint();
  EXPECT_EQ(own, policy().demand({.id = "u", .name = "sub"})->fingerprint());
  EXPECT_NE(own, policy(false).demand({.id = "t", .name = "add"})->fingerprint());
  EXPECT_NE(own, policy().demand(task(pem(), ""))->fingerprint());
  EXPECT_NE(own, policy().demand(task("", "AAAA"))->fingerprint());
}

}  // namespace
}  // namespace coffer::fleet::worker
