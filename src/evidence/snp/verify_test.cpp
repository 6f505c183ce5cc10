// Evidence of the simulator with one thing broken each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/mutation_testing.h"
#include "evidence/snp/snp_testing.h"

namespace coffer::evidence::snp {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

class Versions : public testing::TestWithParam<std::tuple<std::uint32_t, Product, SigningKey>> {};

TEST_P(Versions, hold_with_upstreams_claims) {
  const auto [version, product, key] = GetParam();
  const auto claims = verify(valid({}, version, platform(product, key)));
  ASSERT_TRUE(claims) << to_string(claims.error());
  ASSERT_EQ(claims->size(), 1U);
  const auto& chip = platform(product, key).chip_id;
  EXPECT_EQ(json::Value{claims->front().claims}, (json::Value{json::Object{{"policy_abi_major", 0},
                                                                           {"policy_abi_minor", 0},
                                                                           {"policy_smt_allowed", true},
                                                                           {"policy_migrate_ma", false},
                                                                           {"policy_debug_allowed", false},
                                                                           {"policy_single_socket", false},
                                                                           {"reported_tcb_bootloader", 4},
                                                                           {"reported_tcb_tee", 0},
                                                                           {"reported_tcb_snp", 24},
                                                                           {"reported_tcb_microcode", 219},
                                                                           {"platform_tsme_enabled", false},
                                                                           {"platform_smt_enabled", true},
                                                                           {"measurement", std::string(96, '1')},
                                                                           {"chip_id", codec::hex_encode(chip)}}}));
  EXPECT_EQ(claims->front().report_data, codec::hex_encode(nonce));
  EXPECT_EQ(claims->front().init_data, std::string(64, '2'));
  EXPECT_THAT(claims->front().simulated_root.value_or(""), HasSubstr(std::string{simulator_mark}));
}

INSTANTIATE_TEST_SUITE_P(
    Snp, Versions,
    testing::Values(std::tuple{2, Product::milan, SigningKey::vcek}, std::tuple{2, Product::turin, SigningKey::vcek},
                    std::tuple{3, Product::milan, SigningKey::vcek}, std::tuple{3, Product::genoa, SigningKey::vcek},
                    std::tuple{4, Product::milan, SigningKey::vcek}, std::tuple{5, Product::turin, SigningKey::vcek},
                    std::tuple{2, Product::milan, SigningKey::vlek}, std::tuple{5, Product::turin, SigningKey::vlek}));

TEST(Snp, policy_bits_become_claims) {
  const auto claims = verify(resigned(valid(), [](Report& r) {
    r.policy = 0x1f0302;  // single socket, debug, migration, SMT, ABI 3.2
    r.plat_info = 2;
  }));
  ASSERT_TRUE(claims) << to_string(claims.error());
  const auto& c = claims->front().claims;
  EXPECT_EQ(*c.find("policy_debug_allowed"), json::Value{true});
  EXPECT_EQ(*c.find("policy_migrate_ma"), json::Value{true});
  EXPECT_EQ(*c.find("policy_single_socket"), json::Value{true});
  EXPECT_EQ(*c.find("policy_abi_major"), json::Value{3});
  EXPECT_EQ(*c.find("policy_abi_minor"), json::Value{2});
  EXPECT_EQ(*c.find("platform_tsme_enabled"), json::Value{true});
  EXPECT_EQ(*c.find("platform_smt_enabled"), json::Value{false});
}

TEST(Snp, report_data_is_padded_with_zeros_and_compared) {
  const auto padded = resigned(valid(), [](Report& r) {
    r.report_data = {};
    std::fill_n(r.report_data.begin(), 48, std::byte{0x5a});
  });
  EXPECT_TRUE(verify(padded, {Bytes(48, std::byte{0x5a}), {}}));
  EXPECT_EQ(refusal(padded, {Bytes(47, std::byte{0x5a}), {}}).code, EvidenceError::report_data_mismatch);
  const auto wrong = refusal(valid(), {Bytes(64, std::byte{0x5b}), {}});
  EXPECT_EQ(wrong.code, EvidenceError::report_data_mismatch);
  EXPECT_THAT(wrong.message, HasSubstr(codec::hex_encode(nonce)));
  EXPECT_EQ(refusal(valid(), {Bytes(65, std::byte{0x5a}), {}}).code, EvidenceError::report_data_mismatch);
  EXPECT_EQ(refusal(valid({.wrong_nonce = true}), {to_bytes(nonce), {}}).code, EvidenceError::report_data_mismatch);
}

TEST(Snp, init_data_is_cut_or_padded_to_host_data) {
  EXPECT_TRUE(verify(valid(), {{}, Bytes(32, std::byte{0x22})}));
  EXPECT_TRUE(verify(valid(), {{}, Bytes(48, std::byte{0x22})}));
  EXPECT_EQ(refusal(valid(), {{}, Bytes(31, std::byte{0x22})}).code, EvidenceError::init_data_mismatch);
  EXPECT_EQ(refusal(valid(), {{}, Bytes(32, std::byte{0x23})}).code, EvidenceError::init_data_mismatch);
}

TEST(Snp, each_fault_dial_has_its_own_code) {
  EXPECT_EQ(refusal(valid({.old_tcb = true})).code, SnpError::wrong_tcb);
  EXPECT_EQ(refusal(valid({.other_chip = true})).code, SnpError::wrong_chip);
  EXPECT_EQ(refusal(valid({.lower_privilege = true})).code, SnpError::wrong_vmpl);
  EXPECT_EQ(refusal(valid({.bad_signature = true})).code, SnpError::bad_signature);
  EXPECT_EQ(refusal(valid({.no_certificates = true})).code, EvidenceError::collateral_missing);
  EXPECT_EQ(refusal(valid({.revoked = true})).code, SnpError::revoked);
  EXPECT_EQ(refusal(valid({.expired = true})).code, SnpError::not_valid_at_time);
  // These two are the policy's to judge.
  EXPECT_EQ(*verify(valid({.debug = true}))->front().claims.find("policy_debug_allowed"), json::Value{true});
  EXPECT_NE(*verify(valid({.wrong_measurement = true}))->front().claims.find("measurement"),
            json::Value{std::string(96, '1')});
}

TEST(Snp, a_masked_chip_id_is_accepted_with_the_certificate_that_came_along) {
  const auto claims = verify(valid({.masked_chip_id = true}));
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(*claims->front().claims.find("chip_id"), json::Value{std::string(128, '0')});
  const auto fetched = refusal(valid({.masked_chip_id = true, .no_certificates = true}));
  EXPECT_EQ(fetched.code, EvidenceError::collateral_missing);
  EXPECT_THAT(fetched.message, HasSubstr("masks"));
}

TEST(Snp, what_is_not_signed_as_it_should_be_is_refused) {
  EXPECT_EQ(refusal(resigned(valid(), [](Report& r) { r.sig_algo = 2; })).code, SnpError::unsupported_algorithm);
  EXPECT_EQ(refusal(resigned(valid(), [](Report& r) { r.key_info = 2U << 2; })).code, SnpError::unsupported_algorithm);
  EXPECT_EQ(refusal(resigned(valid(), [](Report& r) { r.key_info = 7U << 2; })).code, SnpError::unsigned_report);
  EXPECT_EQ(refusal(resigned(valid(), [](Report& r) { r.key_info = 2; })).code, SnpError::unsigned_report);
  auto large = valid();
  large.report.signature.r[48] = std::byte{1};
  EXPECT_EQ(refusal(large).code, SnpError::bad_signature);
}

TEST(Snp, the_kind_of_key_must_be_the_one_the_report_names) {
  const auto as_vlek = [](Report& r) { r.key_info = 1U << 2; };
  EXPECT_EQ(refusal(resigned(valid(), as_vlek)).code, SnpError::wrong_signing_key);
  auto renamed = resigned(valid(), as_vlek);
  renamed.certificates[0].type = CertificateType::vlek;
  EXPECT_EQ(refusal(renamed).code, SnpError::wrong_signing_key);
  auto only_ask = valid();
  only_ask.certificates.erase(only_ask.certificates.begin());
  EXPECT_EQ(refusal(only_ask).code, SnpError::no_endorsement_key);
}

TEST(Snp, of_two_endorsement_keys_the_one_that_the_report_names_counts) {
  auto both = valid();
  both.certificates.insert(both.certificates.begin(), platform(Product::milan, SigningKey::vlek).certificates()[0]);
  EXPECT_TRUE(verify(both));
}

TEST(Snp, processors_without_a_known_root_are_refused) {
  const auto unknown = refusal(resigned(valid(), [](Report& r) { r.cpuid_mod_id = 0x20; }));
  EXPECT_EQ(unknown.code, SnpError::unsupported_product);
  EXPECT_THAT(unknown.message, HasSubstr("0x1920"));
}

TEST(Snp, a_key_of_another_product_line_is_refused) {
  auto other = valid();
  other.report.cpuid_mod_id = 0x11;
  EXPECT_EQ(refusal(resigned(other, [](Report&) {})).code, SnpError::wrong_product);
}

TEST(Snp, chains_that_do_not_reach_the_root_are_refused) {
  auto without_ask = valid();
  without_ask.certificates.erase(without_ask.certificates.begin() + 1);
  EXPECT_EQ(refusal(without_ask).code, SnpError::untrusted_chain);
  auto other_ask = valid();
  other_ask.certificates[1] = platform(Product::genoa).certificates()[1];
  EXPECT_EQ(refusal(other_ask).code, SnpError::untrusted_chain);
  // Swapped: the VCEK as ASK and the other way round.
  auto swapped = valid();
  std::swap(swapped.certificates[0].data, swapped.certificates[1].data);
  EXPECT_EQ(refusal(swapped).code, SnpError::bad_certificate);
  auto other_simulator = simulated_options();
  other_simulator.simulator_roots = {make_simulator_root(start).value().certificate};
  EXPECT_EQ(refusal(valid(), {}, other_simulator).code, SnpError::untrusted_chain);
}

TEST(Snp, a_simulator_that_was_not_chosen_is_refused_as_such) {
  EXPECT_EQ(refusal(valid(), {}, {}).code, EvidenceError::simulated_refused);
  auto for_another = simulated_options();
  for_another.simulated_tees = {TeeKind::tdx};
  EXPECT_EQ(refusal(valid(), {}, for_another).code, EvidenceError::simulated_refused);
}

TEST(Snp, certificates_count_only_within_their_time) {
  EXPECT_EQ(refusal(valid(), {}, simulated_options(), start - 1s).code, SnpError::not_valid_at_time);
  EXPECT_EQ(refusal(valid(), {}, simulated_options(), start + 24h * 366).code, SnpError::not_valid_at_time);
  // Also where the chain was verified before and is remembered.
  const auto verifier = make_verifier(TeeKind::snp, simulated_options()).value();
  const auto evidence = valid().to_json();
  EXPECT_TRUE(verifier->verify(evidence, {}, now));
  EXPECT_TRUE(verifier->verify(evidence, {}, now));
  EXPECT_EQ(verifier->verify(evidence, {}, start + 24h * 366).error().code, SnpError::not_valid_at_time);
  EXPECT_EQ(verifier->verify(evidence, {}, start - 1s).error().code, SnpError::not_valid_at_time);
  EXPECT_TRUE(verifier->verify(evidence, {}, now));
}

TEST(Snp, revocation_lists_that_come_along_are_obeyed) {
  const auto with_list = [](bool of_ark, std::span<const crypto::Certificate> revoked, TimePoint from) {
    auto out = valid();
    out.certificates.push_back(platform().revocation_list(of_ark, revoked, from, from + 24h * 60).value());
    return out;
  };
  const std::vector signer{platform().signer};
  const std::vector endorsement{platform().endorsement};
  EXPECT_TRUE(verify(with_list(true, {}, start)));
  EXPECT_TRUE(verify(with_list(true, endorsement, start)));  // not the ARK's to revoke
  EXPECT_EQ(refusal(with_list(true, signer, start)).code, SnpError::revoked);
  EXPECT_EQ(refusal(with_list(false, endorsement, start)).code, SnpError::revoked);
  EXPECT_EQ(refusal(with_list(true, {}, start - 24h * 60)).code, SnpError::not_valid_at_time);
  EXPECT_EQ(refusal(with_list(true, {}, now + 1h)).code, SnpError::not_valid_at_time);
  auto garbage = valid();
  garbage.certificates.push_back({CertificateType::crl, to_bytes("no list")});
  EXPECT_EQ(refusal(garbage).code, SnpError::bad_certificate);
}

TEST(Snp, evidence_of_another_shape_is_malformed) {
  const auto verifier = make_verifier(TeeKind::snp, simulated_options()).value();
  const auto code = [&](const json::Value& value) { return verifier->verify(value, {}, now).error().code; };
  EXPECT_EQ(code("text"), EvidenceError::malformed);
  EXPECT_EQ(code(json::Object{}), EvidenceError::malformed);
  const auto with_chain = [](json::Value chain) {
    auto out = valid().to_json();
    out.if_object()->set("cert_chain", std::move(chain));
    return out;
  };
  EXPECT_EQ(code(with_chain("text")), EvidenceError::malformed);
  EXPECT_EQ(code(with_chain(json::Array{"text"})), EvidenceError::malformed);
  EXPECT_EQ(code(with_chain(json::Array(17, json::Object{}))), EvidenceError::malformed);
  EXPECT_EQ(code(with_chain(json::Array{json::Object{{"cert_type", "VCEK"}, {"data", "MII"}}})),
            EvidenceError::malformed);
  EXPECT_EQ(code(with_chain(json::Array{json::Object{{"cert_type", "VCEK"}, {"data", json::Array{256}}}})),
            EvidenceError::malformed);
  EXPECT_EQ(code(with_chain(json::Array{json::Object{{"cert_type", "VCEK"}, {"data", json::Array{1, 2}}}})),
            SnpError::bad_certificate);
}

TEST(Snp, settings_that_do_not_fit_are_refused) {
  const auto code = [](std::string_view text) {
    const auto verifier = make_verifier(TeeKind::snp, {.config = *json::parse(text)->if_object()});
    return verifier ? ErrorCode{EvidenceError::no_device} : verifier.error().code;
  };
  EXPECT_EQ(code(R"({"snp_verifier":"x"})"), EvidenceError::bad_config);
  EXPECT_EQ(code(R"({"snp_verifier":{"vcek_sources":"KDS"}})"), EvidenceError::bad_config);
  EXPECT_EQ(code(R"({"snp_verifier":{"vcek_sources":["KDS"]}})"), EvidenceError::bad_config);
  EXPECT_EQ(code(R"({"snp_verifier":{"vcek_sources":[{"type":"Disk"}]}})"), EvidenceError::bad_config);
  EXPECT_EQ(code(R"({"snp_verifier":{"vcek_sources":[{"type":"KDS","base_url":1}]}})"), EvidenceError::bad_config);
  EXPECT_EQ(code(R"({"snp_verifier":{"revocation_checks":"maybe"}})"), EvidenceError::bad_config);
}

TEST(Snp, raw_reports_become_evidence) {
  const auto original = valid();
  const auto verifier = make_verifier(TeeKind::snp, simulated_options()).value();
  std::vector<Bytes> certificates;
  for (const auto& entry : original.certificates) certificates.push_back(entry.data);
  certificates.push_back(platform().revocation_list(true, {}, start, start + 24h * 60)->data);
  const auto value = verifier->from_raw(original.report.encode(), certificates);
  ASSERT_TRUE(value) << to_string(value.error());
  EXPECT_TRUE(verifier->verify(*value, {}, now));
  const auto shown = verifier->inspect(*value);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->find("cert_chain")->if_array()->size(), 4U);
  EXPECT_EQ(*shown->find("cert_chain")->if_array()->back().find("cert_type"), json::Value{"CRL"});
  EXPECT_EQ(verifier->from_raw(Bytes(10), {}).error().code, SnpError::bad_report);
  const std::vector<Bytes> garbage{to_bytes("x")};
  EXPECT_EQ(verifier->from_raw(original.report.encode(), garbage).error().code, SnpError::bad_certificate);
}

TEST(Snp, certificates_are_put_into_a_document_in_the_place_of_its_own) {
  const auto verifier = make_verifier(TeeKind::snp, simulated_options()).value();
  const auto original = valid();
  std::vector<Bytes> certificates;
  for (const auto& entry : original.certificates) certificates.push_back(entry.data);
  auto bare = original;
  bare.certificates.clear();
  EXPECT_EQ(refusal(bare).code, EvidenceError::collateral_missing);
  const auto completed = verifier->with_certificates(bare.to_json(), certificates);
  ASSERT_TRUE(completed) << to_string(completed.error());
  EXPECT_TRUE(verifier->verify(*completed, {}, now));
  // Another platform's make way.
  auto foreign = original;
  foreign.certificates = valid({}, 3, platform(Product::genoa)).certificates;
  EXPECT_FALSE(verify(foreign));
  const auto repaired = verifier->with_certificates(foreign.to_json(), certificates);
  ASSERT_TRUE(repaired) << to_string(repaired.error());
  EXPECT_TRUE(verifier->verify(*repaired, {}, now));
  const std::vector<Bytes> garbage{to_bytes("x")};
  EXPECT_EQ(verifier->with_certificates(bare.to_json(), garbage).error().code, SnpError::bad_certificate);
  EXPECT_EQ(verifier->with_certificates(json::Value{"text"}, certificates).error().code, EvidenceError::malformed);
}

TEST(Snp, any_changed_byte_of_report_or_certificate_is_refused) {
  const auto original = valid();
  const auto verifier = make_verifier(TeeKind::snp, simulated_options()).value();
  expect_every_changed_byte_refused(
      original.report.encode(),
      [&](ByteView raw) {
        const auto report = Report::parse(raw);
        return report && verifier->verify(Evidence{*report, original.certificates}.to_json(), {}, now);
      },
      {}, 3);
  expect_every_changed_byte_refused(
      original.certificates[0].data,
      [&](ByteView der) {
        auto changed = original;
        changed.certificates[0].data = to_bytes(der);
        return verifier->verify(changed.to_json(), {}, now).has_value();
      },
      {}, 3);
}

}  // namespace
}  // namespace coffer::evidence::snp
