#include "image/manifest.h"

#include "image/testing/expect.h"

namespace coffer::image {
namespace {

using testing::expect_error;

const std::string digest_a = "sha256:" + std::string(64, 'a');
const std::string digest_b = "sha256:" + std::string(64, 'b');

std::string descriptor(std::string_view type, const std::string& digest = digest_a, std::string_view more = "") {
  return R"({"mediaType":")" + std::string{type} + R"(","digest":")" + digest + R"(","size":7)" + std::string{more} +
         "}";
}

std::string manifest(std::string_view layers, std::string_view version = "2") {
  return R"({"schemaVersion":)" + std::string{version} +
         R"(,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" + descriptor(media_type::oci_config) +
         R"(,"layers":[)" + std::string{layers} + "]}";
}

Result<Manifest> parse(std::string_view text) {
  return Manifest::parse(as_bytes(text), "");
}
Result<ImageConfig> parse_config(std::string_view text, std::string_view type = media_type::oci_config) {
  return ImageConfig::parse(as_bytes(text), type);
}

TEST(manifest, a_manifest_is_read_and_written_back) {
  const auto text = manifest(descriptor(media_type::oci_layer_gzip, digest_b, R"(,"annotations":{"k":"v"})"));
  const auto parsed = parse(text).value();
  EXPECT_EQ(parsed.layers.at(0).digest.text(), digest_b);
  EXPECT_EQ(parsed.layers.at(0).size, 7U);
  EXPECT_EQ(parsed.layers.at(0).annotations.at("k"), "v");
  EXPECT_EQ(parsed.to_json(), text);
}

TEST(manifest, docker_schema_2_has_the_same_shape) {
  const auto text = R"({"schemaVersion":2,"config":)" + descriptor(media_type::docker_config) + R"(,"layers":[)" +
                    descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip") + "]}";
  EXPECT_EQ(Manifest::parse(as_bytes(text), media_type::docker_manifest)->media_type, media_type::docker_manifest);
}

TEST(manifest, without_layers_there_is_nothing_to_run) {
  expect_error(parse(manifest("")), ImageError::no_layers);
  expect_error(parse(R"({"schemaVersion":2,"config":)" + descriptor(media_type::oci_config) + "}"),
               ImageError::no_layers);
}

TEST(manifest, broken_manifests_are_refused) {
  const auto good = manifest(descriptor(media_type::oci_layer));
  for (const auto& text :
       {good.substr(0, good.size() / 2), std::string{"[]"}, std::string{},
        manifest(descriptor(media_type::oci_layer), "1"), manifest(descriptor(media_type::oci_layer, "sha256:1")),
        manifest("7"), manifest(R"({"mediaType":"x","digest":")" + digest_a + R"("})"),
        manifest(R"({"mediaType":"x","digest":")" + digest_a + R"(","size":-1})"),
        manifest(R"({"digest":")" + digest_a + R"(","size":1})"),
        manifest(descriptor("x", digest_a, R"(,"annotations":{"k":1})")),
        std::string{R"({"schemaVersion":2,"layers":[]})"}}) {
    expect_error(parse(text), ImageError::bad_manifest);
  }
}

TEST(manifest, a_document_of_another_type_is_refused) {
  const auto text = R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v1+json"})";
  expect_error(parse(text), ImageError::unsupported_media_type);
}

TEST(manifest, too_many_layers_and_too_large_texts_are_refused) {
  std::string layers = descriptor(media_type::oci_layer);
  for (std::size_t i = 0; i < max_layers; ++i) layers += "," + descriptor(media_type::oci_layer);
  expect_error(parse(manifest(layers)), ImageError::limit_exceeded);
  expect_error(parse(std::string(max_manifest_size + 1, ' ')), ImageError::limit_exceeded);
}

std::string entry(std::string_view os, std::string_view architecture, const std::string& digest) {
  return descriptor(
      media_type::oci_manifest, digest,
      R"(,"platform":{"os":")" + std::string{os} + R"(","architecture":")" + std::string{architecture} + R"("})");
}

Result<Descriptor> choose(const std::string& entries, bool prefer_wasm = true) {
  const auto text = R"({"schemaVersion":2,"manifests":[)" + entries + "]}";
  const auto index = TRY(Index::parse(as_bytes(text), media_type::oci_index));
  return index.choose({"linux", "amd64", {}}, prefer_wasm);
}

TEST(index, the_platform_is_chosen) {
  EXPECT_EQ(choose(entry("linux", "arm64", digest_a) + "," + entry("linux", "amd64", digest_b))->digest.text(),
            digest_b);
}

TEST(index, wasm_comes_before_the_machine) {
  EXPECT_EQ(choose(entry("linux", "amd64", digest_a) + "," + entry("wasip1", "wasm", digest_b))->digest.text(),
            digest_b);
}

TEST(index, the_machine_comes_first_where_a_tree_is_wanted) {
  const auto wasm = entry("wasip1", "wasm", digest_b);
  EXPECT_EQ(choose(wasm + "," + entry("linux", "amd64", digest_a), false)->digest.text(), digest_a);
  EXPECT_EQ(choose(wasm + "," + entry("linux", "arm64", digest_a), false)->digest.text(), digest_b);
}

TEST(index, a_single_entry_is_taken_as_it_is) {
  EXPECT_EQ(choose(entry("linux", "s390x", digest_b))->digest.text(), digest_b);
  EXPECT_EQ(choose(descriptor(media_type::oci_manifest, digest_b))->digest.text(), digest_b);
}

TEST(index, attestation_manifests_do_not_count_beside_a_single_entry) {
  const auto attestation = entry("unknown", "unknown", digest_a);
  EXPECT_EQ(choose(attestation + "," + entry("linux", "s390x", digest_b))->digest.text(), digest_b);
  EXPECT_EQ(choose(descriptor(media_type::oci_manifest, digest_b) + "," + attestation)->digest.text(), digest_b);
}

TEST(index, without_a_fit_the_offer_is_named) {
  const auto result = choose(entry("linux", "arm64", digest_a) + "," + entry("linux", "s390x", digest_a) + "," +
                             entry("unknown", "unknown", digest_b));
  expect_error(result, ImageError::no_matching_platform);
  EXPECT_NE(result.error().message.find("linux/arm64"), std::string::npos);
  expect_error(choose(entry("unknown", "unknown", digest_b)), ImageError::no_matching_platform);
}

TEST(config, an_image_configuration_is_read) {
  const auto config =
      parse_config(R"({"os":"linux","architecture":"amd64","config":{"Env":["A=1"],"Cmd":["x"],"User":"u"},)"
                   R"("rootfs":{"type":"layers","diff_ids":[")" +
                   digest_a + R"("]}})")
          .value();
  EXPECT_EQ(config.diff_ids.size(), 1U);
  EXPECT_EQ(config.env, std::vector<std::string>{"A=1"});
  EXPECT_EQ(config.user, "u");
}

TEST(config, artifacts_have_no_rootfs) {
  EXPECT_FALSE(parse_config("{}", media_type::wasm_content_config)->has_rootfs);
  EXPECT_FALSE(parse_config("", "application/vnd.wasm.config.v1+json")->has_rootfs);
  EXPECT_FALSE(parse_config("not json at all", "application/vnd.oci.empty.v1+json")->has_rootfs);
  const auto cncf = parse_config(R"({"os":"wasip1","architecture":"wasm","layerDigests":[")" + digest_a + R"("]})",
                                 media_type::wasm_config)
                        .value();
  EXPECT_EQ(cncf.layer_digests.size(), 1U);
}

TEST(config, broken_configurations_are_refused) {
  for (const auto* text :
       {"", "{", "[]", R"({"rootfs":7})", R"({"rootfs":{"diff_ids":["x"]}})", R"({"rootfs":{"diff_ids":{}}})"}) {
    expect_error(parse_config(text), ImageError::bad_manifest);
  }
}

Result<> counts(std::string_view layer_type, std::size_t layers, std::size_t diff_ids) {
  std::string list, ids;
  for (std::size_t i = 0; i < layers; ++i) list += (i == 0 ? "" : ",") + descriptor(layer_type);
  for (std::size_t i = 0; i < diff_ids; ++i) ids += (i == 0 ? "\"" : ",\"") + digest_a + "\"";
  return check_layer_counts(parse(manifest(list)).value(),
                            parse_config(R"({"rootfs":{"diff_ids":[)" + ids + "]}}").value());
}

TEST(layer_counts, each_tar_needs_its_diff_id) {
  EXPECT_TRUE(counts(media_type::oci_layer, 2, 2));
  expect_error(counts(media_type::oci_layer, 2, 1), ImageError::layer_count_mismatch);
  expect_error(counts(media_type::oci_layer, 1, 0), ImageError::layer_count_mismatch);
  expect_error(counts(media_type::oci_layer, 1, 2), ImageError::layer_count_mismatch);
}

TEST(layer_counts, wasm_blobs_may_do_without) {
  EXPECT_TRUE(counts(media_type::wasm_content, 1, 0));
  expect_error(counts(media_type::wasm_content, 2, 1), ImageError::layer_count_mismatch);
}

TEST(layer_counts, a_wasm_configuration_with_other_layer_digests_is_refused) {
  const auto config =
      parse_config(R"({"layerDigests":[")" + digest_a + R"(",")" + digest_a + R"("]})", media_type::wasm_config);
  expect_error(check_layer_counts(parse(manifest(descriptor(media_type::wasm_layer))).value(), config.value()),
               ImageError::layer_count_mismatch);
}

TEST(media_types, layers_are_classified) {
  const auto gzip = classify_layer("application/vnd.oci.image.layer.v1.tar+gzip+encrypted").value();
  EXPECT_EQ(gzip.content, LayerContent::tar);
  EXPECT_EQ(gzip.compression, Compression::gzip);
  EXPECT_TRUE(gzip.encrypted);
  EXPECT_EQ(classify_layer("application/vnd.oci.image.layer.v1.tar+zstd")->compression, Compression::zstd);
  EXPECT_TRUE(classify_layer("application/vnd.docker.image.rootfs.diff.tar.gzip+encrypted")->encrypted);
  EXPECT_EQ(classify_layer("application/wasm")->content, LayerContent::wasm);
  EXPECT_TRUE(classify_layer("application/vnd.wasm.content.layer.v1+wasm+encrypted")->encrypted);
  EXPECT_EQ(classify_layer("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")->compression,
            Compression::gzip);
}

TEST(media_types, unknown_layers_are_refused_by_name) {
  const auto result = classify_layer("application/vnd.example.thing");
  expect_error(result, ImageError::unsupported_media_type);
  EXPECT_NE(result.error().message.find("vnd.example.thing"), std::string::npos);
}

TEST(media_types, encryption_adds_and_removes_a_suffix) {
  EXPECT_EQ(encrypted_type(media_type::oci_layer_gzip), "application/vnd.oci.image.layer.v1.tar+gzip+encrypted");
  EXPECT_EQ(decrypted_type("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"), media_type::oci_layer_gzip);
  EXPECT_EQ(encrypted_type("application/vnd.docker.image.rootfs.diff.tar.gzip"),
            "application/vnd.oci.image.layer.v1.tar+gzip+encrypted");
  EXPECT_EQ(encrypted_type(encrypted_type("application/wasm")), "application/wasm+encrypted");
  EXPECT_EQ(decrypted_type("application/wasm"), "application/wasm");
}

}  // namespace
}  // namespace coffer::image
