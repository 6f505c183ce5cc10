// Presence, results, telemetry, registry messages, topics.
#include "fleet/messages.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "fleet/messages_testing.h"

namespace coffer::fleet {
namespace {

const std::string discovery_text =
    R"({"proplet_id":"p1","namespace":"default","metadata":{"description":"d","tags":["gpu"],"location":"l","ip":"10.0.0.1",)"
    R"("environment":"docker","os":"linux","hostname":"h","cpu_arch":"x86_64","total_memory_bytes":1024,)"
    R"("proplet_version":"0.5.0","wasm_runtime":"wasmtime-internal"}})";

template <class T>
void expect_code(const Result<T>& result, FleetError code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << result.error().message;
}

TEST(DiscoveryMessage, is_written_as_it_was_read) {
  const auto discovery = parse_discovery(discovery_text);
  ASSERT_TRUE(discovery) << to_string(discovery.error());
  EXPECT_EQ(to_json(*discovery), discovery_text);
}

TEST(DiscoveryMessage, counts_empty_text_as_absent_and_leaves_out_what_is) {
  const auto embedded =
      parse_discovery(R"({"proplet_id":"p","namespace":"","metadata":{"description":"","os":null,"tags":null}})");
  ASSERT_TRUE(embedded) << to_string(embedded.error());
  EXPECT_EQ(to_json(*embedded), R"({"proplet_id":"p","namespace":"","metadata":{}})");
  EXPECT_TRUE(parse_discovery(R"({"proplet_id":"p"})"));
}

TEST(DiscoveryMessage, refuses_what_is_malformed) {
  expect_code(parse_discovery(with_member(discovery_text, "proplet_id", "")), FleetError::missing_member);
  expect_code(parse_discovery(with_member(discovery_text, "proplet_id", "[]")), FleetError::bad_member);
  expect_code(parse_discovery(with_member(discovery_text, "metadata", "[]")), FleetError::bad_member);
  expect_code(parse_discovery(with_member(discovery_text, "metadata", R"({"total_memory_bytes":-1})")),
              FleetError::bad_member);
  expect_code(parse_discovery(with_member(discovery_text, "metadata", R"({"tags":[1]})")), FleetError::bad_member);
  expect_code(parse_discovery("\x80"), FleetError::bad_payload);
}

TEST(DiscoveryMessage, of_any_content_survives_the_wire) {
  std::mt19937 random{7};
  for (int round = 0; round < 200; ++round) {
    const Discovery discovery = random_discovery(random);
    const auto read = parse_discovery(to_json(discovery));
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(read->metadata, discovery.metadata);
    EXPECT_EQ(read->capabilities, discovery.capabilities);
  }
}

TEST(CapabilityObject, that_cannot_be_read_claims_nothing_and_does_not_hide_the_worker) {
  for (const std::string bad :
       {"7", R"({"tee":"tdx"})", R"({"tee":{}})", R"({"attestation":{"proof":"x"}})",
        R"({"attestation":{"token":"t","expires_at":"tomorrow"}})", R"({"version":0})", R"({"tags":{}})"}) {
    const auto alive = parse_alive(R"({"proplet_id":"p","status":"alive","namespace":"n","coffer":)" + bad + "}");
    ASSERT_TRUE(alive) << bad;
    EXPECT_FALSE(alive->capabilities) << bad;
    EXPECT_TRUE(alive->capabilities_error) << bad;
  }
}

TEST(CapabilityObject, of_a_later_version_is_read_as_far_as_it_is_known) {
  const auto read =
      read_capabilities(codec::json::parse(R"({"version":2,"tee":{"type":"tdx","mode":"x"},"new":[]})").value());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, 2);
  EXPECT_EQ(read->tee, (Capabilities::Tee{"tdx", false}));
}

TEST(AliveMessage, tells_an_offline_worker_from_a_live_one) {
  const auto will = parse_alive(R"({"status":"offline","proplet_id":"p"})");
  ASSERT_TRUE(will);
  EXPECT_EQ(will->status, Alive::offline);
  EXPECT_EQ(to_json(Alive{.proplet_id = "p", .name_space = "n"}),
            R"({"proplet_id":"p","status":"alive","namespace":"n"})");
  expect_code(parse_alive(R"({"status":"alive"})"), FleetError::missing_member);
}

TEST(ResultMessage, is_written_in_upstreams_form) {
  EXPECT_EQ(to_json(TaskResult{.task_id = "t", .proplet_id = "p", .results = "30"}),
            R"({"task_id":"t","proplet_id":"p","results":"30","error":null})");
  EXPECT_EQ(
      to_json(TaskResult{
          .task_id = "t", .proplet_id = "p", .results = "", .error = "e", .details = {.code = "c", .exit_code = 3}}),
      R"({"task_id":"t","proplet_id":"p","results":"","error":"e","code":"c","exit_code":3})");
  EXPECT_EQ(to_json(InvokeResult{.task_id = "t", .invocation_id = "i", .proplet_id = "p", .results = "1"}),
            R"({"task_id":"t","invocation_id":"i","proplet_id":"p","results":"1","error":null})");
}

TEST(ResultMessage, takes_results_of_any_type) {
  for (const std::string results : {"null", "7", "[1]", R"({"round_id":"r"})", "true", R"("30")"}) {
    const auto read = parse_task_result(R"({"task_id":"t","results":)" + results + "}");
    ASSERT_TRUE(read) << results;
    EXPECT_EQ(codec::json::serialize(read->results), results);
    EXPECT_FALSE(read->error);
  }
}

TEST(ResultMessage, reads_every_form_of_an_error) {
  const auto error_of = [](const std::string& text) {
    return parse_task_result(R"({"task_id":"t","results":"","error":)" + text + "}").value().error;
  };
  EXPECT_EQ(error_of("null"), std::nullopt);
  EXPECT_EQ(error_of(R"("")"), std::nullopt);
  EXPECT_EQ(error_of(R"("boom")"), "boom");
  EXPECT_EQ(error_of(R"({"why":1})"), R"({"why":1})");
  std::string long_text = "x";
  while (long_text.size() < 70'000) long_text += "é";
  const auto cut = error_of('"' + long_text + '"').value();
  EXPECT_EQ(cut.size(), 65'535U);  // whole characters
  EXPECT_TRUE(long_text.starts_with(cut));
}

TEST(ResultMessage, refuses_what_is_malformed) {
  expect_code(parse_task_result(R"({"results":"1"})"), FleetError::missing_member);
  expect_code(parse_task_result(R"({"task_id":"t","exit_code":"x"})"), FleetError::bad_member);
  expect_code(parse_task_result(R"({"task_id":"t","exit_code":99999999999})"), FleetError::bad_member);
  expect_code(parse_task_result(R"({"task_id":"t","stdout":1})"), FleetError::bad_member);
  expect_code(parse_invoke_result(R"({"task_id":"t","results":"1"})"), FleetError::missing_member);
}

TEST(ResultMessage, of_any_content_survives_the_wire) {
  std::mt19937 random{9};
  for (int round = 0; round < 200; ++round) {
    const std::string written = to_json(random_result(random));
    const auto read = parse_task_result(written);
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(to_json(*read), written);
  }
}

TEST(Timestamps, of_every_generation_are_read) {
  const auto read = [](const std::string& text) { return read_timestamp(codec::json::parse(text).value()); };
  const TimePoint expected{std::chrono::milliseconds{1'767'323'045'123}};
  EXPECT_EQ(read(R"("2026-01-02T03:04:05.123456789Z")"), expected);
  EXPECT_EQ(read(R"({"secs_since_epoch":1767323045,"nanos_since_epoch":123456789})"), expected);
  EXPECT_EQ(read("123456"), std::nullopt);  // an uptime
  EXPECT_EQ(read(R"({"secs_since_epoch":18446744073709551615})"), std::nullopt);
  EXPECT_EQ(read(R"({"secs_since_epoch":1,"nanos_since_epoch":1000000000})"), std::nullopt);
  EXPECT_EQ(read(R"("yesterday")"), std::nullopt);
  EXPECT_EQ(write_timestamp(expected), "2026-01-02T03:04:05.123Z");
}

TEST(NodeMetricsMessage, is_written_as_it_was_read) {
  const std::string text =
      R"({"proplet_id":"p","namespace":"n","timestamp":"2026-01-02T03:04:05.000Z","cpu_metrics":{"user_seconds":1.5,)"
      R"("system_seconds":0.25,"percent":12.5},"memory_metrics":{"rss_bytes":7,"heap_alloc_bytes":0,"heap_sys_bytes":0,)"
      R"("heap_inuse_bytes":0,"container_usage_bytes":1,"container_limit_bytes":2}})";
  const auto metrics = parse_node_metrics(text);
  ASSERT_TRUE(metrics) << to_string(metrics.error());
  EXPECT_EQ(to_json(*metrics), text);
  EXPECT_TRUE(parse_node_metrics(R"({"proplet_id":"p","timestamp":5,"cpu_metrics":{"percent":3}})"));
  expect_code(parse_node_metrics(with_member(text, "proplet_id", "")), FleetError::missing_member);
  expect_code(parse_node_metrics(with_member(text, "cpu_metrics", R"({"percent":-1})")), FleetError::bad_member);
  expect_code(parse_node_metrics(with_member(text, "memory_metrics", R"({"rss_bytes":"x"})")), FleetError::bad_member);
}

TEST(TaskMetricsMessage, of_any_content_survives_the_wire) {
  std::mt19937 random{11};
  for (int round = 0; round < 200; ++round) {
    const TaskMetrics metrics = random_task_metrics(random);
    const auto read = parse_task_metrics(to_json(metrics));
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(read->metrics, metrics.metrics);
    EXPECT_EQ(read->aggregated, metrics.aggregated);
    EXPECT_EQ(read->timestamp, metrics.timestamp);
  }
  expect_code(parse_task_metrics(R"({"proplet_id":"p"})"), FleetError::missing_member);
  expect_code(parse_task_metrics(R"({"task_id":"t","aggregated":7})"), FleetError::bad_member);
}

TEST(ChunkMessage, is_written_in_upstreams_form) {
  Chunk chunk{.app_name = "r/x:1", .index = 1, .total = 4, .data = to_bytes("hi")};
  EXPECT_EQ(to_json(chunk), R"({"app_name":"r/x:1","chunk_idx":1,"total_chunks":4,"data":"aGk="})");
  chunk.digest = "sha256:00";
  chunk.manifest = R"({"schemaVersion":2})";
  chunk.config = "{}";
  chunk.annotations = {{"a", "b"}};
  const auto read = parse_chunk(to_json(chunk));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(to_json(*read), to_json(chunk));
}

TEST(ChunkMessage, carries_signatures_behind_all_that_upstream_knows) {
  const Chunk chunk{.app_name = "x", .signatures = {{.payload = "{}", .annotations = {{"a", "b"}}}, {.payload = "p"}}};
  const std::string text = to_json(chunk);
  EXPECT_TRUE(
      text.ends_with(R"(,"signatures":[{"payload":"{}","annotations":{"a":"b"}},{"payload":"p","annotations":{}}]})"))
      << text;
  EXPECT_EQ(parse_chunk(text).value().signatures, chunk.signatures);
  for (const auto* wrong : {"7", "[7]", R"([{"payload":1}])", R"([{"annotations":{"a":1}}])"}) {
    EXPECT_EQ(parse_chunk(with_member(text, "signatures", wrong)).error().code, FleetError::bad_member) << wrong;
  }
}

TEST(ChunkMessage, of_an_error_is_no_chunk_to_upstreams_workers) {
  const std::string text = to_json(Chunk{.app_name = "x", .error = "no such image", .code = "image.not_found"});
  EXPECT_EQ(text, R"({"app_name":"x","error":"no such image","code":"image.not_found"})");
  const auto read = parse_chunk(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->error, "no such image");
}

TEST(ChunkMessage, refuses_what_is_malformed) {
  const std::string good = R"({"app_name":"x","chunk_idx":0,"total_chunks":1,"data":""})";
  ASSERT_TRUE(parse_chunk(good));
  for (const std::string key : {"app_name", "chunk_idx", "total_chunks", "data"})
    expect_code(parse_chunk(with_member(good, key, "")), FleetError::missing_member);
  expect_code(parse_chunk(with_member(good, "chunk_idx", "1")), FleetError::bad_chunk);
  expect_code(parse_chunk(with_member(good, "chunk_idx", "-1")), FleetError::bad_member);
  expect_code(parse_chunk(with_member(good, "total_chunks", "0")), FleetError::bad_chunk);
  expect_code(parse_chunk(with_member(good, "data", R"("@")")), FleetError::bad_member);
  expect_code(parse_chunk(with_member(good, "annotations", "[]")), FleetError::bad_member);
}

TEST(FetchMessage, carries_the_name_verbatim) {
  EXPECT_EQ(to_json(FetchRequest{"r/x:1"}), R"({"app_name":"r/x:1"})");
  EXPECT_EQ(parse_fetch_request(R"({"app_name":"r/x:1"})").value().app_name, "r/x:1");
  expect_code(parse_fetch_request(R"({"app_name":""})"), FleetError::missing_member);
  expect_code(parse_fetch_request(R"({"app_name":"a\u001b"})"), FleetError::bad_member);
}

TEST(RoundStartMessage, is_written_as_it_was_read) {
  const std::string text =
      R"({"round_id":"r","model_uri":"m","task_wasm_image":"i","participants":["p"],"hyperparams":{"lr":0.5}})";
  EXPECT_EQ(to_json(parse_round_start(text).value()), text);
  expect_code(parse_round_start(with_member(text, "round_id", "")), FleetError::missing_member);
  expect_code(parse_round_start(with_member(text, "participants", R"("p")")), FleetError::bad_member);
}

TEST(TopicNames, are_told_apart_exactly) {
  const Topics topics = Topics::create("t", "c").value();
  EXPECT_EQ(topics.of(Topic::start), "m/t/c/c/control/manager/start");
  EXPECT_EQ(topics.all(), "m/t/c/c/#");
  for (const Topic topic :
       {Topic::discovery, Topic::alive, Topic::node_metrics, Topic::task_metrics, Topic::results, Topic::invoke_results,
        Topic::start, Topic::stop, Topic::invoke, Topic::fetch, Topic::chunk, Topic::round_start})
    EXPECT_EQ(topics.classify(topics.of(topic)), topic);
  for (const std::string other : {"m/t/c/c/control/manager/starts", "m/t/c/d/control/manager/start", "m/t/c/c", ""})
    EXPECT_EQ(topics.classify(other), std::nullopt) << other;
  EXPECT_EQ(round_update_topic("r", "p"), "fl/rounds/r/updates/p");
  const auto update = parse_round_update_topic("fl/rounds/r/updates/p");
  ASSERT_TRUE(update);
  EXPECT_EQ(update->round, "r");
  EXPECT_EQ(update->proplet, "p");
  for (const auto* other : {"fl/rounds/r/updates/", "fl/rounds//updates/p", "fl/rounds/r/updates/p/q",
                            "fl/rounds/start", "fl/rounds/r/p", "x/fl/rounds/r/updates/p", "fl/rounds/r/updates"}) {
    EXPECT_FALSE(parse_round_update_topic(other)) << other;
  }
}

TEST(TopicNames, refuse_ids_that_would_change_them) {
  for (const std::string bad : {"", "a/b", "+", "#", "a\n", "\xFF"}) {
    expect_code(Topics::create(bad, "c"), FleetError::bad_identifier);
    expect_code(Topics::create("t", bad), FleetError::bad_identifier);
  }
  expect_code(Topics::create(std::string(129, 'x'), "c"), FleetError::bad_identifier);
  EXPECT_TRUE(Topics::create("dömäin \"1\"\\", "c"));
}

TEST(Uuids, are_recognised_and_made) {
  EXPECT_TRUE(is_uuid("123e4567-E89b-12d3-a456-426614174000"));
  EXPECT_FALSE(is_uuid("123e4567-e89b-12d3-a456-42661417400g"));
  EXPECT_FALSE(is_uuid("123e4567e89b12d3a456426614174000"));
  const std::string made = random_uuid();
  EXPECT_TRUE(is_uuid(made));
  EXPECT_EQ(made[14], '4');
  EXPECT_NE(made, random_uuid());
  const std::string named = uuid_of({"a", "bc"});
  EXPECT_TRUE(is_uuid(named));
  EXPECT_EQ(named[14], '8');
  EXPECT_EQ(named, uuid_of({"a", "bc"}));
  EXPECT_NE(named, uuid_of({"ab", "c"}));
}

TEST(FleetErrors, have_distinct_stable_names) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(FleetError::cancelled); ++code) {
    const auto name = code_name(static_cast<FleetError>(code));
    EXPECT_TRUE(name.starts_with("fleet."));
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

}  // namespace
}  // namespace coffer::fleet
