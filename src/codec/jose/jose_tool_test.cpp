// The `jose` command line tool as oracle: what it makes opens here, and the reverse.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "codec/base64.h"
#include "codec/jose/jwe.h"
#include "codec/jose/jws.h"

namespace coffer::codec::jose {
namespace {

using crypto::KeyKind;

constexpr std::string_view message = "a message from one implementation to the other";

// A folder of its own, with the tool run in it.
class JoseTool : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v jose >/dev/null 2>&1") != 0)
      GTEST_SKIP() << "the jose command line tool is not installed";
    std::string pattern = (std::filesystem::temp_directory_path() / "coffer_jose_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  void write(const std::string& name, std::string_view content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  void write_json(const std::string& name, const json::Object& jwk) const { write(name, json::serialize(jwk)); }

  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // `arguments` are made of names that this file chooses; nothing in them needs quoting.
  bool jose(const std::string& arguments) const {
    return std::system(("cd '" + folder_.string() + "' && jose " + arguments).c_str()) == 0;
  }

  std::filesystem::path folder_;
};

struct Pair {
  KeyKind kind;
  KeyManagement key_management;
  SignatureAlgorithm signature;
};

// RSA-OAEP is not among them: the tool does not offer it with OpenSSL 3. The cookbook and Wycheproof have it.
constexpr std::array pairs{
    Pair{KeyKind::ec_p256, KeyManagement::ecdh_es_a256kw, SignatureAlgorithm::es256},
    Pair{KeyKind::ec_p384, KeyManagement::ecdh_es_a192kw, SignatureAlgorithm::es384},
    Pair{KeyKind::ec_p521, KeyManagement::ecdh_es_a128kw, SignatureAlgorithm::es512},
    Pair{KeyKind::rsa, KeyManagement::rsa1_5, SignatureAlgorithm::rs256},
    Pair{KeyKind::rsa, KeyManagement::rsa1_5, SignatureAlgorithm::ps384},
};

TEST_F(JoseTool, opens_what_is_encrypted_here) {
  for (const auto& [kind, key_management, signature] : pairs) {
    const auto key = crypto::PrivateKey::generate(kind).value();
    write_json("private.jwk", to_private_jwk(key).value());
    write("in.jwe", encrypt_flattened(as_bytes(message), key.public_key(), key_management).value());
    EXPECT_TRUE(jose("jwe dec -i in.jwe -k private.jwk -O out.txt")) << name_of(key_management);
    EXPECT_EQ(read("out.txt"), message);
  }
}

TEST_F(JoseTool, opens_image_keys_for_several_recipients) {
  const std::array keys{crypto::PrivateKey::generate(KeyKind::ec_p521).value(),
                        crypto::PrivateKey::generate(KeyKind::ec_p256).value()};
  const std::array recipients{keys[0].public_key(), keys[1].public_key()};
  write("in.jwe", encrypt_general(as_bytes(message), recipients).value());
  for (const auto& key : keys) {
    write_json("private.jwk", to_private_jwk(key).value());
    EXPECT_TRUE(jose("jwe dec -i in.jwe -k private.jwk -O out.txt"));
    EXPECT_EQ(read("out.txt"), message);
  }
}

TEST_F(JoseTool, makes_messages_that_open_here) {
  for (const auto& [kind, key_management, signature] : pairs) {
    const auto key = crypto::PrivateKey::generate(kind).value();
    write_json("public.jwk", to_jwk(key.public_key()));
    write("plain.txt", message);
    const json::Object header{{"alg", name_of(key_management)}, {"enc", "A256GCM"}};
    write_json("template.json", {{"protected", header}});
    ASSERT_TRUE(jose("jwe enc -i template.json -I plain.txt -k public.jwk -o out.jwe")) << name_of(key_management);
    const std::array allowed{key_management};
    const auto opened = decrypt(read("out.jwe"), key, allowed);
    ASSERT_TRUE(opened) << to_string(opened.error());
    EXPECT_EQ(as_text(opened->expose()), message);
  }
}

TEST_F(JoseTool, verifies_what_is_signed_here) {
  for (const auto& [kind, key_management, signature] : pairs) {
    const auto key = crypto::PrivateKey::generate(kind).value();
    write_json("public.jwk", to_jwk(key.public_key()));
    write("in.jws", sign_compact({}, as_bytes(message), key, signature).value());
    EXPECT_TRUE(jose("jws ver -i in.jws -k public.jwk -O out.txt")) << name_of(signature);
    EXPECT_EQ(read("out.txt"), message);
  }
}

// In the compact form alone: in JSON the tool writes "payload" twice, which is refused here.
TEST_F(JoseTool, makes_signatures_that_verify_here) {
  for (const auto& [kind, key_management, signature] : pairs) {
    const auto key = crypto::PrivateKey::generate(kind).value();
    write_json("private.jwk", to_private_jwk(key).value());
    write_json("payload.json", {{"payload", base64url_encode(as_bytes(message))}});
    write_json("signature.json", {{"protected", json::Object{{"alg", name_of(signature)}}}});
    const std::array allowed{signature};
    ASSERT_TRUE(jose("jws sig -c -i payload.json -s signature.json -k private.jwk -o out.jws"));
    EXPECT_TRUE(verify(UnverifiedJws::parse_compact(read("out.jws")).value(), key.public_key(), allowed))
        << name_of(signature);
  }
}

TEST_F(JoseTool, computes_the_same_thumbprints) {
  for (const auto& [kind, key_management, signature] : pairs) {
    const auto key = crypto::PrivateKey::generate(kind).value().public_key();
    write_json("public.jwk", to_jwk(key));
    ASSERT_TRUE(jose("jwk thp -a S256 -i public.jwk -o out.txt"));
    EXPECT_EQ(read("out.txt").substr(0, 43), thumbprint(key));
  }
}

}  // namespace
}  // namespace coffer::codec::jose
