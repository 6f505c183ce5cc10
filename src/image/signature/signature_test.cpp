#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "image/layout.h"
#include "image/push.h"
#include "image/registry.h"
#include "image/signature/payload.h"
#include "image/signature/sign.h"
#include "image/signature/verify.h"
#include "image/testing/archives.h"
#include "image/testing/expect.h"
#include "image/testing/fake_registry.h"
#include "image/testing/memory_store.h"
#include "image/testing/temp_dir.h"

namespace coffer::image::signature {
namespace {

using namespace image::testing;
using crypto::KeyKind;
using crypto::PrivateKey;
using ::testing::HasSubstr;

// What a MemoryStore has beside its image, as a sink: put_manifest() with a tag adds that tag.
class Beside final : public ImageSink {
 public:
  Beside(MemoryStore& store, std::string tag) : store_(store), tag_(std::move(tag)) {}
  Result<bool> has_blob(const Digest& digest) override { return store_.has_blob(digest); }
  Result<std::unique_ptr<BlobWriter>> begin_blob() override { return store_.begin_blob(); }
  Result<> put_manifest(const RawManifest& manifest, bool) override {
    store_.other_tags.insert_or_assign(tag_, manifest.digest);
    return store_.put_manifest(manifest, false);
  }
  std::string name() const override { return "beside memory"; }

 private:
  MemoryStore& store_;
  std::string tag_;
};

TrustedKeys keys_of(const PrivateKey& key) {
  return TrustedKeys::parse(key.public_key().to_pem(), "a test's key").value();
}

class Signature : public ::testing::Test {
 protected:
  Signature() { push_wasm(small_module(), store_, {}).value(); }

  Digest digest() const { return *store_.tagged_; }
  void sign(const PrivateKey& key) {
    Beside sink{store_, signature_tag(digest())};
    sign_image(store_, sink, key, "registry/app").value();
  }
  // A signature manifest of one layer, with one thing wrong.
  struct Broken {
    std::string payload, signature;
    std::string media_type{payload_media_type};
    Annotations more{};
    std::string artifact_type{};
  };
  Digest store(const Broken& broken) {
    auto layer = store_.put(as_bytes(broken.payload), broken.media_type);
    layer.annotations = broken.more;
    if (!broken.signature.empty()) layer.annotations.emplace(signature_annotation, broken.signature);
    const auto config = store_.put(as_bytes("{}"), media_type::oci_config);
    const Manifest manifest{.media_type = std::string{media_type::oci_manifest},
                            .artifact_type = broken.artifact_type,
                            .config = config,
                            .layers = {layer}};
    const auto text = manifest.to_json();
    const RawManifest raw{manifest.media_type, to_bytes(text), Digest::of(as_bytes(text))};
    store_.put_manifest(raw, false).value();
    return raw.digest;
  }
  void put(const Broken& broken) { store_.other_tags.insert_or_assign(signature_tag(digest()), store(broken)); }
  std::string payload() const { return SimpleSigning{.manifest = digest(), .reference = "r"}.to_json(); }
  std::string by_key(const std::string& text) const { return sign_content(key_, as_bytes(text)).value(); }
  ErrorCode refusal() {
    const auto verified = verify_image(store_, keys_of(key_));
    EXPECT_FALSE(verified);
    return verified ? ErrorCode{ImageError::io} : verified.error().code;
  }

  MemoryStore store_;
  PrivateKey key_ = PrivateKey::generate(KeyKind::ec_p256).value();
};

TEST_F(Signature, one_by_each_kind_of_key_is_verified) {
  for (const auto kind : {KeyKind::ec_p256, KeyKind::rsa, KeyKind::ed25519}) {
    const auto key = PrivateKey::generate(kind).value();
    sign(key);
    const auto verified = verify_image(store_, keys_of(key));
    ASSERT_TRUE(verified) << to_string(verified.error());
    EXPECT_EQ(verified->digest, digest());
    EXPECT_EQ(verified->reference, "registry/app");
    EXPECT_EQ(verified->key, describe(key.public_key()));
  }
}

TEST_F(Signature, several_stand_side_by_side_and_one_trusted_key_is_enough) {
  const auto other = PrivateKey::generate(KeyKind::ed25519).value();
  sign(key_);
  sign(other);
  EXPECT_TRUE(verify_image(store_, keys_of(key_)));
  EXPECT_TRUE(verify_image(store_, keys_of(other)));
}

TEST_F(Signature, none_is_its_own_refusal) {
  EXPECT_EQ(refusal(), ImageError::signature_missing);
}

TEST_F(Signature, one_by_a_stranger_is_refused) {
  sign(PrivateKey::generate(KeyKind::ec_p256).value());
  EXPECT_EQ(refusal(), ImageError::signature_invalid);
}

TEST_F(Signature, one_over_another_image_is_refused) {
  const auto other = SimpleSigning{.manifest = Digest::of(as_bytes("another")), .reference = "r"}.to_json();
  put({.payload = other, .signature = by_key(other)});
  EXPECT_EQ(refusal(), ImageError::signature_mismatch);
}

TEST_F(Signature, a_changed_document_is_refused) {
  put({.payload = payload() + " ", .signature = by_key(payload())});
  EXPECT_EQ(refusal(), ImageError::signature_invalid);
}

TEST_F(Signature, a_signature_that_is_no_base64_or_absent_is_refused) {
  put({.payload = payload(), .signature = "not base64"});
  EXPECT_EQ(refusal(), ImageError::signature_invalid);
  put({.payload = payload(), .signature = ""});
  EXPECT_EQ(refusal(), ImageError::signature_invalid);
}

TEST_F(Signature, a_document_of_another_kind_is_refused_although_it_is_signed) {
  for (
      const std::string text :
      {"{}", "no JSON", R"({"critical":{"type":"atomic container signature"}})",
       R"({"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":"sha256:x"},"identity":{"docker-reference":"r"}}})"}) {
    put({.payload = text, .signature = by_key(text)});
    EXPECT_EQ(refusal(), ImageError::bad_signature_payload) << text;
  }
}

TEST_F(Signature, a_keyless_one_is_refused_by_name) {
  const auto stranger = PrivateKey::generate(KeyKind::ec_p256).value();
  put({.payload = payload(),
       .signature = sign_content(stranger, as_bytes(payload())).value(),
       .more = {{"dev.sigstore.cosign/certificate", "-----BEGIN CERTIFICATE-----"}}});
  EXPECT_EQ(refusal(), ImageError::keyless_signature);
}

TEST_F(Signature, a_trusted_key_counts_although_a_certificate_stands_beside_it) {
  put({.payload = payload(),
       .signature = by_key(payload()),
       .more = {{"dev.sigstore.cosign/certificate", "-----BEGIN CERTIFICATE-----"}}});
  EXPECT_TRUE(verify_image(store_, keys_of(key_)));
}

TEST_F(Signature, layers_of_other_types_are_none) {
  put({.payload = payload(), .signature = by_key(payload()), .media_type = "application/json"});
  EXPECT_EQ(refusal(), ImageError::signature_missing);
}

TEST_F(Signature, a_document_over_the_limit_is_not_fetched) {
  const std::string large(max_payload_size + 1, ' ');
  put({.payload = large, .signature = by_key(large)});
  EXPECT_EQ(refusal(), ImageError::limit_exceeded);
}

TEST_F(Signature, those_among_the_referrers_count_as_well) {
  const auto manifest = store({.payload = payload(), .signature = by_key(payload())});
  store_.subjects.push_back({.media_type = std::string{media_type::oci_manifest}, .digest = manifest, .size = 1});
  EXPECT_TRUE(verify_image(store_, keys_of(key_)));
}

TEST_F(Signature, a_bundle_of_cosign_3_is_named) {
  const auto manifest = store({.payload = "{}",
                               .signature = "",
                               .media_type = "application/vnd.dev.sigstore.bundle.v0.3+json",
                               .artifact_type = "application/vnd.dev.sigstore.bundle.v0.3+json"});
  store_.subjects.push_back({.media_type = std::string{media_type::oci_manifest}, .digest = manifest, .size = 1});
  const auto verified = verify_image(store_, keys_of(key_));
  expect_error(verified, ImageError::signature_missing);
  EXPECT_THAT(verified.error().message, HasSubstr("--new-bundle-format=false"));
}

TEST_F(Signature, of_an_index_either_the_index_or_the_manifest_taken_from_it_may_be_signed) {
  const auto image = digest();
  sign(key_);  // the manifest
  const Index index{std::string{media_type::oci_index},
                    {{.media_type = std::string{media_type::oci_manifest},
                      .digest = image,
                      .size = 1,
                      .platform = Platform{.os = "wasip1", .architecture = "wasm"}}}};
  const auto text = index.to_json();
  store_.put_manifest({index.media_type, to_bytes(text), Digest::of(as_bytes(text))}, true).value();
  EXPECT_EQ(verify_image(store_, keys_of(key_)).value().digest, image);
  store_.other_tags.clear();
  sign(key_);  // the index
  EXPECT_EQ(verify_image(store_, keys_of(key_)).value().digest, digest());
  EXPECT_NE(digest(), image);
}

TEST_F(Signature, what_cosign_writes_is_read_and_written_byte_for_byte) {
  const std::string written =
      R"({"critical":{"identity":{"docker-reference":"index.docker.io/namespace/image"},"image":{"docker-manifest-digest":"sha256:4aa3054270f7a70b4528f2064ee90961788e1e1518703592ae4463de3b889dec"},"type":"cosign container image signature"},"optional":null})";
  const auto payload = SimpleSigning::parse(as_bytes(written));
  ASSERT_TRUE(payload) << to_string(payload.error());
  EXPECT_EQ(payload->reference, "index.docker.io/namespace/image");
  EXPECT_EQ(payload->to_json(), written);
}

TEST_F(Signature, a_registry_keeps_them_under_cosigns_tag) {
  FakeRegistry registry;
  const auto reference = parse_any_reference(registry.host() + "/team/app:1").value();
  push_wasm(small_module(), *open_sink(reference, {}).value(), {}).value();
  const auto source = open_source(reference, {}).value();
  const auto named = source->manifest(std::nullopt).value().digest;
  expect_error(verify_image(*source, keys_of(key_)), ImageError::signature_missing);
  const auto sink = open_sink(place_of_signatures(reference, named).value(), {}).value();
  EXPECT_EQ(sign_image(*source, *sink, key_, "x").value(), named);
  EXPECT_TRUE(registry.manifests.contains("sha256-" + std::string{named.hex()} + ".sig"));
  expect_success(verify_image(*source, keys_of(key_)));
}

TEST_F(Signature, a_registry_without_the_referrers_api_is_asked_by_its_tag_schema) {
  FakeRegistry registry;
  const auto source = Registry::open(ImageReference::parse(registry.host() + "/team/app:1").value()).value();
  const auto subject = Digest::of(as_bytes("subject"));
  EXPECT_TRUE(source->referrers(subject).value().manifests.empty());
  const Descriptor entry{.media_type = std::string{media_type::oci_manifest}, .digest = subject, .size = 3};
  const auto index = to_bytes(Index{std::string{media_type::oci_index}, {entry}}.to_json());
  registry.manifests["sha256-" + std::string{subject.hex()}] = {std::string{media_type::oci_index}, index};
  EXPECT_EQ(source->referrers(subject).value().manifests.size(), 1U);
  registry.set_fault([&](const net::ServerRequest& request) -> std::optional<net::ServerResponse> {
    if (!request.path.contains("/referrers/")) return std::nullopt;
    return net::ServerResponse::text(200, media_type::oci_index,
                                     Index{std::string{media_type::oci_index}, {entry, entry}}.to_json());
  });
  EXPECT_EQ(source->referrers(subject).value().manifests.size(), 2U);
}

TEST_F(Signature, a_registry_that_fails_is_not_taken_for_one_without_signatures) {
  FakeRegistry registry;
  const auto reference = ImageReference::parse(registry.host() + "/team/app:1").value();
  const auto source = Registry::open(reference, {.attempts = 1}).value();
  push_wasm(small_module(), *source, {}).value();
  registry.set_fault([](const net::ServerRequest& request) -> std::optional<net::ServerResponse> {
    if (!request.path.ends_with(".sig")) return std::nullopt;
    return net::ServerResponse::text(503, "text/plain", "");
  });
  expect_error(verify_image(*source, keys_of(key_)), ImageError::registry_unavailable);
}

TEST_F(Signature, a_layout_keeps_them_likewise) {
  const TempDir directory;
  const AnyReference reference = LayoutReference{directory / "layout", "1"};
  push_wasm(small_module(), *open_sink(reference, {}).value(), {}).value();
  const auto source = open_source(reference, {}).value();
  const auto named = source->manifest(std::nullopt).value().digest;
  const auto sink = open_sink(place_of_signatures(reference, named).value(), {}).value();
  sign_image(*source, *sink, key_, "x").value();
  expect_success(verify_image(*source, keys_of(key_)));
}

TEST_F(Signature, content_is_verified_by_each_kind_of_key) {
  const auto content = to_bytes("a module");
  for (const auto kind : {KeyKind::ec_p256, KeyKind::rsa, KeyKind::ed25519}) {
    const auto key = PrivateKey::generate(kind).value();
    const auto signature = sign_content(key, content).value();
    EXPECT_EQ(verify_content(keys_of(key), content, signature).value(), describe(key.public_key()));
    expect_error(verify_content(keys_of(key), to_bytes("another"), signature), ImageError::signature_invalid);
    expect_error(verify_content(keys_of(key_), content, signature), ImageError::signature_invalid);
  }
}

TEST_F(Signature, larger_curves_are_verified_with_their_own_hash_and_do_not_sign) {
  for (const auto kind : {KeyKind::ec_p384, KeyKind::ec_p521}) {
    const auto key = PrivateKey::generate(kind).value();
    const auto raw = key.sign(crypto::default_algorithm(kind), to_bytes("m")).value();
    const auto signature = codec::base64_encode(crypto::ecdsa_to_der(kind, raw).value());
    expect_success(verify_content(keys_of(key), to_bytes("m"), signature));
    expect_error(verify_content(keys_of(key), to_bytes("n"), signature), ImageError::signature_invalid);
    expect_error(sign_content(key, to_bytes("m")), ImageError::bad_signing_key);
  }
}

TEST(TrustedKeysTest, a_file_may_hold_several_and_their_order_does_not_matter) {
  const auto one = PrivateKey::generate(KeyKind::ec_p256).value().public_key().to_pem();
  const auto two = PrivateKey::generate(KeyKind::ed25519).value().public_key().to_pem();
  const auto both = TrustedKeys::parse("first\n" + one + "second\n" + two, "x").value();
  EXPECT_EQ(both.keys().size(), 2U);
  EXPECT_EQ(both.fingerprint(), TrustedKeys::parse(two + one, "x").value().fingerprint());
  EXPECT_NE(both.fingerprint(), TrustedKeys::parse(one, "x").value().fingerprint());
}

TEST(TrustedKeysTest, a_directory_is_all_its_keys_and_an_empty_one_is_an_error) {
  const TempDir directory;
  expect_error(TrustedKeys::load(directory.path()), ImageError::bad_signing_key);
  const auto write = [&](std::string_view name, const std::string& text) { std::ofstream{directory / name} << text; };
  write("a.pem", PrivateKey::generate(KeyKind::ec_p256).value().public_key().to_pem());
  write("cosign.pub", PrivateKey::generate(KeyKind::ec_p256).value().public_key().to_pem());
  write("README", "no key");
  EXPECT_EQ(TrustedKeys::load(directory.path()).value().keys().size(), 2U);
  EXPECT_EQ(TrustedKeys::load(directory / "a.pem").value().keys().size(), 1U);
  write("broken.pem", "");
  expect_error(TrustedKeys::load(directory.path()), ImageError::bad_signing_key);
  expect_error(TrustedKeys::load(directory / "none.pem"), ImageError::bad_signing_key);
}

TEST(TrustedKeysTest, what_is_no_public_key_is_named) {
  const auto key = PrivateKey::generate(KeyKind::ec_p256).value();
  const auto pem = key.public_key().to_pem();
  std::string many;
  for (std::size_t i = 0; i <= TrustedKeys::max_keys; ++i) many += pem;
  const std::string secret{as_text(key.to_pem_pkcs8().expose())};
  for (const auto& text : {std::string{}, std::string{"-----BEGIN PUBLIC KEY-----\nAAAA"},
                           std::string{"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"},
                           std::string{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, secret, many}) {
    expect_error(TrustedKeys::parse(text, "x"), ImageError::bad_signing_key);
  }
}

}  // namespace
}  // namespace coffer::image::signature
