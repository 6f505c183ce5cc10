#include "image/registry.h"

#include <algorithm>

#include "image/pull.h"
#include "image/push.h"
#include "image/testing/archives.h"
#include "image/testing/expect.h"
#include "image/testing/fake_registry.h"
#include "image/testing/memory_store.h"

namespace coffer::image {
namespace {

using namespace image::testing;
using Auth = FakeRegistry::Auth;

RegistryOptions quick() {
  RegistryOptions options;
  options.first_retry_delay = std::chrono::milliseconds{1};
  options.upload_chunk_size = 1U << 20;
  return options;
}

std::unique_ptr<Registry> open(const std::string& host, RegistryOptions options = quick(),
                               std::string_view selector = ":tag") {
  return Registry::open(ImageReference::parse(host + "/team/app" + std::string{selector}).value(), std::move(options))
      .value();
}

RegistryOptions credentials_for(const FakeRegistry& server) {
  auto options = quick();
  options.auth.add(server.host(), {std::string{FakeRegistry::user}, SecretBytes::copy_of(FakeRegistry::password)});
  return options;
}

// A blob of a registry, read whole.
Result<Bytes> read(Registry& registry, const Descriptor& blob) {
  CollectSink out;
  TRY(fetch_blob(registry, blob, out));
  return std::move(out.content);
}

Descriptor describe(ByteView content) {
  return {.media_type = "application/octet-stream", .digest = Digest::of(content), .size = content.size()};
}

net::ServerResponse answer(int status) {
  return net::ServerResponse::text(status, "text/plain", "no");
}

TEST(registry, an_image_is_pushed_and_pulled_back) {
  FakeRegistry server;
  const auto registry = open(server.host());
  const auto pushed = push_wasm(module_of_size(3'500'000), *registry, {}).value();
  EXPECT_GT(server.count("PATCH"), 2U) << "a large blob goes in chunks";
  const auto pulled = pull_module(*registry, {});
  ASSERT_TRUE(pulled) << to_string(pulled.error());
  EXPECT_EQ(pulled->manifest_digest, pushed.manifest_digest);
  const auto by_digest = open(server.host(), quick(), "@" + pushed.manifest_digest.text());
  EXPECT_TRUE(pull_module(*by_digest, {}));
}

TEST(registry, a_small_blob_is_one_post_and_one_put) {
  FakeRegistry server;
  const auto registry = open(server.host());
  put_small_blob(*registry, as_bytes("hello"), "x/y").value();
  EXPECT_EQ(server.count("POST"), 1U);
  EXPECT_EQ(server.count("PUT"), 1U);
  EXPECT_EQ(server.count("PATCH"), 0U);
  put_small_blob(*registry, as_bytes("hello"), "x/y").value();
  EXPECT_EQ(server.count("POST"), 1U) << "what is there is not sent again";
}

TEST(registry, an_upload_that_is_given_up_is_deleted) {
  FakeRegistry server;
  const auto registry = open(server.host());
  {
    const auto writer = registry->begin_blob().value();
    expect_success(writer->write(noise(3'000'000)));
  }
  EXPECT_EQ(server.count("DELETE"), 1U);
  EXPECT_TRUE(server.blobs.empty());
}

TEST(registry, basic_credentials_are_sent_when_asked_for) {
  FakeRegistry server{Auth::basic};
  expect_success(push_wasm(small_module(), *open(server.host(), credentials_for(server)), {}));
  expect_error(pull_module(*open(server.host()), {}), ImageError::unauthorized);
}

TEST(registry, a_bearer_challenge_is_answered_anonymously_and_with_credentials) {
  FakeRegistry server{Auth::bearer};
  expect_success(push_wasm(small_module(), *open(server.host(), credentials_for(server)), {}));
  expect_success(pull_module(*open(server.host()), {}));
  expect_error(push_wasm(small_module(), *open(server.host()), {}), ImageError::unauthorized);
}

TEST(registry, a_token_is_asked_for_once) {
  FakeRegistry server{Auth::bearer};
  expect_success(push_wasm(small_module(), *open(server.host(), credentials_for(server)), {}));
  const auto before = server.count("GET /token");
  expect_success(pull_module(*open(server.host()), {}));
  EXPECT_EQ(server.count("GET /token") - before, 1U);
}

TEST(registry, an_identity_token_is_posted_for_an_access_token) {
  FakeRegistry server{Auth::bearer};
  auto options = quick();
  options.auth.add(server.host(), {"", {}, SecretBytes::copy_of(FakeRegistry::refresh_token)});
  expect_success(push_wasm(small_module(), *open(server.host(), std::move(options)), {}));
  EXPECT_EQ(server.count("POST /token"), 1U);
}

TEST(registry, an_access_token_is_shown_as_it_is) {
  FakeRegistry server{Auth::bearer};
  auto options = quick();
  options.auth.add(server.host(), {.username = {}, .password = {}, .access_token = SecretBytes::copy_of("push-token")});
  expect_success(push_wasm(small_module(), *open(server.host(), std::move(options)), {}));
  EXPECT_EQ(server.count("GET /token") + server.count("POST /token"), 0U);
  auto refused = quick();
  refused.auth.add(server.host(), {.username = {}, .password = {}, .access_token = SecretBytes::copy_of("stale")});
  expect_error(pull_module(*open(server.host(), std::move(refused)), {}), ImageError::unauthorized);
}

RegistryOptions trusting(const FakeRegistry& server) {
  auto options = credentials_for(server);
  options.plain_http = false;
  options.http = net::HttpClient::create({.extra_root_pems = {server.certificate()}}).value();
  return options;
}

TEST(registry, https_is_spoken_where_the_certificate_is_trusted) {
  FakeRegistry server{Auth::basic, true};
  expect_success(push_wasm(small_module(), *open(server.host(), trusting(server)), {}));
  expect_success(pull_module(*open(server.host(), trusting(server)), {}));
  auto stranger = quick();
  stranger.plain_http = false;
  expect_error(open(server.host(), std::move(stranger))->manifest(std::nullopt), net::NetError::tls);
}

TEST(registry, credentials_are_not_sent_to_a_token_service_in_the_clear) {
  FakeRegistry server{Auth::bearer, true};  // whose challenge names an http:// realm
  expect_error(open(server.host(), trusting(server))->manifest(std::nullopt), ImageError::registry_protocol);
  EXPECT_EQ(server.count("GET /token"), 0U);
}

TEST(registry, wrong_credentials_are_told) {
  FakeRegistry server{Auth::basic};
  auto options = quick();
  options.auth.add(server.host(), {"user", SecretBytes::copy_of("wrong")});
  expect_error(open(server.host(), std::move(options))->manifest(std::nullopt), ImageError::unauthorized);
}

TEST(registry, challenges_that_cannot_be_answered_are_told) {
  FakeRegistry server;
  for (const auto& [header, code] :
       {std::pair{"Negotiate", ImageError::unauthorized}, std::pair{"Bearer service=x", ImageError::registry_protocol},
        std::pair{"Bearer realm=\"", ImageError::registry_protocol},
        // In the clear to a host that the user never named.
        std::pair{"Bearer realm=\"http://192.0.2.1/token\"", ImageError::registry_protocol}}) {
    server.set_fault([&](const auto&) {
      auto refusal = answer(401);
      refusal.headers.set("WWW-Authenticate", header);
      return refusal;
    });
    expect_error(open(server.host())->manifest(std::nullopt), code);
  }
}

TEST(registry, a_token_service_without_a_token_is_told) {
  FakeRegistry server{Auth::bearer};
  server.set_fault([](const net::ServerRequest& request) {
    return request.path == "/token" ? std::optional{net::ServerResponse::text(200, "application/json", "{}")}
                                    : std::nullopt;
  });
  expect_error(open(server.host())->manifest(std::nullopt), ImageError::registry_protocol);
}

TEST(registry, statuses_have_their_codes) {
  FakeRegistry server;
  for (const auto& [status, code] :
       {std::pair{401, ImageError::unauthorized}, std::pair{403, ImageError::forbidden},
        std::pair{404, ImageError::not_found}, std::pair{429, ImageError::rate_limited},
        std::pair{500, ImageError::registry_unavailable}, std::pair{503, ImageError::registry_unavailable},
        std::pair{418, ImageError::registry_protocol}}) {
    server.set_fault([refusal = status](const auto&) { return answer(refusal); });
    const auto registry = open(server.host());
    expect_error(registry->manifest(std::nullopt), code);
    expect_error(read(*registry, describe(as_bytes("x"))), code);
    expect_error(registry->put_manifest({std::string{media_type::oci_manifest}, {}, Digest::of({})}, true), code);
    expect_error(registry->begin_blob().value()->commit(Digest::of({})), code);
  }
}

TEST(registry, the_registrys_own_words_are_handed_on) {
  FakeRegistry server;
  const auto result = open(server.host())->manifest(std::nullopt);
  expect_error(result, ImageError::not_found);
  EXPECT_NE(result.error().message.find("no such tag"), std::string::npos);
}

TEST(registry, a_busy_registry_is_asked_again) {
  FakeRegistry server;
  const auto content = noise(2'000'000);
  server.blobs[Digest::of(content).text()] = content;
  int refusals = 2;
  server.set_fault([&](const auto&) {
    auto busy = answer(refusals % 2 == 0 ? 503 : 429);
    busy.headers.set("Retry-After", "0");
    return refusals-- > 0 ? std::optional{std::move(busy)} : std::nullopt;
  });
  EXPECT_TRUE(read(*open(server.host()), describe(content)).value() == content);
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(registry, refusals_that_stand_are_not_repeated) {
  FakeRegistry server;
  expect_error(open(server.host())->manifest(std::nullopt), ImageError::not_found);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(registry, a_manifest_asked_for_by_digest_is_verified) {
  FakeRegistry server;
  const auto wanted = Digest::of(as_bytes("right"));
  server.manifests[wanted.text()] = {std::string{media_type::oci_manifest}, to_bytes("wrong")};
  expect_error(open(server.host(), quick(), "@" + wanted.text())->manifest(std::nullopt), ImageError::digest_mismatch);
}

TEST(registry, answers_that_are_no_manifest_are_told) {
  FakeRegistry server;
  server.manifests["tag"] = {"text/html", to_bytes("<html>")};
  expect_error(open(server.host())->manifest(std::nullopt), ImageError::bad_manifest);
  server.manifests["tag"] = {"application/json", to_bytes(R"({"mediaType":"application/vnd.example"})")};
  expect_error(open(server.host())->manifest(std::nullopt), ImageError::unsupported_media_type);
  server.manifests["tag"] = {"application/json", to_bytes("{}")};
  expect_error(open(server.host())->manifest(std::nullopt), ImageError::unsupported_media_type);
  server.manifests["tag"] = {"application/json", Bytes(max_manifest_size + 1)};
  expect_error(open(server.host())->manifest(std::nullopt), ImageError::limit_exceeded);
}

TEST(registry, a_pushed_digest_has_to_be_the_asked_one) {
  FakeRegistry server;
  const auto registry = open(server.host(), quick(), "@" + Digest::of(as_bytes("other")).text());
  expect_error(push_wasm(small_module(), *registry, {}), ImageError::digest_mismatch);
}

TEST(registry, tags_are_listed_over_all_pages) {
  FakeRegistry server;
  EXPECT_EQ(open(server.host())->tags().value(), (std::vector<std::string>{"one", "two", "three"}));
  server.set_fault([](const auto&) { return net::ServerResponse::text(200, "application/json", R"({"tags":7})"); });
  expect_error(open(server.host())->tags(), ImageError::registry_protocol);
}

TEST(registry, a_redirected_blob_does_not_see_the_credentials) {
  const auto content = noise(100'000);
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n";
  RawServer store{{head + std::string{as_text(content)}}};
  FakeRegistry server{Auth::basic};
  server.set_fault([&](const net::ServerRequest& request) -> std::optional<net::ServerResponse> {
    if (!request.headers.get("Authorization")) return std::nullopt;
    auto elsewhere = answer(307);
    elsewhere.headers.set("Location", "http://" + store.host() + "/bucket/blob");
    return elsewhere;
  });
  const auto result = read(*open(server.host(), credentials_for(server)), describe(content));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_TRUE(*result == content);
  ASSERT_EQ(store.heads().size(), 1U);
  EXPECT_EQ(store.heads()[0].find("Authorization"), std::string::npos);
}

std::string part_of(const Bytes& content, std::size_t from, std::size_t to, bool ranged = true) {
  const auto total = std::to_string(content.size());
  std::string head = ranged && from > 0
                         ? "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(from) + "-" +
                               std::to_string(content.size() - 1) + "/" + total + "\r\n"
                         : "HTTP/1.1 200 OK\r\n";
  head += "Content-Length: " + std::to_string(content.size() - from) + "\r\n\r\n";
  return head + std::string{as_text(content).substr(from, to - from)};
}

TEST(registry, a_transfer_that_breaks_off_goes_on_where_it_stopped) {
  const auto content = noise(90'000);
  RawServer server{{part_of(content, 0, 30'000), part_of(content, 30'000, 60'000), part_of(content, 60'000, 90'000)}};
  const auto result = read(*open(server.host()), describe(content));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_TRUE(*result == content);
  EXPECT_NE(server.heads().at(1).find("Range: bytes=30000-"), std::string::npos);
}

TEST(registry, a_server_without_ranges_starts_over_and_nothing_comes_twice) {
  const auto content = noise(90'000);
  RawServer server{{part_of(content, 0, 30'000), part_of(content, 0, 90'000)}};
  EXPECT_TRUE(read(*open(server.host()), describe(content)).value() == content);
}

TEST(registry, another_part_than_asked_for_is_refused) {
  const auto content = noise(90'000);
  RawServer server{{part_of(content, 0, 30'000), part_of(content, 20'000, 90'000)}};
  expect_error(read(*open(server.host()), describe(content)), ImageError::registry_protocol);
}

TEST(registry, a_transfer_that_always_breaks_off_ends) {
  const auto content = noise(90'000);
  RawServer server{{part_of(content, 0, 30'000), part_of(content, 30'000, 30'000)}};
  expect_error(read(*open(server.host()), describe(content)), ImageError::incomplete);
  EXPECT_EQ(server.heads().size(), 4U);
}

TEST(registry, changed_bytes_behind_a_resumed_transfer_are_found) {
  const auto content = noise(90'000);
  auto other = content;
  other[80'000] ^= std::byte{1};
  RawServer server{{part_of(content, 0, 30'000), part_of(other, 30'000, 90'000)}};
  expect_error(read(*open(server.host()), describe(content)), ImageError::digest_mismatch);
}

TEST(registry, more_bytes_than_described_are_refused) {
  FakeRegistry server;
  const auto content = noise(90'000);
  auto blob = describe(content);
  server.blobs[blob.digest.text()] = content;
  blob.size = 80'000;
  expect_error(read(*open(server.host()), blob), ImageError::size_mismatch);
}

TEST(registry, nobody_there_is_told_by_the_networks_code) {
  std::string host;
  {
    host = FakeRegistry{}.host();
  }
  expect_error(open(host)->manifest(std::nullopt), net::NetError::refused);
}

TEST(registry, a_connection_closed_without_an_answer_is_told) {
  RawServer server{{""}};
  const auto result = open(server.host())->manifest(std::nullopt);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().code.name().starts_with("net.")) << to_string(result.error());
}

}  // namespace
}  // namespace coffer::image
