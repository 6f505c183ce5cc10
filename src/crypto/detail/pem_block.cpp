#include "crypto/detail/pem_block.h"

#include <openssl/pem.h>

#include <cstring>

namespace coffer::crypto::detail {
namespace {

// What PEM_read_bio_ex gives with PEM_FLAG_SECURE goes back this way.
struct PemMemory {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  PemMemory() = default;
  PemMemory(const PemMemory&) = delete;
  PemMemory& operator=(const PemMemory&) = delete;
  ~PemMemory() {
    OPENSSL_secure_free(name);
    OPENSSL_secure_free(header);
    OPENSSL_secure_clear_free(data, static_cast<std::size_t>(size));
  }
};

}  // namespace

Result<std::optional<PemBlock>> next_pem_block(BIO* bio) {
  PemMemory memory;
  if (PEM_read_bio_ex(bio, &memory.name, &memory.header, &memory.data, &memory.size,
                      PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) != 1) {
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!at_end) return openssl_fail(CryptoError::bad_key, "a damaged PEM block");
    ERR_clear_error();
    return std::nullopt;
  }
  PemBlock block{memory.name, std::strlen(memory.header) != 0,
                 SecretBytes::copy_of(
                     ByteView{reinterpret_cast<const std::byte*>(memory.data), static_cast<std::size_t>(memory.size)})};
  return block;
}

}  // namespace coffer::crypto::detail
