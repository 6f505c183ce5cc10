#include "image/reference.h"

#include "image/testing/expect.h"

namespace coffer::image {
namespace {

using testing::expect_error;

const std::string digest = "sha256:" + std::string(64, 'a');

std::string normal(std::string_view text) {
  const auto reference = ImageReference::parse(text);
  return reference ? reference->text() : to_string(reference.error());
}

TEST(reference, short_names_get_docker_hub_and_latest) {
  EXPECT_EQ(normal("alpine"), "docker.io/library/alpine:latest");
  EXPECT_EQ(normal("alpine:3.20"), "docker.io/library/alpine:3.20");
  EXPECT_EQ(normal("rodneydav/wasm-addition:encrypted"), "docker.io/rodneydav/wasm-addition:encrypted");
  EXPECT_EQ(normal("index.docker.io/library/alpine"), "docker.io/library/alpine:latest");
}

TEST(reference, hosts_are_told_from_repositories) {
  EXPECT_EQ(normal("localhost/a"), "localhost/a:latest");
  EXPECT_EQ(normal("localhost:5000/a/b:t"), "localhost:5000/a/b:t");
  EXPECT_EQ(normal("ghcr.io/a/b"), "ghcr.io/a/b:latest");
  EXPECT_EQ(normal("127.0.0.1:5000/a"), "127.0.0.1:5000/a:latest");
  EXPECT_EQ(normal("[::1]:5000/a:t"), "[::1]:5000/a:t");
}

TEST(reference, a_digest_selects_before_a_tag) {
  const auto both = ImageReference::parse("ghcr.io/a/b:t@" + digest).value();
  EXPECT_EQ(both.selector(), digest);
  EXPECT_EQ(both.text(), "ghcr.io/a/b:t@" + digest);
  const auto alone = ImageReference::parse("ghcr.io/a/b@" + digest).value();
  EXPECT_EQ(alone.tag(), "");
  EXPECT_EQ(alone.with_digest(*alone.digest()), "ghcr.io/a/b@" + digest);
}

TEST(reference, docker_hub_is_served_by_another_host) {
  EXPECT_EQ(ImageReference::parse("alpine")->registry_host(), "registry-1.docker.io");
  EXPECT_EQ(ImageReference::parse("ghcr.io/a")->registry_host(), "ghcr.io");
}

TEST(reference, loopback_hosts_are_known) {
  for (const auto* text : {"localhost:5000/a", "127.0.0.1/a", "127.8.9.1:1/a", "[::1]:5000/a"}) {
    EXPECT_TRUE(ImageReference::parse(text)->is_loopback()) << text;
  }
  for (const auto* text : {"alpine", "localhost.example.com/a", "10.0.2.2:8082/a"}) {
    EXPECT_FALSE(ImageReference::parse(text)->is_loopback()) << text;
  }
}

TEST(reference, separators_inside_of_names_follow_the_grammar) {
  for (const auto* text : {"a/b.c/d_e/f__g/h---i", "a1/b2"}) EXPECT_TRUE(ImageReference::parse(text)) << text;
  for (const auto* text :
       {"a/b..c", "a/b___c", "a/-b", "a/b-",     "a/.b",   "a//b",      "/a",    "a/",      "A/b/C",   "a b",        "",
        ":t",     "a:",      "a:-t", "ghcr.io/", "[::1/a", "h:99999/a", "h:x/a", "a/b:c/d", "-h.io/a", "a@sha256:00"}) {
    expect_error(ImageReference::parse(text), ImageError::bad_reference);
  }
}

TEST(reference, long_names_and_tags_are_refused) {
  expect_error(ImageReference::parse("ghcr.io/" + std::string(300, 'a')), ImageError::bad_reference);
  expect_error(ImageReference::parse("a:" + std::string(129, 't')), ImageError::bad_reference);
  EXPECT_TRUE(ImageReference::parse("a:" + std::string(128, 't')));
}

TEST(reference, layouts_are_named_by_oci) {
  const auto tagged = std::get<LayoutReference>(parse_any_reference("oci:/tmp/dir:tag").value());
  EXPECT_EQ(tagged.directory, "/tmp/dir");
  EXPECT_EQ(tagged.tag, "tag");
  const auto plain = std::get<LayoutReference>(parse_any_reference("oci:a/b").value());
  EXPECT_EQ(plain.directory, "a/b");
  EXPECT_EQ(plain.tag, "");
  EXPECT_TRUE(std::holds_alternative<ImageReference>(parse_any_reference("docker://alpine").value()));
  expect_error(parse_any_reference("oci:"), ImageError::bad_reference);
  expect_error(parse_any_reference("oci:dir:"), ImageError::bad_reference);
}

TEST(digest, only_full_lower_case_digests_are_accepted) {
  EXPECT_TRUE(Digest::parse(digest));
  EXPECT_TRUE(Digest::parse("sha512:" + std::string(128, '0')));
  for (const auto& text : {std::string{"sha256"}, "md5:" + std::string(32, 'a'), "sha256:" + std::string(63, 'a'),
                           "sha256:" + std::string(64, 'A'), "sha256:" + std::string(64, 'g'), std::string{}}) {
    expect_error(Digest::parse(text), ImageError::bad_digest);
  }
}

TEST(digest, content_is_verified) {
  const auto of_abc = Digest::of(as_bytes("abc"));
  // FIPS 180-4, the example of SHA-256.
  EXPECT_EQ(of_abc.text(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(of_abc.verify(as_bytes("abc"), "abc"));
  expect_error(of_abc.verify(as_bytes("abd"), "abc"), ImageError::digest_mismatch);
}

}  // namespace
}  // namespace coffer::image
