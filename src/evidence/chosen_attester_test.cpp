#include "evidence/chosen_attester.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::evidence {
namespace {

TEST(ChosenAttester, a_machine_without_a_tee_says_so_and_names_the_switch) {
  const auto none = ChosenAttester::choose({.root = "/nonexistent"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, EvidenceError::no_device);
  EXPECT_NE(none.error().message.find("--tee sample"), std::string::npos);
}

TEST(ChosenAttester, the_sample_tee_is_there_when_named_and_states_the_init_data) {
  auto init_data = *InitData::parse("version = \"0.1.0\"\nalgorithm = \"sha256\"\n[data]\n");
  const auto digest = init_data.digest();
  const auto chosen = ChosenAttester::choose({.tee = "sample", .init_data = std::move(init_data)});
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(chosen->name(), "sample");
  EXPECT_EQ(chosen->attester().kind(), TeeKind::sample);
  const auto evidence = *chosen->attester().attest(Bytes(48));
  EXPECT_EQ(*evidence.find("init_data")->if_string(), codec::base64_encode(digest));
}

TEST(ChosenAttester, a_name_that_is_no_tee_is_refused) {
  EXPECT_EQ(ChosenAttester::choose({.tee = "simulated:sample"}).error().code, EvidenceError::unknown_tee);
}

}  // namespace
}  // namespace coffer::evidence
