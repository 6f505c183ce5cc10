// A simulated platform with its collateral, of which tests break one thing each.
#pragma once

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/dcap/detail/report_fields.h"
#include "evidence/dcap/detail/simulated.h"
#include "evidence/dcap/engine.h"
#include "evidence/dcap/simulate.h"

namespace coffer::evidence::dcap {

inline const TimePoint test_now = parse_rfc3339("2026-03-01T12:00:00Z").value();
inline constexpr auto test_validity = std::chrono::hours{24 * 30};

// Keys are made once for a test program: they take a while, and none is changed.
inline const SimulatedAuthority& test_authority() {
  static const auto authority = make_simulated_authority(make_simulator_root(test_now).value()).value();
  return authority;
}

inline CollateralRequest test_request() {
  return simulated_collateral_request(test_now - std::chrono::minutes{30}, test_now + test_validity);
}

// A TD that does nothing; its registers are zeros.
struct TestTd {
  std::array<std::uint8_t, 16> tee_tcb_svn = detail::current_tdx;
  std::optional<std::array<std::uint8_t, 16>> tee_tcb_svn2{};  // makes it one of TDX 1.5
  Bytes body() const {
    const auto first = std::as_bytes(std::span{tee_tcb_svn});
    Bytes out(first.begin(), first.end());
    out.resize(detail::td_report10_size);
    if (!tee_tcb_svn2) return out;
    const auto second = std::as_bytes(std::span{*tee_tcb_svn2});
    out.insert(out.end(), second.begin(), second.end());
    out.resize(detail::td_report15_size);
    return out;
  }
};

inline Bytes test_quote(Tee tee, PlatformOptions options = {.now = test_now}, std::uint16_t version = 0,
                        const TestTd& td = {}, const SimulatedAuthority& authority = test_authority()) {
  if (version == 0) version = tee == Tee::sgx ? 3 : 4;
  const auto platform = SimulatedPlatform::create(authority, tee, std::move(options)).value();
  return platform.quote(version, tee == Tee::sgx ? Bytes(detail::sgx_report_size) : td.body()).value();
}

inline VerifierOptions test_options(const CollateralRequest& request = test_request(),
                                    const SimulatedAuthority& authority = test_authority()) {
  VerifierOptions options;
  options.collateral = collateral_from_json(make_collateral_json(authority, request).value()).value();
  options.simulator_roots.push_back(authority.root.certificate);
  options.simulated_tees = {TeeKind::tdx, TeeKind::sgx};
  return options;
}

inline Result<Appraisal> appraise(ByteView quote, const VerifierOptions& options = test_options(),
                                  TimePoint now = test_now) {
  const auto parsed = TRY(parse_quote(quote));
  const auto kind = parsed.tee == Tee::tdx ? TeeKind::tdx : TeeKind::sgx;
  return TRY(Engine::create(kind, options))
  ->appraise(parsed, now);
}

inline Error refusal(ByteView quote, const VerifierOptions& options = test_options(), TimePoint now = test_now) {
  auto appraisal = appraise(quote, options, now);
  EXPECT_FALSE(appraisal) << "accepted";
  return appraisal ? Error{EvidenceError::no_device, "accepted"} : appraisal.error();
}

// Every occurrence; the test fails where there is none.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  EXPECT_NE(text.find(from), std::string::npos) << from;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace coffer::evidence::dcap
