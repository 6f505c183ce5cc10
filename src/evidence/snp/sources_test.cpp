// Endorsements that the evidence lacks.
#include "evidence/snp/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/snp/snp_testing.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::snp {
namespace {

namespace json = codec::json;
using testing::HasSubstr;
using testing::SizeIs;

class Sources : public testing::Test {
 protected:
  VerifierOptions options(std::string_view snp_verifier = "{}") const {
    auto out = simulated_options();
    out.collateral = collateral;
    out.config = {{"snp_verifier", json::parse(snp_verifier).value()}};
    return out;
  }
  // The simulator's signers come along, the VCEK does not.
  static Evidence without_vcek(std::uint32_t version = 3, Product product = Product::milan) {
    auto out = valid({}, version, platform(product));
    out.certificates.clear();
    return out;
  }

  // A VCEK below the simulator's root directly: nothing between them is asked for.
  static Evidence direct(std::uint32_t version, Product product, Bytes& vcek) {
    const auto& on = platform(product);
    auto wanted = crypto::CertificateRequest{.common_name = "SEV-VCEK",
                                             .not_before = start,
                                             .not_after = start + 24h * 365,
                                             .extensions = on.endorsement.extensions()};
    std::erase_if(wanted.extensions, [](const auto& e) { return !e.oid.starts_with("1.3.6.1.4.1.3704."); });
    vcek = crypto::issue(wanted, on.endorsement_key.public_key(), root().issuer())->der();
    return without_vcek(version, product);
  }

  std::shared_ptr<FakeCollateral> collateral = std::make_shared<FakeCollateral>();
};

TEST_F(Sources, paths_are_those_of_the_kds) {
  const auto milan = vcek_item(without_vcek().report, Product::milan);
  const auto chip = codec::hex_encode(platform().chip_id);
  EXPECT_EQ(milan.path, "/vcek/v1/Milan/" + chip + "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219");
  EXPECT_EQ(milan.service, "amd-kds");
  EXPECT_EQ(milan.key, "Milan-" + chip + "-bl04_tee00_snp24_ucode219");
  EXPECT_LE(milan.key.size(), 200U);
  const auto turin = vcek_item(without_vcek(3, Product::turin).report, Product::turin, "https://kds.example");
  EXPECT_EQ(turin.path, "/vcek/v1/Turin/" + codec::hex_encode(platform(Product::turin).chip_id).substr(0, 16) +
                            "?fmcSPL=01&blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219");
  EXPECT_EQ(turin.service, "https://kds.example");
  EXPECT_EQ(vcek_chain_item(Product::turin).path, "/vcek/v1/Turin/cert_chain");
  EXPECT_EQ(vlek_chain_item(Product::genoa).path, "/vlek/v1/Genoa/cert_chain");
  EXPECT_EQ(crl_item(Product::genoa, SigningKey::vcek).path, "/vcek/v1/Genoa/crl");
  EXPECT_EQ(crl_item(Product::genoa, SigningKey::vlek).path, "/vlek/v1/Genoa/crl");
}

TEST_F(Sources, a_missing_vcek_is_fetched) {
  Bytes vcek;
  const auto evidence = direct(3, Product::milan, vcek);
  EXPECT_EQ(refusal(evidence, {}, options()).code, CollateralError::not_found);
  collateral->items["amd-vcek/" + vcek_item(evidence.report, Product::milan).key] = vcek;
  const auto claims = verify(evidence, {}, options());
  EXPECT_TRUE(claims) << to_string(claims.error());
}

TEST_F(Sources, signers_below_a_simulators_root_are_fetched_as_the_vcek_is) {
  const auto evidence = without_vcek();
  const auto& on = platform();
  collateral->items["amd-vcek/" + vcek_item(evidence.report, Product::milan).key] = on.endorsement.der();
  EXPECT_EQ(refusal(evidence, {}, options()).code, CollateralError::not_found);
  collateral->items["amd-vcek-chain/Milan"] = to_bytes(on.signer.to_pem() + on.ark.to_pem());
  const auto claims = verify(evidence, {}, options());
  EXPECT_TRUE(claims) << to_string(claims.error());
  // Where no simulator was chosen, nobody is asked on its behalf.
  auto strict = options();
  strict.simulated_tees.clear();
  collateral->asked.clear();
  EXPECT_EQ(refusal(evidence, {}, strict).code, EvidenceError::simulated_refused);
  EXPECT_THAT(collateral->asked, SizeIs(1));
}

TEST_F(Sources, the_questions_of_one_appraisal_share_their_time) {
  struct Timed final : Collateral {
    Result<std::shared_ptr<const CollateralBlob>> get(const CollateralItem& item, TimePoint) override {
      deadlines.push_back(item.deadline);
      const auto& on = platform();
      if (item.kind == "amd-vcek")
        return std::make_shared<const CollateralBlob>(CollateralBlob{on.endorsement.der(), {}});
      return fail(CollateralError::unreachable, "nobody there");
    }
    SteadyTime deadline() const override { return SteadyTime{} + std::chrono::seconds{++asked}; }
    std::vector<SteadyTime> deadlines{};
    mutable int asked = 0;
  };
  auto timed = std::make_shared<Timed>();
  auto with = options();
  with.collateral = timed;
  EXPECT_EQ(refusal(without_vcek(), {}, with).code, CollateralError::unreachable);
  EXPECT_EQ(timed->deadlines, std::vector(2, SteadyTime{} + std::chrono::seconds{1}));
}

TEST_F(Sources, a_version_2_report_is_looked_for_in_each_product_line) {
  Bytes vcek;
  const auto genoa = direct(2, Product::genoa, vcek);
  collateral->items["amd-vcek/" + vcek_item(genoa.report, Product::genoa).key] = vcek;
  EXPECT_TRUE(verify(genoa, {}, options()));
  EXPECT_THAT(collateral->asked, SizeIs(2));
  const auto turin = direct(2, Product::turin, vcek);
  collateral->items["amd-vcek/" + vcek_item(turin.report, Product::turin).key] = vcek;
  EXPECT_TRUE(verify(turin, {}, options()));
}

TEST_F(Sources, a_vcek_of_another_tcb_is_refused_wherever_it_came_from) {
  Bytes vcek;
  auto evidence = direct(3, Product::milan, vcek);
  evidence = resigned(evidence, [](Report& r) { r.reported_tcb.snp = 23; });
  collateral->items["amd-vcek/" + vcek_item(evidence.report, Product::milan).key] = vcek;
  EXPECT_EQ(refusal(evidence, {}, options()).code, SnpError::wrong_tcb);
}

TEST_F(Sources, a_vlek_cannot_be_fetched) {
  auto evidence = valid({}, 3, platform(Product::milan, SigningKey::vlek));
  evidence.certificates.clear();
  EXPECT_EQ(refusal(evidence, {}, options()).code, EvidenceError::collateral_missing);
  EXPECT_TRUE(collateral->asked.empty());
}

TEST_F(Sources, an_offline_store_has_upstreams_layout) {
  const TemporaryDirectory directory;
  Bytes vcek;
  const auto evidence = direct(3, Product::milan, vcek);
  const auto config = options(R"({"vcek_sources":[{"type":"OfflineStore","path":")" + directory.path().string() +
                              R"("},{"type":"KDS"}]})");
  const auto missing = refusal(evidence, {}, config);
  EXPECT_EQ(missing.code, CollateralError::not_found);
  EXPECT_THAT(missing.message, HasSubstr("vcek.der"));
  EXPECT_THAT(missing.message, HasSubstr("not_found"));
  const auto folder = "vcek/" + codec::hex_encode(platform().chip_id) + "/";
  directory.write(folder + "bl04_tee00_snp24_ucode219_vcek.der", as_text(vcek));
  EXPECT_TRUE(verify(evidence, {}, config));
  std::filesystem::rename(directory.path() / (folder + "bl04_tee00_snp24_ucode219_vcek.der"),
                          directory.path() / (folder + "vcek.der"));
  EXPECT_TRUE(verify(evidence, {}, config));
  directory.write(folder + "vcek.der", std::string(65U << 10, 'x'));
  EXPECT_EQ(refusal(evidence, {}, config).code, CollateralError::not_found);
  const auto alone =
      options(R"({"vcek_sources":[{"type":"OfflineStore","path":")" + directory.path().string() + R"("}]})");
  EXPECT_EQ(refusal(evidence, {}, alone).code, EvidenceError::collateral_missing);
}

TEST_F(Sources, the_kds_may_be_elsewhere_and_no_source_at_all_is_said) {
  EXPECT_EQ(
      refusal(without_vcek(), {}, options(R"({"vcek_sources":[{"type":"KDS","base_url":"http://mirror"}]})")).code,
      CollateralError::not_found);
  ASSERT_THAT(collateral->asked, SizeIs(1));
  EXPECT_EQ(collateral->asked[0].service, "http://mirror");
  EXPECT_THAT(refusal(without_vcek(), {}, options(R"({"vcek_sources":[]})")).message, HasSubstr("no source"));
}

TEST_F(Sources, required_revocation_lists_are_fetched_and_obeyed) {
  const auto required = options(R"({"revocation_checks":"required"})");
  EXPECT_EQ(refusal(valid(), {}, required).code, CollateralError::not_found);
  const auto list = [](std::span<const crypto::Certificate> revoked) {
    return platform().revocation_list(true, revoked, start, start + 24h * 60)->data;
  };
  collateral->items["amd-crl/vcek-Milan"] = list({});
  EXPECT_TRUE(verify(valid(), {}, required));
  EXPECT_TRUE(verify(valid({}, 2), {}, required));
  const std::vector signer{platform().signer};
  collateral->items["amd-crl/vcek-Milan"] = list(signer);
  EXPECT_EQ(refusal(valid(), {}, required).code, SnpError::revoked);
}

TEST_F(Sources, what_came_is_read_before_it_is_kept) {
  const CollateralBlob garbage{to_bytes("<html>"), {}};
  for (const auto& item : {vcek_item(without_vcek().report, Product::milan), vlek_chain_item(Product::milan),
                           crl_item(Product::milan, SigningKey::vcek)}) {
    EXPECT_EQ(item.inspect(garbage).error().code, CollateralError::malformed) << item.kind;
  }
  const CollateralBlob list{platform().revocation_list(true, {}, start, now)->data, {}};
  EXPECT_EQ(crl_item(Product::milan, SigningKey::vcek).inspect(list)->until, now);
}

}  // namespace
}  // namespace coffer::evidence::snp
