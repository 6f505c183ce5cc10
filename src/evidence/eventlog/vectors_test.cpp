// Logs recorded on real machines, and what upstream reads in them.
#include "testing/vectors.h"

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/eventlog/diff.h"
#include "evidence/eventlog/event_log.h"

namespace coffer::evidence::eventlog {
namespace {

namespace json = codec::json;
using crypto::HashAlgorithm;

EventLog recorded(const std::string& name) {
  auto log = EventLog::parse(testing::read_vector_bytes(name));
  EXPECT_TRUE(log) << name << ": " << to_string(log.error());
  return *std::move(log);
}

json::Value expected(const std::string& name) {
  const auto value = json::parse(testing::read_vector(name));
  EXPECT_TRUE(value);
  const auto* events = value->find("uefi_event_logs");
  return events == nullptr ? json::Value{} : *events;
}

constexpr std::array names{"CCEL_AAEL_alibabacloud", "CCEL_data_grub", "CCEL_data_grub_gke", "CCEL_data_ovmf"};

TEST(EventLogVectors, claims_are_upstreams) {
  COFFER_REQUIRE_VECTORS();
  for (const std::string name : names) {
    const auto claims = recorded("eventlog/" + name).claims();
    const auto wanted = expected("eventlog/" + name + "_out.json");
    ASSERT_NE(wanted.if_array(), nullptr) << name;
    ASSERT_EQ(claims.size(), wanted.if_array()->size()) << name;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      EXPECT_EQ(claims[i], wanted.if_array()->at(i)) << name << " event " << i << "\n" << json::serialize(claims[i]);
    }
  }
}

TEST(EventLogVectors, claims_of_a_log_without_header_padding_are_upstreams) {
  COFFER_REQUIRE_VECTORS();
  const json::Value claims{recorded("tdx/CCEL_data").claims()};
  EXPECT_EQ(claims, expected("tdx/parse_tdx_claims_expected.json"));
}

struct Replayed {
  const char* name;
  std::array<std::string_view, 3> rtmr;
};

// Upstream's test of the same logs states these values.
constexpr std::array replays{
    Replayed{"CCEL_data_ovmf",
             {"8566f998798db09443b244c62de9a3041fb02e2e6936c4396d784bba2e90177329ec5aba3bb484404f2ab9cc90abe193",
              "775b9f6bfe99f8a31396f0d0218e67ffa796d3b96ccf961cbb0deba48c79c00f082cda1a5567c1c16305f1fc210c13c6",
              "94eaf7a7bf398ed8d888c91057ae0261802e4f3df084213a76ca7f0b5055ac9d2241de43cd58d9e8b49c503bbf25f34a"}},
    Replayed{"CCEL_data_grub",
             {"cec0a104f691f60da2387fea3c2de00c4ac035e2bb479ff02edcce69039d9e9907f0b3e55031da3dc7038f423adebd79",
              "6c289e0c62182d41ebe97bdbc9872d10998a08eaa86adcdc684001a363207ee72942c7522cdf00a4bbc3d784bed7b670",
              "08919d017ba0e52cd6d966351c7de16fe76c1d3d3d3da4554239e4c7d16cb8b82a94e7eaea3a0e6e18eb690b999fd31e"}},
    Replayed{"CCEL_data_grub_gke",
             {"bc9945139042cf2cc75caf920aa57f14884ecfd7e893bccc51250c8ce90eb53ce72741e6adaa18183eb1331a87d4544a",
              "c17cb288a4dee302bb9ed8d27257a168f3264ad68cab53757f37eeaa7039657fa887cad65cf910e0fdc435ff110f8a7b",
              "334aeba2c985f8886cea97d1ecffbd512769d528b9a94009583db667ad7d2faa7d37fa145d75b192ceee2d2f10b2eb6d"}},
};

TEST(EventLogVectors, replay_leads_to_the_registers_of_the_machine) {
  COFFER_REQUIRE_VECTORS();
  for (const auto& each : replays) {
    const auto log = recorded(std::string{"eventlog/"} + each.name);
    for (std::uint32_t i = 0; i < each.rtmr.size(); ++i) {
      EXPECT_EQ(codec::hex_encode(*log.replay(i + 1, HashAlgorithm::sha384)), each.rtmr[i]) << each.name << " " << i;
    }
    EXPECT_EQ(*log.replay(4, HashAlgorithm::sha384), Bytes(48)) << each.name;
  }
}

TEST(EventLogVectors, a_log_and_its_claims_do_not_differ) {
  COFFER_REQUIRE_VECTORS();
  for (const std::string name : names) {
    const auto from_log = summarize(recorded("eventlog/" + name), HashAlgorithm::sha384);
    const auto from_claims = summarize(expected("eventlog/" + name + "_out.json"), HashAlgorithm::sha384);
    ASSERT_TRUE(from_log) << to_string(from_log.error());
    ASSERT_TRUE(from_claims) << to_string(from_claims.error());
    EXPECT_FALSE(diff(*from_claims, *from_log)) << name;
  }
}

}  // namespace
}  // namespace coffer::evidence::eventlog
