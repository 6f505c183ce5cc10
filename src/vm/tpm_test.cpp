#include "vm/tpm.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "vm/files.h"
#include "vm/tpm_commands.h"

namespace coffer::vm {
namespace {

bool have_swtpm() {
  return std::system("command -v swtpm >/dev/null 2>&1") == 0;
}

// A TPM that answers everything with one response.
TpmChannel answering(Bytes response) {
  return [response](ByteView) -> Result<Bytes> { return response; };
}

TEST(TpmCommands, a_refusal_is_told_with_its_response_code) {
  const auto refusal = ByteWriter{}.u16_be(0x8001).u32_be(10).u32_be(0x101).take();
  for (const auto& result : {allocate_sha256_registers(answering(refusal)), shut_down(answering(refusal))}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode{VmError::bad_tpm});
    EXPECT_NE(result.error().message.find("0x00000101"), std::string::npos) << result.error().message;
  }
  EXPECT_FALSE(make_attestation_key(answering(refusal)));
}

TEST(TpmCommands, cut_responses_are_refused) {
  const auto good = ByteWriter{}.u16_be(0x8002).u32_be(200).u32_be(0).u32_be(0x80000000).zeros(300).take();
  for (std::size_t size = 0; size < 50; ++size) {
    EXPECT_FALSE(make_attestation_key(answering({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)})))
        << size;
  }
}

TEST(Tpm, a_new_one_has_a_key_of_its_own) {
  if (!have_swtpm()) GTEST_SKIP() << "swtpm is not installed";
  const auto directory = TemporaryDirectory::create();
  ASSERT_TRUE(directory);
  const auto first = create_tpm(directory->path() / "a");
  const auto second = create_tpm(directory->path() / "b");
  ASSERT_TRUE(first) << to_string(first.error());
  ASSERT_TRUE(second) << to_string(second.error());
  EXPECT_FALSE(*first == *second);
  const auto read = attestation_key(directory->path() / "a");
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_TRUE(*read == *first);
}

TEST(Tpm, none_is_made_over_another) {
  if (!have_swtpm()) GTEST_SKIP() << "swtpm is not installed";
  const auto directory = TemporaryDirectory::create();
  ASSERT_TRUE(directory);
  ASSERT_TRUE(create_tpm(directory->path()));
  const auto again = create_tpm(directory->path());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode{VmError::usage});
}

TEST(Tpm, one_at_work_is_not_started_twice) {
  if (!have_swtpm()) GTEST_SKIP() << "swtpm is not installed";
  const auto directory = TemporaryDirectory::create();
  ASSERT_TRUE(directory);
  const auto state = directory->path() / "tpm";
  ASSERT_TRUE(create_tpm(state));
  const auto running = RunningTpm::start(state, directory->path() / "one.sock");
  ASSERT_TRUE(running) << to_string(running.error());
  const auto second = RunningTpm::start(state, directory->path() / "two.sock");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode{VmError::bad_tpm});
}

TEST(Tpm, a_folder_without_state_is_refused) {
  const auto directory = TemporaryDirectory::create();
  ASSERT_TRUE(directory);
  const auto result = RunningTpm::start(directory->path(), directory->path() / "s");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("coffer vm tpm"), std::string::npos);
}

}  // namespace
}  // namespace coffer::vm
