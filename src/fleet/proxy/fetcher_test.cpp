#include "fleet/proxy/fetcher.h"

#include <gtest/gtest.h>

#include "image/signature/payload.h"
#include "image/signature/verify.h"
#include "image/testing/fake_registry.h"
#include "net/error.h"

namespace coffer::fleet::proxy {
namespace {

using image::Descriptor;
using image::Digest;
using image::testing::FakeRegistry;

Descriptor put_blob(FakeRegistry& registry, const std::string& content, std::string_view type) {
  const auto digest = Digest::of(as_bytes(content));
  registry.blobs[digest.text()] = to_bytes(content);
  return {.media_type = std::string{type}, .digest = digest, .size = content.size()};
}

Digest put_manifest(FakeRegistry& registry, const std::string& tag, const std::string& content, std::string_view type) {
  const auto digest = Digest::of(as_bytes(content));
  for (const auto& name : {tag, digest.text()}) registry.manifests[name] = {std::string{type}, to_bytes(content)};
  return digest;
}

Digest put_image(FakeRegistry& registry, const std::string& tag, std::vector<Descriptor> layers) {
  const image::Manifest manifest{.media_type = std::string{image::media_type::oci_manifest},
                                 .config = put_blob(registry, "{}", image::media_type::wasm_content_config),
                                 .layers = std::move(layers)};
  return put_manifest(registry, tag, manifest.to_json(), manifest.media_type);
}

Digest put_wasm(FakeRegistry& registry, const std::string& tag, const std::string& module) {
  return put_image(registry, tag, {put_blob(registry, module, image::media_type::wasm_content)});
}

struct Received {
  std::vector<Chunk> chunks{};
  std::string text() const {
    std::string all;
    for (const auto& chunk : chunks) all += as_text(chunk.data);
    return all;
  }
};

Result<Fetched> fetch(const std::string& name, Received& received, const FetchConfig& config = {.chunk_size = 4}) {
  const auto fetcher = Fetcher::create(config).value();
  return fetcher.fetch(name, [&](const Chunk& chunk) -> Result<> {
    EXPECT_LE(to_json(chunk).size(), config.max_message);
    received.chunks.push_back(chunk);
    return {};
  });
}

void expect_code(const Result<Fetched>& outcome, ErrorCode code) {
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, code) << outcome.error().message;
}

TEST(Fetching, honours_tags_and_digests) {
  FakeRegistry registry;
  put_wasm(registry, "latest", "the latest module");
  const auto digest = put_wasm(registry, "v1", "the first module");
  for (const auto& [name, module] :
       std::map<std::string, std::string>{{registry.host() + "/team/app", "the latest module"},
                                          {registry.host() + "/team/app:latest", "the latest module"},
                                          {registry.host() + "/team/app:v1", "the first module"},
                                          {registry.host() + "/team/app@" + digest.text(), "the first module"}}) {
    Received received;
    const auto outcome = fetch(name, received);
    ASSERT_TRUE(outcome) << to_string(outcome.error());
    EXPECT_EQ(received.text(), module);
    for (const auto& chunk : received.chunks) EXPECT_EQ(chunk.app_name, name);
    EXPECT_EQ(received.chunks.front().digest, Digest::of(as_bytes(module)).text());
    EXPECT_EQ(received.chunks.front().manifest, as_text(registry
                                                            .manifests[name.ends_with("v1")      ? "v1"
                                                                       : name.contains("sha256") ? digest.text()
                                                                                                 : "latest"]
                                                            .second));
    EXPECT_TRUE(received.chunks.front().config.empty());
    EXPECT_EQ(outcome->chunks, received.chunks.size());
  }
}

TEST(Fetching, follows_an_index_to_its_wasm_entry) {
  FakeRegistry registry;
  const auto wasm = put_wasm(registry, "x", "module for wasm");
  const auto other = put_wasm(registry, "y", "something for another machine");
  image::Index index{.media_type = std::string{image::media_type::oci_index}, .manifests = {}};
  for (const auto& [digest, architecture] : {std::pair{other, "s390x"}, std::pair{wasm, "wasm"}})
    index.manifests.push_back(
        {.media_type = std::string{image::media_type::oci_manifest},
         .digest = digest,
         .size = registry.manifests[digest.text()].second.size(),
         .platform = image::Platform{.os = architecture == std::string{"wasm"} ? "wasip1" : "linux",
                                     .architecture = architecture}});
  put_manifest(registry, "multi", index.to_json(), index.media_type);
  Received received;
  const auto outcome = fetch(registry.host() + "/team/app:multi", received);
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  EXPECT_EQ(received.text(), "module for wasm");
}

TEST(Fetching, of_an_encrypted_image_brings_what_opens_it) {
  FakeRegistry registry;
  auto layer = put_blob(registry, "ciphertext", std::string{image::media_type::wasm_content} + "+encrypted");
  layer.annotations = {{"org.opencontainers.image.enc.pubopts", "e30="}};
  put_image(registry, "secret", {layer});
  Received received;
  const auto outcome = fetch(registry.host() + "/team/app:secret", received);
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  EXPECT_TRUE(outcome->encrypted);
  EXPECT_EQ(received.text(), "ciphertext");
  EXPECT_EQ(received.chunks.front().annotations, layer.annotations);
  EXPECT_EQ(received.chunks.front().config, "{}");
  EXPECT_FALSE(received.chunks.front().manifest.empty());
  for (std::size_t index = 1; index < received.chunks.size(); ++index)
    EXPECT_TRUE(received.chunks[index].manifest.empty());
}

TEST(Fetching, leaves_out_a_manifest_that_does_not_fit_unless_it_is_needed) {
  FakeRegistry registry;
  auto layer = put_blob(registry, "module", image::media_type::wasm_content);
  layer.annotations = {{"long", std::string(30'000, 'x')}};
  put_image(registry, "plain", {layer});
  layer.media_type += "+encrypted";
  put_image(registry, "secret", {layer});
  const FetchConfig config{.chunk_size = 4, .max_message = 20'000};
  Received received;
  ASSERT_TRUE(fetch(registry.host() + "/team/app:plain", received, config));
  EXPECT_TRUE(received.chunks.front().manifest.empty());
  EXPECT_EQ(received.text(), "module");
  Received none;
  expect_code(fetch(registry.host() + "/team/app:secret", none, config), ProxyError::too_large);
  EXPECT_TRUE(none.chunks.empty());
}

// A signature under cosign's tag, whose document has as many bytes.
void put_signature(FakeRegistry& registry, const Digest& image, std::size_t size) {
  const Descriptor config = put_blob(registry, "{}", image::media_type::oci_config);
  auto layer = put_blob(registry, std::string(size, 'p'), image::signature::payload_media_type);
  layer.annotations = {{std::string{image::signature::signature_annotation}, "AAAA"}};
  const auto other = put_blob(registry, "no signature", "application/json");
  const image::Manifest manifest{
      .media_type = std::string{image::media_type::oci_manifest}, .config = config, .layers = {layer, other}};
  put_manifest(registry, image::signature::signature_tag(image), manifest.to_json(), manifest.media_type);
}

TEST(Fetching, carries_the_signatures_that_stand_beside_an_image) {
  FakeRegistry registry;
  put_signature(registry, put_wasm(registry, "v1", "a module"), 3);
  Received received;
  ASSERT_TRUE(fetch(registry.host() + "/team/app:v1", received));
  ASSERT_GT(received.chunks.size(), 1U);
  const std::vector<ImageSignature> expected{
      {.payload = "ppp", .annotations = {{"dev.cosignproject.cosign/signature", "AAAA"}}}};
  EXPECT_EQ(received.chunks.front().signatures, expected);
  EXPECT_TRUE(received.chunks.back().signatures.empty());
}

TEST(Fetching, leaves_signatures_out_that_do_not_fit_or_cannot_be_had) {
  FakeRegistry registry;
  const auto digest = put_wasm(registry, "v1", "a module");
  put_signature(registry, digest, 30'000);
  Received large;
  ASSERT_TRUE(fetch(registry.host() + "/team/app:v1", large, {.chunk_size = 4, .max_message = 20'000}));
  EXPECT_TRUE(large.chunks.front().signatures.empty());
  EXPECT_FALSE(large.chunks.front().manifest.empty());
  registry.manifests[image::signature::signature_tag(digest)] = {std::string{image::media_type::oci_manifest},
                                                                 to_bytes("no manifest")};
  Received broken;
  ASSERT_TRUE(fetch(registry.host() + "/team/app:v1", broken));
  EXPECT_TRUE(broken.chunks.front().signatures.empty());
}

TEST(Fetching, never_completes_a_layer_that_is_not_what_its_manifest_says) {
  FakeRegistry registry;
  const auto layer = put_blob(registry, "0123456789", image::media_type::wasm_content);
  put_image(registry, "v1", {layer});
  registry.blobs[layer.digest.text()] = to_bytes("0123456780");
  Received received;
  expect_code(fetch(registry.host() + "/team/app:v1", received), image::ImageError::digest_mismatch);
  for (const auto& chunk : received.chunks) EXPECT_LT(chunk.index + 1, chunk.total);
}

TEST(Fetching, says_what_is_wrong_with_a_name_or_its_registry) {
  FakeRegistry registry;
  put_wasm(registry, "v1", "module");
  Received none;
  expect_code(fetch(registry.host() + "/team/app:v2", none), image::ImageError::not_found);
  expect_code(fetch("127.0.0.1:1/a:v1", none), net::NetError::refused);
  for (const std::string name :
       {"UPPER CASE", "../../etc/passwd", "http://169.254.169.254/latest", "oci:/etc", "a@sha256:00", "-"})
    expect_code(fetch(name, none), image::ImageError::bad_reference);
  EXPECT_TRUE(none.chunks.empty());
}

TEST(Fetching, keeps_to_the_registries_that_are_allowed_and_to_sizes) {
  FakeRegistry registry;
  put_wasm(registry, "v1", "a module");
  Received none;
  expect_code(fetch(registry.host() + "/team/app:v1", none, {.allowed_registries = {"elsewhere:5000"}}),
              ProxyError::registry_refused);
  expect_code(fetch(registry.host() + "/team/app:v1", none, {.max_layer = 7}), ProxyError::too_large);
  Received received;
  EXPECT_TRUE(fetch(registry.host() + "/team/app:v1", received, {.allowed_registries = {registry.host()}}));
}

TEST(Fetching, shows_credentials_to_their_registry_alone) {
  FakeRegistry registry{FakeRegistry::Auth::basic};
  put_wasm(registry, "v1", "a module");
  const auto with = [&](const std::string& host) {
    FetchConfig config{.registry_host = host};
    config.auth.add(
        host, {.username = std::string{FakeRegistry::user}, .password = SecretBytes::copy_of(FakeRegistry::password)});
    const auto fetcher = Fetcher::create(config).value();
    return fetcher.fetch(registry.host() + "/team/app:v1", [](const Chunk&) { return Result<>{}; });
  };
  EXPECT_TRUE(with(registry.host()));
  expect_code(with("other.example"), image::ImageError::unauthorized);
}

TEST(ChoosingALayer, takes_the_one_module_and_otherwise_the_largest) {
  FakeRegistry registry;
  const auto module = put_blob(registry, "m", image::media_type::wasm_content);
  const auto tar = put_blob(registry, "a larger tar", image::media_type::oci_layer);
  const auto odd = put_blob(registry, "odd", "application/octet-stream");
  const auto chosen = [&](std::vector<Descriptor> layers) {
    return choose_layer(image::Manifest{.media_type = "", .config = module, .layers = std::move(layers)}).digest;
  };
  EXPECT_EQ(chosen({tar, module}), module.digest);
  EXPECT_EQ(chosen({odd, tar}), tar.digest);
  EXPECT_EQ(chosen({odd}), odd.digest);
}

}  // namespace
}  // namespace coffer::fleet::proxy
