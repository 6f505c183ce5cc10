#include "evidence/snp/endorsement.h"

#include <gtest/gtest.h>

#include "evidence/snp/snp_testing.h"

namespace coffer::evidence::snp {
namespace {

constexpr auto arc = "1.3.6.1.4.1.3704.1.";

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

// The platform's VCEK with an extension replaced, or left out where `value` is empty.
crypto::Certificate changed(const std::string& oid, const Bytes& value, const SimulatedPlatform& on = platform(),
                            const std::string& name = "SEV-VCEK") {
  crypto::CertificateRequest wanted{.common_name = name, .not_before = start, .not_after = start + 24h};
  for (auto extension : on.endorsement.extensions()) {
    if (!extension.oid.starts_with(arc)) continue;
    if (extension.oid == arc + oid) extension.value = value;
    if (!extension.value.empty()) wanted.extensions.push_back(extension);
  }
  return crypto::issue(wanted, on.endorsement_key.public_key(), crypto::Issuer{on.signer, on.signer_key}).value();
}

ErrorCode code(const crypto::Certificate& certificate) {
  const auto fields = read_endorsement(certificate);
  EXPECT_FALSE(fields);
  return fields ? ErrorCode{EvidenceError::no_device} : fields.error().code;
}

TEST(Endorsement, fields_are_read_in_each_encoding) {
  for (const auto product : all_products()) {
    auto options = platform_options(product);
    for (const bool other : {false, true}) {
      options.other_encoding = other;
      const auto made = platform(product).with_endorsement(options).value();
      const auto fields = read_endorsement(made.endorsement);
      ASSERT_TRUE(fields) << to_string(fields.error());
      EXPECT_EQ(fields->tcb, made.tcb);
      EXPECT_EQ(fields->product, product);
      auto chip = *fields->hardware_id;
      chip.resize(64);
      EXPECT_TRUE(equal(chip, made.chip_id));
      EXPECT_TRUE(verify(valid({}, 3, made)));
    }
  }
}

TEST(Endorsement, numbers_may_stand_in_an_octet_string) {
  EXPECT_EQ(read_endorsement(changed("3.3", bytes_of({0x04, 0x01, 0x07})))->tcb.snp, 7);
  EXPECT_EQ(read_endorsement(changed("3.3", bytes_of({0x07})))->tcb.snp, 7);
  EXPECT_EQ(read_endorsement(changed("3.3", bytes_of({0x02, 0x02, 0x00, 0xd1})))->tcb.snp, 0xd1);
}

TEST(Endorsement, absent_and_odd_fields_are_refused) {
  for (const auto* oid : {"2", "3.1", "3.2", "3.3", "3.8", "4"}) {
    EXPECT_EQ(code(changed(oid, {})), SnpError::bad_certificate) << oid;
  }
  EXPECT_EQ(code(changed("3.9", {}, platform(Product::turin))), SnpError::bad_certificate);
  EXPECT_EQ(code(changed("3.1", bytes_of({0x02, 0x02, 0x01, 0x00}))), SnpError::bad_certificate);  // 256
  EXPECT_EQ(code(changed("3.1", bytes_of({0x02, 0x01, 0xff}))), SnpError::bad_certificate);        // -1
  EXPECT_EQ(code(changed("3.1", bytes_of({0x02, 0x01, 0x01, 0x00}))), SnpError::bad_certificate);  // something behind
  EXPECT_EQ(code(changed("4", Bytes(63))), SnpError::bad_certificate);
  EXPECT_EQ(code(changed("2", to_bytes("Rome-B0"))), SnpError::unsupported_product);
  EXPECT_EQ(code(changed("", {}, platform(), "SEV-Milan")), SnpError::bad_certificate);
}

TEST(Endorsement, keys_on_another_curve_are_refused) {
  const auto& on = platform();
  crypto::CertificateRequest wanted{.common_name = "SEV-VCEK",
                                    .not_before = start,
                                    .not_after = start + 24h * 365,
                                    .extensions = on.endorsement.extensions()};
  std::erase_if(wanted.extensions, [](const auto& e) { return !e.oid.starts_with(arc); });
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  auto evidence = valid();
  evidence.certificates[0].data =
      crypto::issue(wanted, key.public_key(), crypto::Issuer{on.signer, on.signer_key})->der();
  EXPECT_EQ(refusal(evidence).code, SnpError::bad_certificate);
}

}  // namespace
}  // namespace coffer::evidence::snp
