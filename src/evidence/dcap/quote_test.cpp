#include "evidence/dcap/quote.h"

#include <gmock/gmock.h>

#include "evidence/dcap/platform_testing.h"
#include "evidence/mutation_testing.h"
#include "testing/vectors.h"

namespace coffer::evidence::dcap {
namespace {

ErrorCode refused(const Bytes& quote) {
  const auto parsed = parse_quote(quote);
  EXPECT_FALSE(parsed) << "parsed";
  return parsed ? ErrorCode{EvidenceError::no_device} : parsed.error().code;
}

Bytes with(Bytes quote, std::size_t at, std::initializer_list<int> values) {
  for (const auto value : values) quote[at++] = static_cast<std::byte>(value);
  return quote;
}

constexpr std::size_t v4_size_field = detail::header_size + detail::td_report10_size;

TEST(Quote, fields_are_read_from_their_places) {
  const auto bytes = test_quote(Tee::tdx);
  const auto quote = parse_quote(bytes).value();
  EXPECT_EQ(quote.version, 4);
  EXPECT_EQ(quote.signed_part.size(), detail::header_size + detail::td_report10_size);
  EXPECT_EQ(quote.signature.data(), bytes.data() + v4_size_field + 4);
  EXPECT_EQ(quote.certification.data() + quote.certification.size(), bytes.data() + bytes.size());
  EXPECT_EQ(quote.qe_authentication_data.size(), 32U);
  EXPECT_FALSE(quote.td()->tdx15);
  EXPECT_EQ(quote.sgx(), nullptr);
}

TEST(Quote, headers_that_are_not_known_are_refused) {
  const auto quote = test_quote(Tee::tdx);
  EXPECT_EQ(refused(with(quote, 0, {2, 0})), DcapError::unsupported_quote);
  EXPECT_EQ(refused(with(quote, 0, {6, 0})), DcapError::unsupported_quote);
  EXPECT_EQ(refused(with(quote, 0, {3, 0})), DcapError::unsupported_quote);
  EXPECT_EQ(refused(with(quote, 2, {3, 0})), DcapError::unsupported_quote);
  EXPECT_EQ(refused(with(quote, 4, {1, 0, 0, 0})), DcapError::unsupported_quote);
  EXPECT_EQ(refused(with(quote, 12, {0})), DcapError::foreign_quoting_enclave);
}

TEST(Quote, version_5_names_its_body) {
  const auto quote = test_quote(Tee::tdx, {.now = test_now}, 5);
  EXPECT_EQ(refused(with(quote, 48, {4, 0})), DcapError::unsupported_quote);
  EXPECT_EQ(refused(with(quote, 48, {1, 0})), DcapError::malformed_quote);
  EXPECT_EQ(refused(with(quote, 50, {1, 1, 1, 1})), DcapError::malformed_quote);
}

TEST(Quote, certification_data_other_than_a_pck_chain_is_refused) {
  const auto bytes = test_quote(Tee::tdx);
  const auto quote = parse_quote(bytes).value();
  const auto outer = v4_size_field + 4 + 128;
  const auto inner = static_cast<std::size_t>(quote.pck_chain.data() - bytes.data()) - 6;
  EXPECT_EQ(refused(with(bytes, outer, {5, 0})), DcapError::unsupported_certification);
  EXPECT_EQ(refused(with(bytes, inner, {3, 0})), DcapError::unsupported_certification);
}

TEST(Quote, lengths_that_contradict_each_other_are_refused) {
  const auto bytes = test_quote(Tee::tdx);
  const auto quote = parse_quote(bytes).value();
  const auto outer = v4_size_field + 4 + 128 + 2;
  const auto chain = static_cast<std::size_t>(quote.pck_chain.data() - bytes.data()) - 4;
  const auto authentication = static_cast<std::size_t>(quote.qe_authentication_data.data() - bytes.data()) - 2;
  for (const auto at : {v4_size_field, outer, chain, authentication}) {
    EXPECT_EQ(refused(with(bytes, at, {0xff, 0xff})), DcapError::malformed_quote) << at;
    EXPECT_FALSE(parse_quote(with(bytes, at, {0, 0}))) << at;
  }
}

TEST(Quote, every_proper_prefix_is_refused) {
  for (const auto& quote : {test_quote(Tee::sgx), test_quote(Tee::tdx)}) {
    for (std::size_t size = 0; size < quote.size(); ++size) {
      const Bytes cut(quote.begin(), quote.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(refused(cut), DcapError::malformed_quote) << size;
    }
  }
}

TEST(Quote, zero_padding_alone_may_follow) {
  auto quote = test_quote(Tee::sgx);
  quote.resize(quote.size() + 70);
  EXPECT_TRUE(parse_quote(quote));
  quote.back() = std::byte{1};
  EXPECT_EQ(refused(quote), DcapError::malformed_quote);
  EXPECT_EQ(refused(Bytes(max_quote_size + 1)), DcapError::malformed_quote);
}

TEST(Quote, every_changed_byte_is_refused) {
  const auto engine = Engine::create(TeeKind::tdx, test_options()).value();
  const auto sgx_engine = Engine::create(TeeKind::sgx, test_options()).value();
  const auto accepts = [](const Engine& judge) {
    return [&judge](ByteView bytes) {
      const auto quote = parse_quote(bytes);
      return quote && judge.appraise(*quote, test_now).has_value();
    };
  };
  const TestTd tdx15{.tee_tcb_svn2 = detail::current_tdx};
  // PEM is text with room for change that changes nothing, and the zero byte after it is padding.
  const auto pem_of = [](ByteView bytes) {
    const auto quote = parse_quote(bytes).value();
    const auto begin = static_cast<std::size_t>(quote.pck_chain.data() - bytes.data());
    return std::array{ByteRange{begin, begin + quote.pck_chain.size()}};
  };
  const auto td = test_quote(Tee::tdx, {.now = test_now}, 5, tdx15);
  expect_every_changed_byte_refused(td, accepts(*engine), pem_of(td));
  const auto enclave = test_quote(Tee::sgx);
  expect_every_changed_byte_refused(enclave, accepts(*sgx_engine), pem_of(enclave));
}

TEST(Quote, recorded_quotes_parse_in_every_version) {
  COFFER_REQUIRE_VECTORS();
  struct Recorded {
    const char* file;
    std::uint16_t version;
    Tee tee;
    bool tdx15;
  };
  for (const auto& [file, version, tee, tdx15] :
       {Recorded{"tdx/tdx_quote_4.dat", 4, Tee::tdx, false}, Recorded{"tdx/tdx_quote_5.dat", 5, Tee::tdx, true},
        Recorded{"tdx/dcap/tdx_quote", 4, Tee::tdx, false}, Recorded{"az-tdx-vtpm/td-quote.bin", 4, Tee::tdx, false},
        Recorded{"sgx/dcap/sgx_quote", 3, Tee::sgx, false}, Recorded{"sgx/occlum_quote.dat", 3, Tee::sgx, false}}) {
    const auto bytes = coffer::testing::read_vector_bytes(file);
    const auto quote = parse_quote(bytes);
    ASSERT_TRUE(quote) << file << ": " << to_string(quote.error());
    EXPECT_EQ(quote->version, version) << file;
    EXPECT_EQ(quote->tee, tee) << file;
    if (quote->td() != nullptr) {
      EXPECT_EQ(quote->td()->tdx15.has_value(), tdx15) << file;
    }
  }
}

}  // namespace
}  // namespace coffer::evidence::dcap
