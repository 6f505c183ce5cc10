#include "image/push.h"

#include "image/detail/layer_writer.h"
#include "image/unpack/tar_file.h"

namespace coffer::image {
namespace {

namespace json = codec::json;

constexpr std::string_view module_name = "module.wasm";

// WebAssembly core specification 5.5.16 and the component model's binary format: magic, then version and layer.
Result<std::string_view> wasi_version(ByteView module) {
  if (module.size() >= 8 && as_text(module).starts_with(std::string_view{"\0asm", 4})) {
    return module[6] == std::byte{0} ? "wasip1" : "wasip2";
  }
  return fail(ImageError::bad_module, "the file does not begin with WASM's magic number, so it is no module");
}

struct Plan {
  std::string layer_type, config_type;
  std::vector<ByteView> parts;  // the layer's content
  unpack::TarFrame frame{};     // what some of the parts point to
};

Result<Plan> plan_for(ByteView module, WasmStyle style) {
  using namespace media_type;
  if (style == WasmStyle::cncf) return Plan{std::string{wasm_layer}, std::string{wasm_config}, {module}};
  if (style == WasmStyle::fork) return Plan{std::string{wasm_content}, std::string{oci_config}, {module}};
  auto frame = TRY(unpack::frame_of_file(module_name, module.size()));
  Plan plan{std::string{oci_layer}, std::string{oci_config}, {}, std::move(frame)};
  plan.parts = {plan.frame.before, module, plan.frame.after};
  return plan;
}

// The configuration stays plaintext and speaks of the plaintext layer (guest-components.md 4.1).
std::string config_json(WasmStyle style, std::string_view wasi, const Digest& plain) {
  json::Object out{{"architecture", "wasm"}, {"os", wasi}};
  if (style == WasmStyle::cncf) {
    out.set("layerDigests", json::Array{plain.text()});
  } else {
    out.set("rootfs", json::Object{{"type", "layers"}, {"diff_ids", json::Array{plain.text()}}});
    out.set("config", json::Object{{"Entrypoint", json::Array{"/" + std::string{module_name}}}});
  }
  return json::serialize(out);
}

}  // namespace

Result<WasmStyle> parse_wasm_style(std::string_view name) {
  if (name == "cncf") return WasmStyle::cncf;
  if (name == "fork") return WasmStyle::fork;
  if (name == "tar") return WasmStyle::tar;
  return fail(ImageError::unsupported_media_type,
              "the style of a WASM image is cncf, fork or tar, not \"" + std::string{name} + "\"");
}

Result<PushedImage> push_wasm(ByteView module, ImageSink& sink, const PushOptions& options) {
  const auto wasi = TRY(wasi_version(module));
  const auto plan = TRY(plan_for(module, options.style));
  LayerWriter writer = TRY(LayerWriter::begin(sink, options.recipients != nullptr));
  std::uint64_t total = 0, done = 0;
  for (const auto part : plan.parts) total += part.size();
  for (const auto part : plan.parts) {
    for (std::size_t at = 0; at < part.size(); at += LayerWriter::piece_size) {
      const auto piece = part.subspan(at, std::min(LayerWriter::piece_size, part.size() - at));
      TRY(writer.sink().write(piece));
      done += piece.size();
      if (options.progress) options.progress(done, total);
    }
  }
  auto layer = TRY(writer.commit({.media_type = plan.layer_type, .digest = Digest::of({})}, options.recipients));
  if (options.style != WasmStyle::tar) layer.annotations.emplace("org.opencontainers.image.title", module_name);
  const auto config = config_json(options.style, wasi, writer.plain_digest());
  auto config_descriptor = TRY(put_small_blob(sink, as_bytes(config), plan.config_type));
  Manifest manifest{.media_type = std::string{media_type::oci_manifest},
                    .config = std::move(config_descriptor),
                    .layers = {std::move(layer)},
                    .annotations = options.annotations};
  return put_image(sink, std::move(manifest));
}

}  // namespace coffer::image
