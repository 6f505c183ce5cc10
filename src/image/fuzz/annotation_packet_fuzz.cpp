// Annotation packets, layer options and stored keys.
#include <cstdint>
#include <cstdlib>

#include "image/ocicrypt/kek.h"
#include "image/ocicrypt/options.h"
#include "image/ocicrypt/packet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::image::ocicrypt;
  const coffer::ByteView text{reinterpret_cast<const std::byte*>(data), size};
  static_cast<void>(PublicOptions::parse(text));
  static_cast<void>(PrivateOptions::parse(text));
  if (const auto kek = parse_kek(text); kek && kek->size() != kek_size) std::abort();
  const auto packet = AnnotationPacket::parse(text);
  if (!packet) return 0;
  static_cast<void>(packet->key_uri());
  static_cast<void>(packet->open(coffer::SecretBytes(kek_size)));
  if (packet->provider == "kbs" && !AnnotationPacket::parse(coffer::as_bytes(packet->to_json()))) std::abort();
  return 0;
}
