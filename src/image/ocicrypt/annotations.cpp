#include "image/ocicrypt/annotations.h"

#include "codec/base64.h"

namespace coffer::image::ocicrypt {
namespace {

constexpr std::size_t max_wraps = 64;
constexpr std::string_view encryption_prefix = "org.opencontainers.image.enc.";

Result<Bytes> decode(std::string_view text, std::string_view annotation) {
  auto bytes = codec::base64_decode(text);
  if (bytes) return bytes;
  return fail(ImageError::bad_annotation, "the annotation " + std::string{annotation} + " does not hold base64");
}

Result<> append_blobs(std::vector<Wrap>& out, std::string_view annotation, std::string_view list) {
  while (true) {
    const auto comma = list.find(',');
    if (out.size() == max_wraps) return fail(ImageError::limit_exceeded, "a layer has over 64 key wraps");
    out.push_back({
      std::string{annotation.substr(keys_annotation_prefix.size())}, TRY(decode(list.substr(0, comma), annotation))
    });
    if (comma == std::string_view::npos) return {};
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<std::vector<Wrap>> read_wraps(const Annotations& annotations) {
  std::vector<Wrap> out;
  for (const auto& [name, value] : annotations) {
    if (name.starts_with(keys_annotation_prefix)) TRY(append_blobs(out, name, value));
  }
  if (out.empty()) {
    return fail(
        ImageError::missing_annotation,
        "the layer is encrypted and has no " + std::string{keys_annotation_prefix} + "* annotation with a wrapped key");
  }
  return out;
}

Result<Bytes> read_public_options(const Annotations& annotations) {
  const auto found = annotations.find(std::string{public_options_annotation});
  if (found == annotations.end()) {
    return fail(ImageError::missing_annotation,
                "the layer is encrypted and has no annotation " + std::string{public_options_annotation});
  }
  return decode(found->second, public_options_annotation);
}

void add_wrap(Annotations& annotations, std::string_view scheme, ByteView blob) {
  auto& value = annotations[std::string{keys_annotation_prefix} + std::string{scheme}];
  if (!value.empty()) value += ',';
  value += codec::base64_encode(blob);
}

void set_public_options(Annotations& annotations, std::string_view json) {
  annotations[std::string{public_options_annotation}] = codec::base64_encode(as_bytes(json));
}

void remove_encryption(Annotations& annotations) {
  std::erase_if(annotations, [](const auto& item) { return item.first.starts_with(encryption_prefix); });
}

}  // namespace coffer::image::ocicrypt
