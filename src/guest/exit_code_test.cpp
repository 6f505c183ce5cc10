#include "guest/exit_code.h"

#include <gtest/gtest.h>

#include "evidence/tee.h"
#include "guest/error.h"
#include "image/error.h"
#include "keyclient/error.h"
#include "net/error.h"
#include "wasm/error.h"

namespace coffer::guest {
namespace {

ExitCode of(ErrorCode code) {
  return exit_code_of(Error{code, ""});
}

TEST(ExitCodes, tell_apart_what_a_user_can_do) {
  using image::ImageError;
  using keyclient::KeyClientError;
  using wasm::WasmError;
  EXPECT_EQ(of(GuestError::usage), ExitCode::usage);
  EXPECT_EQ(of(KeyClientError::config_value), ExitCode::usage);
  EXPECT_EQ(of(ImageError::bad_reference), ExitCode::usage);
  EXPECT_EQ(of(evidence::EvidenceError::unknown_tee), ExitCode::usage);
  EXPECT_EQ(of(GuestError::no_tee), ExitCode::refused);
  EXPECT_EQ(of(GuestError::not_encrypted), ExitCode::refused);
  EXPECT_EQ(of(ImageError::not_encrypted), ExitCode::refused);
  EXPECT_EQ(of(evidence::EvidenceError::tee_not_allowed), ExitCode::refused);
  EXPECT_EQ(of(KeyClientError::attester_failed), ExitCode::refused);
  EXPECT_EQ(of(KeyClientError::policy_denied), ExitCode::denied);
  EXPECT_EQ(of(KeyClientError::evidence_rejected), ExitCode::denied);
  EXPECT_EQ(of(KeyClientError::tee_refused), ExitCode::denied);
  EXPECT_EQ(of(ImageError::unauthorized), ExitCode::denied);
  EXPECT_EQ(of(KeyClientError::unreachable), ExitCode::unreachable);
  EXPECT_EQ(of(KeyClientError::no_attestation_service), ExitCode::unreachable);
  EXPECT_EQ(of(KeyClientError::version_mismatch), ExitCode::unreachable);
  EXPECT_EQ(of(ImageError::registry_unavailable), ExitCode::unreachable);
  EXPECT_EQ(of(net::NetError::refused), ExitCode::unreachable);
  EXPECT_EQ(of(GuestError::timeout), ExitCode::limit);
  EXPECT_EQ(of(WasmError::timeout), ExitCode::limit);
  EXPECT_EQ(of(WasmError::out_of_fuel), ExitCode::limit);
  EXPECT_EQ(of(WasmError::out_of_memory), ExitCode::limit);
  EXPECT_EQ(of(ImageError::digest_mismatch), ExitCode::bad_image);
  EXPECT_EQ(of(ImageError::not_found), ExitCode::bad_image);
  EXPECT_EQ(of(ImageError::no_module), ExitCode::bad_image);
  EXPECT_EQ(of(KeyClientError::not_found), ExitCode::bad_key);
  EXPECT_EQ(of(KeyClientError::key_malformed), ExitCode::bad_key);
  EXPECT_EQ(of(ImageError::kek_wrong_size), ExitCode::bad_key);
  EXPECT_EQ(of(ImageError::unwrap_failed), ExitCode::bad_key);
  EXPECT_EQ(of(ImageError::bad_module), ExitCode::trap);
  EXPECT_EQ(of(WasmError::trap), ExitCode::trap);
  EXPECT_EQ(of(WasmError::missing_export), ExitCode::trap);
}

// Up to and including the last of each enumeration.
template <class E>
void expect_ours(E last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const auto code = static_cast<E>(i);
    const auto number = static_cast<int>(of(code));
    EXPECT_GE(number, 120) << code_name(code);
    EXPECT_LE(number, 127) << code_name(code);
  }
}

TEST(ExitCodes, every_error_has_one_of_ours) {
  expect_ours(GuestError::work_dir);
  expect_ours(keyclient::KeyClientError::config_conflict);
  expect_ours(image::ImageError::io);
  expect_ours(net::NetError::bad_configuration);
  expect_ours(wasm::WasmError::internal);
  expect_ours(evidence::EvidenceError::unsupported_hash);
}

TEST(ExitCodes, all_stand_in_the_help) {
  for (int code = 120; code <= 127; ++code) {
    EXPECT_NE(exit_code_help().find(std::to_string(code)), std::string_view::npos) << code;
  }
}

}  // namespace
}  // namespace coffer::guest
