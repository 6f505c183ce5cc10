#include "image/ocicrypt/keyprovider.h"

#include "codec/json.h"
#include "image/testing/expect.h"

namespace coffer::image::ocicrypt {
namespace {

using image::testing::expect_error;

TEST(keyprovider, a_wrap_request_of_gos_client_is_read) {
  const auto request =
      parse_keyprovider_request(
          as_bytes(
              R"({"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"attestation-agent":["c2FtcGxlPXRydWU="]},)"
              R"("DecryptConfig":{"Parameters":{}}},"optsdata":"c2VjcmV0"},"keyunwrapparams":{"dc":null,"annotation":null}})"))
          .value();
  const auto& wrap = std::get<WrapRequest>(request);
  EXPECT_EQ(wrap.parameters.at("attestation-agent").at(0), "sample=true");
  EXPECT_EQ(as_text(wrap.secret.expose()), "secret");
}

TEST(keyprovider, our_requests_are_read_back) {
  const auto wrap = parse_keyprovider_request(as_bytes(wrap_request("p", "keyid=x", as_bytes("secret")))).value();
  EXPECT_EQ(std::get<WrapRequest>(wrap).parameters.at("p").at(0), "keyid=x");
  const auto unwrap = parse_keyprovider_request(as_bytes(unwrap_request("p", "", as_bytes("packet")))).value();
  EXPECT_EQ(as_text(std::get<UnwrapRequest>(unwrap).annotation), "packet");
}

TEST(keyprovider, requests_hold_both_parameter_objects) {
  for (const auto& text : {wrap_request("p", "x", {}), unwrap_request("p", "x", {})}) {
    const auto document = codec::json::parse(text).value();
    EXPECT_TRUE(document.find("keywrapparams")->is_object());
    EXPECT_TRUE(document.find("keyunwrapparams")->is_object());
  }
}

TEST(keyprovider, results_go_out_as_numbers_and_come_in_either_way) {
  EXPECT_EQ(wrap_response(as_bytes("\x01\x20\xff")), R"({"keywrapresults":{"annotation":[1,32,255]}})");
  EXPECT_EQ(as_text(parse_wrap_response(as_bytes(wrap_response(as_bytes("abc")))).value()), "abc");
  EXPECT_EQ(as_text(parse_unwrap_response(as_bytes(R"({"keyunwrapresults":{"optsdata":"YWJj"}})"))->expose()), "abc");
  EXPECT_EQ(as_text(parse_unwrap_response(unwrap_response(SecretBytes::copy_of("abc")).expose())->expose()), "abc");
}

TEST(keyprovider, broken_messages_are_refused) {
  for (const auto* text :
       {"", "[]", "{}", R"({"op":"else"})", R"({"op":"keywrap"})", R"({"op":"keyunwrap","keyunwrapparams":{}})",
        R"({"op":"keywrap","keywrapparams":{"optsdata":[256]}})",
        R"({"op":"keywrap","keywrapparams":{"optsdata":"!"}})",
        R"({"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"p":["!"]}},"optsdata":""}})",
        R"({"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"p":7}},"optsdata":""}})"}) {
    expect_error(parse_keyprovider_request(as_bytes(text)), ImageError::bad_annotation);
  }
  expect_error(parse_wrap_response(as_bytes("{}")), ImageError::bad_annotation);
}

TEST(keyprovider, parameters_are_read_and_typing_errors_are_loud) {
  const auto parameters = parse_provider_parameter("keyid=kbs:///default/key/k1::keypath=/tmp/k").value();
  EXPECT_EQ(parameters.at("keyid"), "kbs:///default/key/k1");
  EXPECT_EQ(parameters.at("keypath"), "/tmp/k");
  for (const auto* text :
       {"", "/path/keys.json:key_id1", "cc_kbc::kbs:///default/key/x", "keyid=a::keyid=b", "kyeid=a"}) {
    expect_error(parse_provider_parameter(text), ImageError::bad_annotation);
  }
}

}  // namespace
}  // namespace coffer::image::ocicrypt
