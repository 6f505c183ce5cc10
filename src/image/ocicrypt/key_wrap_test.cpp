#include "image/ocicrypt/key_wrap.h"

#include "codec/json.h"
#include "image/testing/expect.h"
#include "image/testing/memory_store.h"

namespace coffer::image::ocicrypt {
namespace {

using image::testing::expect_error;
using image::testing::MapKeySource;

codec::ResourceUri uri_of(std::string_view path) {
  return codec::ResourceUri::from_path(path).value();
}

// Annotations with one packet, which `change` made another than ours write.
template <class Change>
Annotations annotations_with(const Change& change) {
  const LayerOptions options{{Bytes(32), std::nullopt}, {SecretBytes(32), Digest::of(as_bytes("layer")), Bytes(16)}};
  auto packet = AnnotationPacket::seal(options.private_options.to_json().expose(), SecretBytes(32),
                                       uri_of("default/key/k1"), PacketVersion::v2)
                    .value();
  change(packet);
  Annotations annotations;
  add_wrap(annotations, "provider.attestation-agent", as_bytes(packet.to_json()));
  set_public_options(annotations, options.public_options.to_json());
  return annotations;
}

bool has(const Error& error, std::string_view text) {
  return error.message.find(text) != std::string::npos;
}

TEST(key_wrap, a_packet_of_another_service_asks_nobody_and_names_it) {
  const auto annotations = annotations_with([](auto& packet) { packet.provider = "aliyun"; });
  MapKeySource source;
  const auto result = open_layer_options(annotations, {.keys = &source});
  expect_error(result, ImageError::no_key);
  EXPECT_TRUE(has(result.error(), "aliyun"));
  EXPECT_TRUE(source.asked.empty());
}

TEST(key_wrap, a_failure_of_the_default_key_names_the_malformed_kid_it_stands_for) {
  const auto annotations = annotations_with([](auto& packet) { packet.kid = "kbs:///kbs:///a/b/c"; });
  MapKeySource source;
  const auto result = open_layer_options(annotations, {.keys = &source, .default_kid = uri_of("default/key/d")});
  expect_error(result, ImageError::not_found);
  EXPECT_TRUE(has(result.error(), "kbs:///kbs:///a/b/c"));
  EXPECT_EQ(source.asked, std::vector<std::string>{"kbs:///default/key/d"});
}

TEST(key_wrap, a_failure_of_the_key_that_a_user_named_says_nothing_of_the_kid) {
  const auto annotations = annotations_with([](auto& packet) { packet.kid = "kbs:///kbs:///a/b/c"; });
  MapKeySource source;
  const auto result = open_layer_options(annotations, {.keys = &source, .kid_override = uri_of("default/key/d")});
  expect_error(result, ImageError::not_found);
  EXPECT_FALSE(has(result.error(), "kbs:///kbs:///"));
}

}  // namespace
}  // namespace coffer::image::ocicrypt
