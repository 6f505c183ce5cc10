// Collateral that is not what Intel would sign.
#include "evidence/dcap/collateral.h"

#include <gmock/gmock.h>

#include "evidence/dcap/engine.h"
#include "evidence/dcap/platform_testing.h"
#include "evidence/dcap/tcb_info.h"
#include "testing/temporary_directory.h"
#include "testing/vectors.h"

namespace coffer::evidence::dcap {
namespace {

using ::testing::HasSubstr;

CollateralRequest with_tcb_info(std::string_view from, std::string_view to) {
  auto request = test_request();
  request.texts.tdx_tcb_info = replaced(request.texts.tdx_tcb_info, from, to);
  return request;
}

CollateralRequest with_identity(std::string_view from, std::string_view to) {
  auto request = test_request();
  request.texts.td_qe_identity = replaced(request.texts.td_qe_identity, from, to);
  return request;
}

// The simulator's file with one text changed after signing, or a list exchanged.
VerifierOptions with_file(std::string_view from, std::string_view to) {
  const auto file = make_collateral_json(test_authority(), test_request()).value();
  auto options = test_options();
  options.collateral = collateral_from_json(replaced(file, from, to)).value();
  return options;
}

ErrorCode refused(const VerifierOptions& options) {
  return refusal(test_quote(Tee::tdx), options).code;
}
ErrorCode refused(const CollateralRequest& request) {
  return refused(test_options(request));
}

TEST(Collateral, statements_that_were_changed_after_signing_are_refused) {
  EXPECT_EQ(
      refused(with_file(R"("tcbEvaluationDataNumber":20,"tdxModule")", R"("tcbEvaluationDataNumber":21,"tdxModule")")),
      DcapError::bad_tcb_info_signature);
  EXPECT_EQ(refused(with_file(R"("isvprodid":2)", R"("isvprodid":3)")), DcapError::bad_qe_identity_signature);
}

TEST(Collateral, tcb_info_of_another_shape_is_refused) {
  EXPECT_EQ(refused(with_tcb_info(R"("version":3)", R"("version":2)")), DcapError::bad_tcb_info);
  EXPECT_EQ(refused(with_tcb_info(R"("tcbType":0)", R"("tcbType":1)")), DcapError::bad_tcb_info);
  EXPECT_EQ(refused(with_tcb_info(R"("tcbStatus":"UpToDate")", R"("tcbStatus":"Splendid")")), DcapError::bad_tcb_info);
  EXPECT_EQ(refused(with_tcb_info(R"("tcbStatus":"OutOfDate")", R"("tcbStatus":"TDRelaunchAdvised")")),
            DcapError::bad_tcb_info);
  EXPECT_EQ(refused(with_tcb_info(R"("sgxtcbcomponents":[{"svn":5})", R"("sgxtcbcomponents":[{"svn":256})")),
            DcapError::bad_tcb_info);
  EXPECT_EQ(refused(with_tcb_info(R"("sgxtcbcomponents":[)", R"("sgxtcbcomponents":[{"svn":0},)")),
            DcapError::bad_tcb_info);
  EXPECT_EQ(refused(with_tcb_info(R"("pceId":"0000")", R"("pceId":"000000")")), DcapError::bad_tcb_info);
  EXPECT_EQ(refused(with_tcb_info("TDX_01", "TDX_XY")), DcapError::bad_tcb_info);
  EXPECT_EQ(refused(with_tcb_info(R"("issueDate":")", R"("issueDate":"on )")), DcapError::bad_tcb_info);
}

TEST(Collateral, tcb_info_of_another_platform_is_refused) {
  EXPECT_EQ(refused(with_tcb_info("501ED0000000", "501ED0000001")), DcapError::tcb_info_mismatch);
  EXPECT_EQ(refused(with_tcb_info(R"("pceId":"0000")", R"("pceId":"0100")")), DcapError::tcb_info_mismatch);
  auto request = test_request();
  request.texts.tdx_tcb_info = request.texts.sgx_tcb_info;
  EXPECT_EQ(refused(request), DcapError::tcb_info_mismatch);
}

TEST(Collateral, an_enclave_identity_of_another_shape_is_refused) {
  EXPECT_EQ(refused(with_identity(R"("version":2)", R"("version":1)")), DcapError::bad_qe_identity);
  EXPECT_EQ(refused(with_identity(R"("id":"TD_QE")", R"("id":"QVE")")), DcapError::bad_qe_identity);
  EXPECT_EQ(refused(with_identity(R"("miscselect":"00000000")", R"("miscselect":"00")")), DcapError::bad_qe_identity);
}

TEST(Collateral, a_quoting_enclave_that_the_identity_does_not_describe_is_refused) {
  EXPECT_EQ(refused(with_identity(R"("isvprodid":2)", R"("isvprodid":3)")), DcapError::qe_identity_mismatch);
  EXPECT_EQ(refused(with_identity(R"("miscselect":"00000000")", R"("miscselect":"01000000")")),
            DcapError::qe_identity_mismatch);
  EXPECT_EQ(refused(with_identity(R"("attributes":"11)", R"("attributes":"13)")), DcapError::qe_identity_mismatch);
  auto options = PlatformOptions{.now = test_now};
  options.foreign_qe = true;
  const auto error = refusal(test_quote(Tee::tdx, options));
  EXPECT_EQ(error.code, DcapError::qe_identity_mismatch);
  EXPECT_THAT(error.message, HasSubstr("MRSIGNER"));
  auto request = test_request();
  request.texts.td_qe_identity = request.texts.qe_identity;
  EXPECT_EQ(refused(request), DcapError::qe_identity_mismatch);
}

TEST(Collateral, a_signer_for_another_purpose_is_refused) {
  auto request = test_request();
  request.signer_name = "SGX something else";
  EXPECT_EQ(refused(request), DcapError::bad_collateral_chain);
}

TEST(Collateral, revocation_lists_of_others_are_refused) {
  const auto other = make_simulated_authority(make_simulator_root(test_now).value()).value();
  const auto file = make_collateral_json(test_authority(), test_request()).value();
  const auto own = codec::json::parse(file).value();
  const auto foreign = codec::json::parse(make_collateral_json(other, test_request()).value()).value();
  const auto with_list = [&](std::string_view pointer, std::string_view list) {
    auto options = test_options();
    options.collateral = collateral_from_json(replaced(file, *own.at_pointer(pointer)->if_string(), list)).value();
    return options;
  };
  for (const auto* list : {"/collaterals/pckcacrl/platformCrl", "/collaterals/rootcacrl"}) {
    EXPECT_EQ(refused(with_list(list, *foreign.at_pointer(list)->if_string())), DcapError::bad_crl) << list;
    EXPECT_EQ(refused(with_list(list, "3003020101")), DcapError::bad_crl) << list;
  }
}

TEST(Collateral, files_of_neither_form_are_refused) {
  for (const auto* text : {"", "[]", "{}", R"({"collaterals":1})", R"({"tcb_info":"{}"})"}) {
    const auto collateral = collateral_from_json(text);
    ASSERT_FALSE(collateral) << text;
    EXPECT_EQ(collateral.error().code, DcapError::bad_config) << text;
  }
}

TEST(Collateral, a_platform_that_the_file_does_not_know_is_not_found) {
  auto options = PlatformOptions{.now = test_now};
  options.extensions.fmspc[0] = 0x99;
  const auto error = refusal(test_quote(Tee::tdx, options));
  EXPECT_EQ(error.code, CollateralError::not_found);
  EXPECT_THAT(to_string(error), HasSubstr("collateral.not_found"));
}

TEST(CollateralItems, paths_are_those_of_pcs_version_4) {
  CollateralQuestion question{Tee::tdx, {0x00, 0xa0, 0x6d, 0x08, 0, 0}, PckCa::platform};
  EXPECT_EQ(tcb_info_item(question).path, "/tdx/certification/v4/tcb?fmspc=00A06D080000&update=early");
  EXPECT_EQ(qe_identity_item(question).path, "/tdx/certification/v4/qe/identity?update=early");
  EXPECT_EQ(pck_crl_item(question).path, "/sgx/certification/v4/pckcrl?ca=platform&encoding=der");
  EXPECT_EQ(root_crl_item(question).path, "/IntelSGXRootCA.der");
  question = {Tee::sgx, question.fmspc, PckCa::processor, TcbUpdate::standard, true};
  EXPECT_EQ(tcb_info_item(question).path, "/sgx/certification/v4/tcb?fmspc=00A06D080000&update=standard");
  EXPECT_EQ(pck_crl_item(question).path, "/sgx/certification/v4/pckcrl?ca=processor&encoding=der");
  EXPECT_EQ(root_crl_item(question).path, "/sgx/certification/v4/rootcacrl");
  EXPECT_EQ(root_crl_item(question).service, "intel-pcs");
}

TEST(CollateralItems, a_configured_service_is_taken_by_its_origin) {
  const auto with = [](codec::json::Value service) {
    return configured_service({{"dcap_verifier", codec::json::Object{{"collateral_service", std::move(service)}}}});
  };
  EXPECT_EQ(with("https://pccs.example:8081/sgx/certification/v4/"), "https://pccs.example:8081");
  EXPECT_EQ(with("https://api.trustedservices.intel.com/sgx/certification/v4/"),
            "https://api.trustedservices.intel.com");
  EXPECT_FALSE(with("file:///srv/collateral.json"));
  EXPECT_FALSE(with(1));
  EXPECT_FALSE(configured_service({}));
}

TEST(CollateralItems, answers_are_read_before_they_are_stored) {
  const CollateralQuestion question{Tee::tdx, detail::fmspc, PckCa::platform};
  const auto source = test_options().collateral;
  for (const auto& item :
       {tcb_info_item(question), qe_identity_item(question), pck_crl_item(question), root_crl_item(question)}) {
    const auto blob = source->get(item, test_now).value();
    const auto validity = item.inspect(*blob);
    ASSERT_TRUE(validity) << item.kind << ": " << to_string(validity.error());
    EXPECT_EQ(validity->until, test_now + test_validity) << item.kind;
    const auto other = item.inspect({to_bytes("<html>"), "x"});
    ASSERT_FALSE(other) << item.kind;
    EXPECT_EQ(other.error().code, CollateralError::malformed) << item.kind;
  }
  const auto blob = source->get(tcb_info_item(question), test_now).value();
  EXPECT_EQ(tcb_info_item(question).inspect({blob->body, ""}).error().code, CollateralError::malformed);
}

// A file that its owner renews: with the PCK revoked it tells from one without.
class FollowedFile : public ::testing::Test {
 protected:
  void write(const CollateralRequest& request) {
    directory_.write("new", make_collateral_json(test_authority(), request).value());
    std::filesystem::rename(directory_.path() / "new", file());
  }
  std::filesystem::path file() const { return directory_.path() / "collateral.json"; }
  Result<Appraisal> appraise() {
    if (engine_ == nullptr) {
      auto options = test_options();
      options.collateral.reset();
      options.config = {{"dcap_verifier", codec::json::Object{{"collateral_service", "file://" + file().string()}}}};
      engine_ = Engine::create(TeeKind::tdx, options).value();
    }
    return engine_->appraise(parse_quote(quote_).value(), test_now);
  }
  CollateralRequest revoking() const {
    auto request = test_request();
    const auto quote = parse_quote(quote_).value();
    request.revoked_by_ca.push_back(crypto::Certificate::from_pem(as_text(quote.pck_chain)).value().serial_number());
    return request;
  }

  TemporaryDirectory directory_;
  Bytes quote_ = test_quote(Tee::tdx);
  std::shared_ptr<const Engine> engine_;
};

TEST_F(FollowedFile, is_read_again_once_it_has_changed) {
  write(test_request());
  const auto found = appraise();
  ASSERT_TRUE(found) << to_string(found.error());
  write(revoking());
  EXPECT_EQ(appraise().error().code, DcapError::pck_revoked);
  write(test_request());
  EXPECT_TRUE(appraise());
}

TEST_F(FollowedFile, answers_as_before_while_what_stands_there_cannot_be_read) {
  write(revoking());
  EXPECT_EQ(appraise().error().code, DcapError::pck_revoked);
  directory_.write("collateral.json", "half a fi");
  EXPECT_EQ(appraise().error().code, DcapError::pck_revoked);
  std::filesystem::remove(file());
  EXPECT_EQ(appraise().error().code, DcapError::pck_revoked);
  write(test_request());
  EXPECT_TRUE(appraise());
}

TEST(SignedText, is_found_byte_for_byte) {
  const std::string signature(128, 'a');
  const auto document =
      " { \"other\" : [1,\"}\\\"{\"] , \"tcbInfo\" : {\"a\": [ 1 ], \"b\":\"}\"} ,\n\"signature\":\"" + signature +
      "\"}";
  const auto found = find_signed_text(document, "tcbInfo", DcapError::bad_tcb_info);
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(found->text, "{\"a\": [ 1 ], \"b\":\"}\"}");
  EXPECT_EQ(found->signature, Bytes(64, std::byte{0xaa}));
}

TEST(SignedText, documents_of_another_form_are_refused) {
  const std::string signature(128, 'a');
  for (const auto& document : {std::string{"{"}, std::string{"[]"}, std::string{R"({"tcbInfo":{}})"},
                               R"({"tcbInfo":{},"signature":")" + signature + R"(00"})",
                               R"({"tcbInfo":[],"signature":")" + signature + R"("})",
                               R"({"tcbInfo":{},"tcbInfo":{},"signature":")" + signature + R"("})",
                               R"({"\u0074cbInfo":{},"signature":")" + signature + R"("})"}) {
    const auto found = find_signed_text(document, "tcbInfo", DcapError::bad_tcb_info);
    ASSERT_FALSE(found) << document;
    EXPECT_EQ(found.error().code, DcapError::bad_tcb_info) << document;
  }
}

TEST(TcbInfo, recorded_statements_of_intels_parse) {
  COFFER_REQUIRE_VECTORS();
  const auto info_file = coffer::testing::read_vector("tdx/tcbInfo.json");
  const auto info = parse_tcb_info(find_signed_text(info_file, "tcbInfo", DcapError::bad_tcb_info).value().text);
  ASSERT_TRUE(info) << to_string(info.error());
  EXPECT_EQ(info->tee, Tee::tdx);
  EXPECT_EQ(codec::hex_encode(std::as_bytes(std::span{info->fmspc})), "00a06d080000");
  EXPECT_EQ(info->evaluation_number, 17U);
  EXPECT_EQ(info->modules.size(), 3U);
  const auto identity_file = coffer::testing::read_vector("tdx/enclaveIdentity.json");
  const auto identity = parse_enclave_identity(
      find_signed_text(identity_file, "enclaveIdentity", DcapError::bad_qe_identity).value().text);
  ASSERT_TRUE(identity) << to_string(identity.error());
  EXPECT_EQ(identity->isv_prod_id, 2);
}

}  // namespace
}  // namespace coffer::evidence::dcap
