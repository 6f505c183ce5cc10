// What holds for all payloads and orders.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "fleet/sealed/sealed_testing.h"

namespace coffer::fleet::sealed {
namespace {

using namespace testing;

RC_GTEST_PROP(SealedChannelProperty, any_payload_comes_out_as_it_went_in, (std::string payload)) {
  Pair pair;
  const auto opened = pair.receiver.open(topic, pair.seal(payload));
  RC_ASSERT(opened.has_value());
  RC_ASSERT(opened->payload == payload);
}

RC_GTEST_PROP(SealedChannelProperty, any_order_within_the_window_is_taken_each_payload_once, ()) {
  Pair pair;
  const auto count = *rc::gen::inRange<std::size_t>(1, 64);
  std::vector<std::string> sealed;
  for (std::size_t i = 0; i < count; ++i) sealed.push_back(pair.seal(std::to_string(i)));
  const auto order = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, count));
  std::set<std::size_t> had;
  for (const auto place : order) {
    RC_ASSERT(pair.outcome(sealed[place]) == (had.insert(place).second ? "ok" : "sealed.replayed"));
  }
}

// Against a set without bounds.
RC_GTEST_PROP(ReplayWindowProperty, takes_each_number_once_and_none_from_too_far_back, ()) {
  ReplayWindow window;
  std::set<std::uint64_t> had;
  std::uint64_t highest = 0;
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-1100, 1100));
  for (const auto step : steps) {
    const auto number = step < 0 ? highest - std::min<std::uint64_t>(highest, static_cast<std::uint64_t>(-step))
                                 : highest + static_cast<std::uint64_t>(step);
    const bool expected = (had.empty() || number + ReplayWindow::width > highest) && !had.contains(number);
    RC_ASSERT(window.take(number) == expected);
    if (expected) had.insert(number);
    highest = std::max(highest, expected ? number : highest);
  }
}

RC_GTEST_PROP(EnvelopeProperty, is_read_as_it_was_written, (std::vector<std::uint8_t> bytes)) {
  Envelope envelope{.key_id = "k", .sender = "s", .topic = "m/t", .epoch = Bytes(16, std::byte{7})};
  envelope.sequence = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 53);
  envelope.sent_at = TimePoint{Duration{*rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 53)}};
  envelope.ciphertext.resize(16);
  for (const auto byte : bytes) envelope.ciphertext.push_back(std::byte{byte});
  const auto again = parse_envelope(to_json(envelope));
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == envelope);
}

}  // namespace
}  // namespace coffer::fleet::sealed
