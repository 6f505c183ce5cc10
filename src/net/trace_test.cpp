#include "net/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "net/error.h"
#include "net/trace_testing.h"

namespace coffer::net {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::SpanList;

constexpr std::string_view example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";  // W3C's own

struct Fixture {
  std::shared_ptr<SpanList> spans = std::make_shared<SpanList>();
  std::int64_t time = 1'000;
  Tracer tracer{spans, 1, nullptr, [this] { return time; }};
};

TEST(TraceContext, reads_and_writes_the_example_of_the_standard) {
  const auto context = TraceContext::parse(example);
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->trace_id[0], std::byte{0x4b});
  EXPECT_EQ(context->span_id[7], std::byte{0xb7});
  EXPECT_EQ(context->text(), example);
}

TEST(TraceContext, takes_later_versions_and_unknown_flags) {
  EXPECT_FALSE(TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02")->sampled);
  EXPECT_TRUE(TraceContext::parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-09-what-comes")->sampled);
  EXPECT_TRUE(TraceContext::parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")->sampled);
}

TEST(TraceContext, takes_what_is_malformed_for_absent) {
  const std::string valid{example};
  const auto with = [&](std::size_t at, char c) {
    auto changed = valid;
    changed[at] = c;
    return TraceContext::parse(changed);
  };
  EXPECT_FALSE(TraceContext::parse(""));
  EXPECT_FALSE(TraceContext::parse(valid.substr(1)));
  EXPECT_FALSE(TraceContext::parse(valid + "-00"));  // version 00 has nothing more
  EXPECT_FALSE(TraceContext::parse("cc" + valid.substr(2) + ".00"));
  EXPECT_FALSE(TraceContext::parse("ff" + valid.substr(2)));
  for (const std::size_t place : {0U, 3U, 36U, 53U}) EXPECT_FALSE(with(place, 'g')) << place;
  EXPECT_FALSE(with(3, 'A'));  // lower case alone
  for (const std::size_t place : {2U, 35U, 52U}) EXPECT_FALSE(with(place, '_')) << place;
  EXPECT_FALSE(TraceContext::parse("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  EXPECT_FALSE(TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
}

TEST(Trace, a_span_is_told_when_it_ends_with_all_that_was_said_of_it) {
  Fixture f;
  {
    auto span = f.tracer.start("work", {.kind = SpanKind::server});
    span.set("task_id", "t1");
    span.set("attempt", std::int64_t{2});
    span.fail(Error{NetError::timeout, "the secret \"hunter2\" did not come"});
    f.time = 5'000;
    EXPECT_THAT(f.spans->all(), SizeIs(0));
  }
  const auto all = f.spans->all();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].name, "work");
  EXPECT_EQ(all[0].kind, SpanKind::server);
  EXPECT_EQ(all[0].start, 1'000);
  EXPECT_EQ(all[0].end, 5'000);
  EXPECT_FALSE(all[0].parent);
  EXPECT_EQ(all[0].failure, "net.timeout");  // and nothing of the sentence
  EXPECT_THAT(all[0].attributes,
              ElementsAre(Pair("task_id", SpanValue{std::string{"t1"}}), Pair("attempt", SpanValue{std::int64_t{2}})));
}

TEST(Trace, children_share_the_trace_and_name_their_parent) {
  Fixture f;
  const auto parent = f.tracer.start("parent");
  f.tracer.start("child", {.parent = parent.context()}).end();
  const auto child = f.spans->all().at(0);
  EXPECT_EQ(child.context.trace_id, parent.context()->trace_id);
  EXPECT_NE(child.context.span_id, parent.context()->span_id);
  EXPECT_EQ(child.parent, parent.context()->span_id);
  EXPECT_EQ(TraceContext::parse(parent.traceparent()), parent.context());
}

class Counting final : public crypto::RandomSource {
 public:
  void fill(MutableByteView out) override { std::ranges::fill(out, std::byte{value_++}); }

 private:
  unsigned char value_ = 0;
};

TEST(Trace, ids_are_never_zero_and_differ) {
  Counting random;
  const Tracer fixed(std::make_shared<SpanList>(), 1, &random);
  // The first draw is all zeros, which is no id.
  EXPECT_EQ(fixed.start("a").traceparent(), "00-00000000000000000000000000000001-0101010101010101-01");
  const Tracer tracer(std::make_shared<SpanList>(), 1);
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(tracer.start("a").traceparent());
  EXPECT_EQ(ids.size(), 1000U);
}

TEST(Trace, steps_follow_the_thread_and_end_with_their_scope) {
  Fixture f;
  EXPECT_EQ(active_trace().tracer, nullptr);
  {
    const auto root = f.tracer.start("root");
    const TraceScope scope(root);
    {
      const TraceStep outer{"outer"};
      const TraceStep inner{"inner", SpanKind::client};
    }
    EXPECT_EQ(active_trace().context, root.context());
  }
  EXPECT_FALSE(active_trace().context);
  const TraceStep nothing{"nothing"};  // no trace, no span
  const auto all = f.spans->all();
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].name, "inner");
  EXPECT_EQ(all[0].parent, all[1].context.span_id);
  EXPECT_EQ(all[1].parent, all[2].context.span_id);
}

TEST(Trace, a_tracer_that_records_nothing_passes_the_context_on) {
  const Tracer none;
  const auto context = TraceContext::parse(example);
  const auto span = none.start("work", {.parent = context});
  EXPECT_FALSE(span.recording());
  EXPECT_EQ(span.traceparent(), example);
  EXPECT_EQ(none.start("root").traceparent(), "");
  const TraceScope scope(span);
  EXPECT_FALSE(TraceStep{"step"}.span().recording());
  EXPECT_EQ(active_trace().context, context);
}

TEST(Trace, samples_by_the_id_so_that_programs_of_one_ratio_agree) {
  const auto list = std::make_shared<SpanList>();
  const Tracer half(list, 0.5);
  const Tracer none(list, 0);
  const Tracer broken(list, -1);
  // The last 63 bits decide: 2^62 is the first that half leaves out.
  const auto low = TraceContext::parse("00-ffffffffffffffff7fffffffffffffff-00f067aa0ba902b7-00");
  const auto high = TraceContext::parse("00-00000000000000008000000000000000-00f067aa0ba902b7-01");
  EXPECT_TRUE(half.start("a", {.parent = low}).recording());
  EXPECT_FALSE(half.start("a", {.parent = high}).recording());
  EXPECT_EQ(half.start("a", {.parent = high}).context(), high);
  EXPECT_FALSE(none.start("a", {.parent = low}).recording());
  EXPECT_FALSE(broken.start("a").recording());
  int sampled = 0;
  for (int i = 0; i < 1000; ++i) sampled += half.start("root").recording() ? 1 : 0;
  EXPECT_GT(sampled, 350);  // 500 expected; 9 standard deviations
  EXPECT_LT(sampled, 650);
}

TEST(Trace, a_root_is_adopted_into_the_trace_it_belongs_to) {
  Fixture f;
  const auto context = TraceContext::parse(example);
  auto root = f.tracer.start("root");
  root.adopt(*context);
  root.end();
  EXPECT_EQ(f.spans->all().at(0).context.trace_id, context->trace_id);
  EXPECT_EQ(f.spans->all().at(0).parent, context->span_id);
  auto child = f.tracer.start("child", {.parent = f.tracer.start("other").context()});
  const auto before = child.context();
  child.adopt(*context);
  EXPECT_EQ(child.context(), before);
  // Sampled or not is decided anew.
  const Tracer half(f.spans, 0.5);
  auto out = half.start("out");
  out.adopt(*TraceContext::parse("00-00000000000000008000000000000000-00f067aa0ba902b7-01"));
  EXPECT_FALSE(out.recording());
  auto in = half.start("in");
  in.adopt(*TraceContext::parse("00-00000000000000000000000000000001-00f067aa0ba902b7-01"));
  EXPECT_TRUE(in.recording());
  Span inert = Tracer{}.start("inert");
  inert.adopt(*context);
  EXPECT_EQ(inert.traceparent(), example);
}

TEST(Trace, a_span_is_bounded_whatever_it_is_told) {
  Fixture f;
  auto span = f.tracer.start("work");
  for (int i = 0; i < 100; ++i) span.set("k" + std::to_string(i), std::string(10'000, 'x') + "\x1b");
  span.end();
  span.end();
  const auto all = f.spans->all();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_THAT(all[0].attributes, SizeIs(32));
  EXPECT_LE(std::get<std::string>(all[0].attributes[0].second).size(), 260U);
}

TEST(Trace, moving_a_span_over_another_ends_that) {
  Fixture f;
  auto span = f.tracer.start("first");
  span = f.tracer.start("second");
  EXPECT_THAT(f.spans->all(), SizeIs(1));
  span = Span{};
  EXPECT_THAT(f.spans->all(), SizeIs(2));
}

TEST(Trace, a_clock_that_goes_back_gives_no_negative_time) {
  Fixture f;
  auto span = f.tracer.start("work");
  f.time = 10;
  span.end();
  EXPECT_EQ(f.spans->all().at(0).end, f.spans->all().at(0).start);
}

}  // namespace
}  // namespace coffer::net
