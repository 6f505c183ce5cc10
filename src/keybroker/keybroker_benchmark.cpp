// The broker's two hot paths without sockets, each beside libcrypto's own cost for the cryptography it cannot avoid.
#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <chrono>
#include <memory>

#include "appraisal/reference_values.h"
#include "base/log.h"
#include "keybroker/broker_testing.h"

namespace coffer::keybroker {
namespace {

using Seconds = std::chrono::duration<double>;
using EvpKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

void require(benchmark::State& state, bool held, const char* what) {
  if (!held) state.SkipWithError(what);
}

// Those of the sample TEE, without which it is contraindicated and the broker explains why.
void set_reference_values(benchmark::State& state, testing::TestBroker& broker) {
  for (const auto& [name, value] : codec::json::Object{{"launch_digest", codec::json::Array{"abcde"}},
                                                       {"svn", codec::json::Array{"1"}},
                                                       {"major_version", 1},
                                                       {"minimum_minor_version", 1}}) {
    const auto set = broker.post("/kbs/v0/reference-value", appraisal::sample_reference_message(name, value));
    require(state, set.status == 200, "a reference value was not taken");
  }
}

// The broker's share of a handshake: both of its answers, without what the guest does in between.
void handshakes(benchmark::State& state, testing::TestBroker& broker) {
  testing::TestGuest guest(broker);
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    const auto challenge = guest.auth();
    const auto challenged = std::chrono::steady_clock::now();
    const auto attestation = guest.attestation();
    const auto ready = std::chrono::steady_clock::now();
    const auto response = guest.attest(attestation);
    const auto end = std::chrono::steady_clock::now();
    require(state, challenge.status == 200 && response.status == 200, "the handshake failed");
    state.SetIterationTime(Seconds((challenged - begin) + (end - ready)).count());
  }
}

void rcar_handshake(benchmark::State& state) {
  testing::TestBroker broker;
  set_reference_values(state, broker);
  handshakes(state, broker);
}
BENCHMARK(rcar_handshake)->UseManualTime();

void explained_handshake(benchmark::State& state) {
  testing::TestBroker broker;
  handshakes(state, broker);
}
BENCHMARK(explained_handshake)->UseManualTime();

// 32 random bytes for the nonce, SHA-384 over the runtime data, an ES256 signature over a token of usual size.
void libcrypto_handshake(benchmark::State& state) {
  const EvpKey key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> sha384(EVP_MD_fetch(nullptr, "SHA384", nullptr), &EVP_MD_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, 32> nonce{};
  std::array<unsigned char, 1800> token{};
  std::array<unsigned char, 64> digest{};
  std::array<unsigned char, 128> signature{};
  for (auto _ : state) {
    RAND_bytes(nonce.data(), nonce.size());
    EVP_Digest(token.data(), 300, digest.data(), nullptr, sha384.get(), nullptr);
    std::size_t size = signature.size();
    bool good = EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) == 1;
    good = good && EVP_DigestSign(context.get(), signature.data(), &size, token.data(), token.size()) == 1;
    EVP_MD_CTX_reset(context.get());
    require(state, good, "libcrypto could not sign");
  }
}
BENCHMARK(libcrypto_handshake);

void resource_get(benchmark::State& state) {
  testing::TestBroker broker;
  broker.store_resource("default/key/k1", std::string(32, 'k'));
  testing::TestGuest guest(broker);
  guest.handshake();
  for (auto _ : state) require(state, guest.get("default/key/k1").status == 200, "the resource was refused");
}
BENCHMARK(resource_get);

bool derive(const EvpKey& own, EVP_PKEY* peer, std::array<unsigned char, 32>& secret) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own.get(), nullptr), &EVP_PKEY_CTX_free);
  std::size_t size = secret.size();
  return EVP_PKEY_derive_init(context.get()) == 1 && EVP_PKEY_derive_set_peer_ex(context.get(), peer, 0) == 1 &&
         EVP_PKEY_derive(context.get(), secret.data(), &size) == 1;
}

bool encrypt(EVP_CIPHER_CTX* context, const EVP_CIPHER* cipher, const unsigned char* key, const unsigned char* iv,
             const unsigned char* in, int in_size, unsigned char* out) {
  int size = 0;
  EVP_CIPHER_CTX_reset(context);
  EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  return EVP_EncryptInit_ex2(context, cipher, key, iv, nullptr) == 1 &&
         EVP_EncryptUpdate(context, out, &size, in, in_size) == 1 &&
         EVP_EncryptFinal_ex(context, out + size, &size) == 1;
}

// What ECDH-ES+A256KW with A256GCM costs: a fresh key pair, a derivation, a hash, a key wrap, an encryption.
void libcrypto_resource_get(benchmark::State& state) {
  const EvpKey recipient(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> gcm(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr),
                                                                    &EVP_CIPHER_free);
  const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> wrap(EVP_CIPHER_fetch(nullptr, "AES-256-WRAP", nullptr),
                                                                     &EVP_CIPHER_free);
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  std::array<unsigned char, 32> secret{}, kek{}, plaintext{};
  std::array<unsigned char, 44> fresh{};
  std::array<unsigned char, 64> out{};
  for (auto _ : state) {
    const EvpKey ephemeral(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    RAND_bytes(fresh.data(), fresh.size());
    bool good = derive(ephemeral, recipient.get(), secret);
    EVP_Digest(secret.data(), secret.size(), kek.data(), nullptr, EVP_sha256(), nullptr);
    good = good && encrypt(context.get(), wrap.get(), kek.data(), nullptr, fresh.data(), 32, out.data());
    good = good && encrypt(context.get(), gcm.get(), fresh.data(), fresh.data() + 32, plaintext.data(), 32, out.data());
    require(state, good, "libcrypto could not encrypt");
  }
}
BENCHMARK(libcrypto_resource_get);

}  // namespace
}  // namespace coffer::keybroker

int main(int argc, char** argv) {
  coffer::log::init("benchmark", coffer::log::Level::off);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
