#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "codec/base64.h"
#include "codec/detail/json_text.h"
#include "codec/json.h"
#include "crypto/hash.h"

namespace coffer::codec::json {
namespace {

std::string canonical(std::string_view text) {
  return canonicalize(parse(text).value()).value();
}

// RFC 8785 section 3.2.2 and 3.2.3.
TEST(jcs, the_example_of_the_rfc_is_canonicalized) {
  EXPECT_EQ(canonical(R"({
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    })"),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST(jcs, keys_are_sorted_by_utf16_code_units) {
  EXPECT_EQ(canonical(R"({
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"
    })"),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
            "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
            "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

TEST(jcs, a_key_comes_before_those_that_it_begins) {
  EXPECT_EQ(canonical(R"({"ab":1,"a":2,"":3,"b":{"z":0,"y":0}})"), R"({"":3,"a":2,"ab":1,"b":{"y":0,"z":0}})");
}

struct NumberSample {
  std::uint64_t bits;
  std::string_view text;
};

// RFC 8785 appendix B.
constexpr std::array number_samples{
    NumberSample{0x0000000000000000, "0"},
    NumberSample{0x8000000000000000, "0"},
    NumberSample{0x0000000000000001, "5e-324"},
    NumberSample{0x8000000000000001, "-5e-324"},
    NumberSample{0x7fefffffffffffff, "1.7976931348623157e+308"},
    NumberSample{0xffefffffffffffff, "-1.7976931348623157e+308"},
    NumberSample{0x4340000000000000, "9007199254740992"},
    NumberSample{0xc340000000000000, "-9007199254740992"},
    NumberSample{0x4430000000000000, "295147905179352830000"},
    NumberSample{0x44b52d02c7e14af5, "9.999999999999997e+22"},
    NumberSample{0x44b52d02c7e14af6, "1e+23"},
    NumberSample{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    NumberSample{0x444b1ae4d6e2ef4e, "999999999999999700000"},
    NumberSample{0x444b1ae4d6e2ef4f, "999999999999999900000"},
    NumberSample{0x444b1ae4d6e2ef50, "1e+21"},
    NumberSample{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    NumberSample{0x3eb0c6f7a0b5ed8d, "0.000001"},
    NumberSample{0x41b3de4355555553, "333333333.3333332"},
    NumberSample{0x41b3de4355555554, "333333333.33333325"},
    NumberSample{0x41b3de4355555555, "333333333.3333333"},
    NumberSample{0x41b3de4355555556, "333333333.3333334"},
    NumberSample{0x41b3de4355555557, "333333333.33333343"},
    NumberSample{0xbecbf647612f3696, "-0.0000033333333333333333"},
    NumberSample{0x43143ff3c1cb0959, "1424953923781206.2"},
};

TEST(jcs, numbers_of_the_appendix_are_written_as_ecmascript_does) {
  for (const auto& [bits, text] : number_samples) {
    EXPECT_EQ(detail::ecmascript_number(std::bit_cast<double>(bits)), text);
    EXPECT_EQ(canonicalize(std::bit_cast<double>(bits)).value(), text);
  }
}

TEST(jcs, integers_up_to_2_to_the_53_are_exact_and_larger_ones_are_refused) {
  constexpr std::int64_t limit = std::int64_t{1} << 53;
  EXPECT_EQ(canonicalize(limit).value(), "9007199254740992");
  EXPECT_EQ(canonicalize(-limit).value(), "-9007199254740992");
  EXPECT_EQ(canonicalize(100).value(), "100");
  EXPECT_EQ(canonicalize(limit + 1).error().code, JsonError::number_range);
  EXPECT_EQ(canonicalize(-limit - 1).error().code, JsonError::number_range);
  EXPECT_EQ(canonicalize(std::numeric_limits<std::uint64_t>::max()).error().code, JsonError::number_range);
}

TEST(jcs, numbers_without_a_json_form_are_refused) {
  EXPECT_EQ(canonicalize(std::nan("")).error().code, JsonError::number_range);
  EXPECT_EQ(canonicalize(Array{-std::numeric_limits<double>::infinity()}).error().code, JsonError::number_range);
}

TEST(jcs, strings_that_are_no_utf8_are_refused) {
  EXPECT_EQ(canonicalize("\xff").error().code, JsonError::bad_utf8);
  EXPECT_EQ(canonicalize(Object{{"\xc3", 1}}).error().code, JsonError::bad_utf8);
}

constexpr std::string_view tee_pubkey =
    R"("tee-pubkey":{"kty":"EC","crv":"P-256","alg":"ECDH-ES+A256KW","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view nonce = R"("nonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")";

std::string digest(std::string_view text, crypto::HashAlgorithm algorithm = crypto::HashAlgorithm::sha384) {
  return hex_encode(crypto::hash(algorithm, as_bytes(canonical(text))));
}

// The key is RFC 7515 A.3's; the digests were computed with upstream's client.
TEST(jcs, runtime_data_hashes_as_upstream_does) {
  const auto primary = "{" + std::string{tee_pubkey} + "," + std::string{nonce} + R"(,"additional-evidence":""})";
  EXPECT_EQ(canonical(primary).size(), 244U);
  EXPECT_EQ(digest(primary),
            "dfa65d498315212bdaf8857231cf0482172933db271f15856bf30db447227eb5b1dd9e29fcc1fb9076fb00792c3bb7e7");
  EXPECT_EQ(digest(primary, crypto::HashAlgorithm::sha512),
            "f30620e2296f8fae4f6be275a1d3f775ed4f36d1ecfe898480ec95aac074f3165510bc7f994d4736af1bc835bd756d38"
            "ca6be9d174875e9316c338523c20994b");
}

TEST(jcs, runtime_data_of_devices_hashes_without_additional_evidence) {
  const auto device = "{" + std::string{tee_pubkey} + "," + std::string{nonce} + "}";
  EXPECT_EQ(canonical(device).size(), 219U);
  EXPECT_EQ(digest(device),
            "cc12bca78af3e46d9ddb68eb97122047abb52703f1cec34bd0adc12c5ac8c860b1ada6c8729e54f2172908b77572364a");
}

TEST(jcs, additional_evidence_is_hashed_as_the_string_it_is) {
  Object object = *parse("{" + std::string{tee_pubkey} + "," + std::string{nonce} + "}").value().if_object();
  object.set(
      "additional-evidence",
      R"({"sampledevice":{"svn":"2","report_data":"zBK8p4rz5G2d22jrlxIgR6u1JwPxzsNL0K3BLFrIyGCxrabIcp5U8hcpCLd1cjZK"}})");
  const auto text = canonicalize(object).value();
  EXPECT_EQ(text.size(), 363U);
  EXPECT_EQ(hex_encode(crypto::sha384(as_bytes(text))),
            "8016e15cc0aef7923faf39f9ff3a528aa82a3776ccba8836edae6e041497b22fb00b0572720c726dcbc946d7593ed753");
}

TEST(jcs, the_sample_of_upstreams_unit_test_hashes_the_same) {
  EXPECT_EQ(digest(R"({"b":1,"a":"test","c":{"d":"e"}})"),
            "e71ce8e70d814ba6639c3612ebee0ff1f76f650f8dbb5e47157e0f3f525cd22c4597480a186427c813ca941da78870c3");
}

}  // namespace
}  // namespace coffer::codec::json
