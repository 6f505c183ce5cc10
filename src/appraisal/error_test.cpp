#include "appraisal/error.h"

#include <gtest/gtest.h>

#include "evidence/tee.h"

namespace coffer::appraisal {
namespace {

TEST(GuestMessage, says_which_kind_of_thing_failed_without_the_owners_facts) {
  const Error error{evidence::EvidenceError::report_data_mismatch, "expected 00ff, found 11ee"};
  const auto message = guest_message(error);
  EXPECT_EQ(message, "the evidence is not bound to this session's runtime data");
  EXPECT_EQ(message.find("00ff"), std::string::npos);
}

TEST(GuestMessage, codes_without_a_sentence_of_their_own_say_no_more_than_their_family) {
  EXPECT_EQ(guest_message(Error{TokenError::key_mismatch, "secret detail"}), "the attestation token is not accepted");
  EXPECT_EQ(guest_message(Error{AppraisalError::bad_trust_claims, "secret detail"}),
            "the evidence could not be appraised");
}

}  // namespace
}  // namespace coffer::appraisal
