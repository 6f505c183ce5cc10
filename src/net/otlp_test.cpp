#include "net/otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "codec/json.h"
#include "net/detail/otlp_json.h"
#include "net/http_server.h"

namespace coffer::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

SpanRecord record(std::string name) {
  SpanRecord span{.name = std::move(name)};
  span.context = *TraceContext::parse("00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174-01");
  span.parent = TraceContext::parse("00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b173-01")->span_id;
  span.kind = SpanKind::server;
  span.start = 1'544'712'660'000'000'000;
  span.end = 1'544'712'661'000'000'000;
  return span;
}

// opentelemetry-proto's examples/trace.json, without the scope's attributes, which are not ours.
TEST(Otlp, encodes_as_the_published_example) {
  auto span = record("I'm a server span");
  span.attributes.emplace_back("my.span.attr", "some value");
  const std::vector<SpanRecord> spans{span};
  EXPECT_EQ(detail::otlp_json({"my.service", "1.0.0", "i1"}, spans),
            R"({"resourceSpans":[{"resource":{"attributes":[)"
            R"({"key":"service.name","value":{"stringValue":"my.service"}},)"
            R"({"key":"service.version","value":{"stringValue":"1.0.0"}},)"
            R"({"key":"service.instance.id","value":{"stringValue":"i1"}}]},)"
            R"("scopeSpans":[{"scope":{"name":"coffer","version":"1.0.0"},"spans":[)"
            R"({"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",)"
            R"("parentSpanId":"eee19b7ec3c1b173","name":"I'm a server span","kind":2,)"
            R"("startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000",)"
            R"("attributes":[{"key":"my.span.attr","value":{"stringValue":"some value"}}]}]}]}]})");
}

TEST(Otlp, encodes_each_kind_of_value_and_failures) {
  auto span = record("s");
  span.parent.reset();
  span.attributes = {{"i", std::int64_t{1} << 62}, {"d", 0.5}, {"b", true}};
  span.failure = "worker.stopped";
  const std::vector<SpanRecord> spans{span};
  const auto text = detail::otlp_json({"s", "", ""}, spans);
  EXPECT_THAT(text, HasSubstr(R"({"key":"i","value":{"intValue":"4611686018427387904"}})"));
  EXPECT_THAT(text, HasSubstr(R"({"key":"d","value":{"doubleValue":0.5}})"));
  EXPECT_THAT(text, HasSubstr(R"({"key":"b","value":{"boolValue":true}})"));
  EXPECT_THAT(text, HasSubstr(R"({"key":"error.type","value":{"stringValue":"worker.stopped"}})"));
  EXPECT_THAT(text, HasSubstr(R"("status":{"message":"worker.stopped","code":2})"));
  EXPECT_THAT(text, Not(HasSubstr("parentSpanId")));
}

TEST(Otlp, reads_partial_success) {
  EXPECT_EQ(detail::rejected_spans(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}})"), 3U);
  EXPECT_EQ(detail::rejected_spans(R"({"partialSuccess":{"rejectedSpans":4}})"), 4U);
  EXPECT_EQ(detail::rejected_spans(R"({"partialSuccess":{}})"), 0U);
  EXPECT_EQ(detail::rejected_spans(R"({"partialSuccess":{"rejectedSpans":"many"}})"), 0U);
  EXPECT_EQ(detail::rejected_spans("{}"), 0U);
  EXPECT_EQ(detail::rejected_spans("no json"), 0U);
}

// Answers one prepared response after the other, and then the last one; keeps what it was sent.
class Collector {
 public:
  explicit Collector(std::vector<ServerResponse> answers) : answers_(std::move(answers)) {
    server_ = *HttpServer::start({.sockets = {"127.0.0.1:0"}, .shutdown_grace = 10ms},
                                 [this](const ServerRequest& request) { return answer(request); });
  }
  ~Collector() {
    let_go();
    server_->stop();
  }
  std::string url() const { return "http://" + server_->addresses().front(); }
  std::vector<ServerRequest> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return requests_.size() >= count; }));
    return requests_;
  }
  void hold() {
    const std::scoped_lock lock(mutex_);
    held_ = true;
  }
  void let_go() {
    const std::scoped_lock lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }

 private:
  ServerResponse answer(const ServerRequest& request) {
    std::unique_lock lock(mutex_);
    requests_.push_back(request);
    const auto answer = answers_[std::min(requests_.size(), answers_.size()) - 1];
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_; });
    return answer;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ServerResponse> answers_;
  std::vector<ServerRequest> requests_;
  bool held_ = false;
  std::unique_ptr<HttpServer> server_;
};

ServerResponse ok() {
  return ServerResponse::text(200, "application/json", "{}");
}

struct Sender {
  explicit Sender(const std::string& url, std::function<void(OtlpOptions&)> change = {}) {
    OtlpOptions options{.url = url, .service_name = "manager", .delay = 5ms, .timeout = 5s, .first_retry = 5ms};
    if (change) change(options);
    exporter = *OtlpExporter::start(std::move(options), *HttpClient::create(), metrics);
  }
  // "otlp_spans_total{outcome="sent"} 1" as it stands there; nothing where it does not.
  double count(const std::string& outcome) const {
    const auto text = metrics.exposition();
    const auto key = "otlp_spans_total{outcome=\"" + outcome + "\"} ";
    const auto place = text.find(key);
    return place == std::string::npos ? 0 : std::stod(text.substr(place + key.size()));
  }
  MetricsRegistry metrics;
  std::shared_ptr<OtlpExporter> exporter;
};

std::size_t spans_in(const ServerRequest& request) {
  const auto document = codec::json::parse(as_text(request.body));
  return document->at_pointer("/resourceSpans/0/scopeSpans/0/spans")->if_array()->size();
}

TEST(Otlp, posts_spans_to_the_collectors_path) {
  Collector collector{{ok()}};
  Sender sender(collector.url(), [](OtlpOptions& o) { o.headers.set("Authorization", "Bearer t"); });
  sender.exporter->take(record("a"));
  const auto requests = collector.wait_for(1);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/v1/traces");
  EXPECT_EQ(requests[0].headers.get("Content-Type"), "application/json");
  EXPECT_EQ(requests[0].headers.get("Authorization"), "Bearer t");
  EXPECT_EQ(spans_in(requests[0]), 1U);
  sender.exporter->stop();
  EXPECT_EQ(sender.count("sent"), 1);
}

TEST(Otlp, takes_a_path_as_it_is) {
  Collector collector{{ok()}};
  Sender sender(collector.url() + "/otlp/v1/traces?tenant=a");
  sender.exporter->take(record("a"));
  EXPECT_EQ(collector.wait_for(1)[0].target, "/otlp/v1/traces?tenant=a");
}

TEST(Otlp, sends_many_in_batches_and_the_rest_at_stop) {
  Collector collector{{ok()}};
  Sender sender(collector.url(), [](OtlpOptions& o) {
    o.max_batch = 10;
    o.delay = 1h;
  });
  for (int i = 0; i < 25; ++i) sender.exporter->take(record("a"));
  sender.exporter->stop();
  std::size_t all = 0;
  for (const auto& request : collector.wait_for(3)) {
    EXPECT_LE(spans_in(request), 10U);
    all += spans_in(request);
  }
  EXPECT_EQ(all, 25U);
  EXPECT_EQ(sender.count("sent"), 25);
  sender.exporter->stop();
  sender.exporter->take(record("late"));
  EXPECT_EQ(sender.count("queue_full"), 1);
}

TEST(Otlp, drops_what_does_not_fit_and_never_waits) {
  Collector collector{{ok()}};
  collector.hold();
  Sender sender(collector.url(), [](OtlpOptions& o) { o.max_queue = o.max_batch = 4; });
  sender.exporter->take(record("on its way"));
  collector.wait_for(1);
  for (int i = 0; i < 10; ++i) sender.exporter->take(record("a"));
  EXPECT_EQ(sender.count("queue_full"), 6);
  collector.let_go();
  sender.exporter->stop();
  EXPECT_EQ(sender.count("sent"), 5);
}

TEST(Otlp, repeats_when_the_collector_is_busy) {
  auto later = ServerResponse::text(429, "text/plain", "later");
  later.headers.set("Retry-After", "0");
  Collector collector{{ServerResponse::text(503, "text/plain", "busy"), later, ok()}};
  Sender sender(collector.url());
  sender.exporter->take(record("a"));
  const auto requests = collector.wait_for(3);
  EXPECT_EQ(requests[0].body, requests[2].body);
  sender.exporter->stop();
  EXPECT_EQ(sender.count("sent"), 1);
}

TEST(Otlp, gives_up_at_what_the_collector_refuses_for_good) {
  Collector collector{
      {ServerResponse::text(400, "text/plain", "no"), ServerResponse::text(500, "text/plain", "no"), ok()}};
  Sender sender(collector.url(), [](OtlpOptions& o) { o.max_batch = 1; });
  for (int i = 0; i < 3; ++i) sender.exporter->take(record("a"));
  collector.wait_for(3);
  sender.exporter->stop();
  EXPECT_EQ(sender.count("refused"), 2);
  EXPECT_EQ(sender.count("sent"), 1);
}

TEST(Otlp, gives_up_a_collector_that_asks_for_too_long_a_pause) {
  auto later = ServerResponse::text(429, "text/plain", "later");
  later.headers.set("Retry-After", "3600");
  Collector collector{{later, ok()}};
  Sender sender(collector.url(), [](OtlpOptions& o) { o.max_batch = 1; });
  sender.exporter->take(record("a"));
  sender.exporter->take(record("b"));
  collector.wait_for(2);
  sender.exporter->stop();
  EXPECT_EQ(sender.count("refused"), 1);
}

TEST(Otlp, counts_what_was_rejected_of_a_batch) {
  Collector collector{{ServerResponse::text(200, "application/json", R"({"partialSuccess":{"rejectedSpans":"2"}})")}};
  Sender sender(collector.url(), [](OtlpOptions& o) { o.delay = 1h; });
  for (int i = 0; i < 3; ++i) sender.exporter->take(record("a"));
  sender.exporter->stop();
  EXPECT_EQ(sender.count("refused"), 2);
  EXPECT_EQ(sender.count("sent"), 1);
}

TEST(Otlp, a_collector_that_is_gone_costs_spans_and_nothing_else) {
  std::string url;
  {
    const Collector gone{{ok()}};
    url = gone.url();
  }
  Sender sender(url, [](OtlpOptions& o) { o.attempts = 2; });
  for (int i = 0; i < 3; ++i) sender.exporter->take(record("a"));
  sender.exporter->stop();
  EXPECT_EQ(sender.count("unreachable") + sender.count("stopped"), 3);
}

TEST(Otlp, stop_does_not_wait_for_a_collector_that_does_not_answer) {
  Collector collector{{ok()}};
  collector.hold();
  Sender sender(collector.url(), [](OtlpOptions& o) {
    o.timeout = 50ms;
    o.max_batch = 1;
  });
  sender.exporter->take(record("a"));
  sender.exporter->take(record("b"));
  collector.wait_for(1);
  sender.exporter->stop();
  EXPECT_EQ(sender.count("sent"), 0);
  EXPECT_EQ(sender.count("unreachable") + sender.count("stopped"), 2);
}

TEST(Otlp, refuses_an_address_that_is_none) {
  MetricsRegistry metrics;
  const auto http = *HttpClient::create();
  EXPECT_EQ(OtlpExporter::start({.url = "localhost:4318"}, http, metrics).error().code, NetError::bad_url);
  ASSERT_TRUE(OtlpExporter::start({.url = "http://127.0.0.1:1"}, http, metrics));
  EXPECT_EQ(OtlpExporter::start({.url = "http://127.0.0.1:1"}, http, metrics).error().code, NetError::bad_metric);
}

}  // namespace
}  // namespace coffer::net
