#include "crypto/error.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <set>

namespace coffer::crypto {
namespace {

// Holds for every test of this program: whatever was refused, nothing of it stays in OpenSSL's error queue, where a
// later and unrelated call would find it.
class QueueStaysEmpty final : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override {
    EXPECT_EQ(ERR_peek_error(), 0U) << ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
  }
};

const bool installed = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new QueueStaysEmpty);
  return true;
}();

TEST(CryptoErrors, have_names_of_their_own) {
  ASSERT_TRUE(installed);
  std::set<std::string_view> names;
  for (auto code = CryptoError::bad_key; code <= CryptoError::internal;
       code = static_cast<CryptoError>(static_cast<int>(code) + 1)) {
    EXPECT_TRUE(code_name(code).starts_with("crypto."));
    EXPECT_TRUE(names.insert(code_name(code)).second) << code_name(code);
  }
}

}  // namespace
}  // namespace coffer::crypto
