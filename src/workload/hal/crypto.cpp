// elastic:hal/crypto. Keys are the guest's own, given and taken as bytes. Ciphertexts are nonce (12 bytes), ciphertext,
// tag (16 bytes), as upstream's; key pairs are Ed25519 (RFC 8032): 32 bytes each, the private one its seed.
#include <array>

#include "crypto/aead.h"
#include "crypto/blake3.h"
#include "crypto/error.h"
#include "crypto/keys.h"
#include "workload/hal/handles.h"
#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

using crypto::PrivateKey;
using crypto::PublicKey;
using crypto::SignatureAlgorithm;

constexpr std::array<std::string_view, 3> hash_names = {"sha256", "sha512", "blake3"};
constexpr std::array<std::string_view, 2> cipher_names = {"aes256-gcm", "chacha20-poly1305"};
constexpr std::size_t key_size = 32;  // of both ciphers
constexpr std::size_t max_contexts = 64;

Result<Bytes> seal(std::size_t cipher, ByteView key, ByteView iv, ByteView data) {
  return cipher == 0 ? crypto::aes_gcm_seal_joined(key, iv, {}, data)
                     : crypto::chacha20_poly1305_seal_joined(key, iv, {}, data);
}

Result<SecretBytes> open(std::size_t cipher, ByteView key, ByteView iv, ByteView joined) {
  return cipher == 0 ? crypto::aes_gcm_open_joined(key, iv, {}, joined)
                     : crypto::chacha20_poly1305_open_joined(key, iv, {}, joined);
}

// AES-128 is no cipher of this interface, though the engine below would take its keys.
Result<> check_key(ByteView key) {
  if (key.size() == key_size) return {};
  return fail(HalError::bad_value, "a key has 32 bytes, not " + std::to_string(key.size()));
}

class Crypto final : public Table<Crypto> {
 public:
  static constexpr std::string_view id = "elastic:hal/crypto@0.1.0";
  static std::span<const Function<Crypto>> table();
  explicit Crypto(const Context& context) : services_(context.services), events_(context.events) {}

 private:
  Result<Value> hash(Arguments& arguments) {
    const auto data = TRY(arguments.bytes());
    switch (TRY(arguments.choice(hash_names))) {
      case 0: return Value{crypto::sha256(data)};
      case 1: return Value{crypto::hash(crypto::HashAlgorithm::sha512, data)};
      default: return Value{crypto::blake3(data)};
    }
  }
  Result<Value> encrypt(Arguments& arguments) {
    const auto data = TRY(arguments.bytes());
    const auto key = TRY(arguments.bytes());
    const auto cipher = TRY(arguments.choice(cipher_names));
    TRY(check_key(key));
    const auto iv = services_.random->bytes(crypto::gcm_iv_size);
    const auto joined = TRY(seal(cipher, key, iv, data));
    return Value{concat({iv, joined})};
  }
  Result<Value> decrypt(Arguments& arguments) {
    const auto data = TRY(arguments.bytes());
    const auto key = TRY(arguments.bytes());
    const auto cipher = TRY(arguments.choice(cipher_names));
    TRY(check_key(key));
    if (data.size() < crypto::gcm_iv_size + crypto::gcm_tag_size) {
      return fail(HalError::bad_value, "sealed data has at least 28 bytes: nonce, ciphertext, tag");
    }
    const auto plain = TRY(open(cipher, key, data.first(crypto::gcm_iv_size), data.subspan(crypto::gcm_iv_size)));
    return Value{to_bytes(plain.expose())};
  }

  Result<Value> generate(Arguments&) {
    const auto key = TRY(PrivateKey::generate(crypto::KeyKind::ed25519));
    const auto point = TRY(key.ec_coordinates());
    const auto seed = TRY(key.scalar());
    events_.record(EventType::crypto, "key generated");
    return record(field("public-key", point.x), field("private-key", to_bytes(seed.expose())));
  }
  Result<Value> sign(Arguments& arguments) {
    const auto data = TRY(arguments.bytes());
    const auto key = TRY(PrivateKey::from_ed25519_seed(TRY(arguments.bytes())));
    return Value(TRY(key.sign(SignatureAlgorithm::eddsa, data)));
  }
  // A key that is none is an error; a signature that does not hold, however it looks, is false.
  Result<Value> verify(Arguments& arguments) {
    const auto data = TRY(arguments.bytes());
    const auto signature = TRY(arguments.bytes());
    const auto key = TRY(PublicKey::from_ed25519(TRY(arguments.bytes())));
    return Value{key.verify(SignatureAlgorithm::eddsa, data, signature).has_value()};
  }

  // Contexts hold nothing in this version of the interface: no function takes one.
  Result<Value> create_context(Arguments&) { return Value(TRY(contexts_.add(std::make_shared<Nothing>()))); }
  Result<Value> destroy_context(Arguments& arguments) {
    TRY(contexts_.remove(TRY(arguments.u64())));
    return nothing();
  }

  struct Nothing {};
  const Services& services_;
  EventLog& events_;
  Handles<Nothing> contexts_{"crypto context", max_contexts};
};

std::span<const Function<Crypto>> Crypto::table() {
  static constexpr std::array<Function<Crypto>, 8> functions = {{
      {"hash", 2, &Crypto::hash},
      {"encrypt", 3, &Crypto::encrypt},
      {"decrypt", 3, &Crypto::decrypt},
      {"generate-keypair", 0, &Crypto::generate},
      {"sign", 2, &Crypto::sign},
      {"verify", 3, &Crypto::verify},
      {"create-context", 0, &Crypto::create_context},
      {"destroy-context", 1, &Crypto::destroy_context},
  }};
  return functions;
}

}  // namespace

std::unique_ptr<Interface> make_crypto(const Context& context) {
  return std::make_unique<Crypto>(context);
}

}  // namespace coffer::workload::hal
