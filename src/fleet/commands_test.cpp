#include "fleet/commands.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "fleet/error.h"
#include "fleet/messages_testing.h"
#include "fleet/registry_messages.h"

namespace coffer::fleet {
namespace {

// As upstream's manager sends it (its startPayload), every member there.
const std::string full_start =
    R"({"id":"a1","name":"add","state":0,"image_url":"localhost:5000/add:v1","file":"AGFzbQ==","inputs":["10","20"],)"
    R"("cli_args":null,"broadcast":false,"daemon":false,"latent":false,"env":{"K":"V"},"encrypted":false,)"
    R"("kbs_resource_path":"default/key/x","monitoring_profile":{"enabled":true,"interval":10,"collect_cpu":true,)"
    R"("collect_memory":true,"collect_disk_io":true,"collect_threads":true,"collect_file_descriptors":true,)"
    R"("export_to_mqtt":true,"retain_history":true,"history_size":100},"proplet_id":"p1","hal_storage_path":"/s",)"
    R"("parent_results":{"t0":{"a":[1,2]}}})";

void expect_refused(const std::string& key, const std::string& value, FleetError code) {
  const auto start = parse_start(with_member(full_start, key, value));
  ASSERT_FALSE(start) << key << " = " << value;
  EXPECT_EQ(start.error().code, code) << key << " = " << value << ": " << start.error().message;
}

TEST(Start, is_written_as_it_was_read) {
  const auto start = parse_start(full_start);
  ASSERT_TRUE(start) << to_string(start.error());
  EXPECT_EQ(to_json(*start), full_start);
  EXPECT_EQ(as_text(*start->file), std::string_view("\0asm", 4));
  EXPECT_EQ(start->inputs, (std::vector<std::string>{"10", "20"}));
}

TEST(Start, always_writes_what_upstream_demands_and_leaves_out_what_is_empty) {
  EXPECT_EQ(
      to_json(StartCommand{.id = "a", .name = "n"}),
      R"({"id":"a","name":"n","state":0,"cli_args":null,"broadcast":false,"daemon":false,"latent":false,"encrypted":false})");
}

TEST(Start, takes_null_for_everything_but_the_id) {
  const std::string payload =
      R"({"id":"a","name":null,"state":null,"image_url":null,"file":null,"inputs":null,"cli_args":null,"broadcast":null,)"
      R"("daemon":null,"latent":null,"env":null,"encrypted":null,"kbs_resource_path":null,"monitoring_profile":null,)"
      R"("proplet_id":null,"parent_results":null,"fuel":null,"timeout_seconds":null,"something_new":[1]})";
  const auto start = parse_start(payload);
  ASSERT_TRUE(start) << to_string(start.error());
  EXPECT_FALSE(start->file);
  EXPECT_TRUE(start->inputs.empty());
  EXPECT_FALSE(start->monitoring_profile);
}

TEST(Start, turns_numbers_among_the_inputs_into_text) {
  const auto start =
      parse_start(with_member(full_start, "inputs", R"([10, -2, 2.5, 30.0, 18446744073709551615, true, "x"])"));
  ASSERT_TRUE(start) << to_string(start.error());
  EXPECT_EQ(start->inputs, (std::vector<std::string>{"10", "-2", "2.5", "30", "18446744073709551615", "true", "x"}));
}

TEST(Start, takes_oci_reference_as_an_alias) {
  const auto alone = parse_start(R"({"id":"a","name":"n","oci_reference":"r/x:1"})");
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->image_url, "r/x:1");
  EXPECT_TRUE(parse_start(R"({"id":"a","name":"n","image_url":"r/x:1","oci_reference":"r/x:1"})"));
  expect_refused("oci_reference", R"("r/other:1")", FleetError::bad_member);
}

TEST(Start, refuses_members_of_the_wrong_type_or_range) {
  expect_refused("id", "", FleetError::missing_member);
  expect_refused("id", "7", FleetError::bad_member);
  expect_refused("id", R"("a\u0000b")", FleetError::bad_member);
  expect_refused("id", '"' + std::string(257, 'x') + '"', FleetError::bad_member);
  expect_refused("state", R"("0")", FleetError::bad_member);
  expect_refused("broadcast", "1", FleetError::bad_member);
  expect_refused("file", R"("not base64!")", FleetError::bad_member);
  expect_refused("file", "7", FleetError::bad_member);
  expect_refused("inputs", R"({"0":"x"})", FleetError::bad_member);
  expect_refused("inputs", "[[1]]", FleetError::bad_member);
  expect_refused("inputs", R"(["a\u0000"])", FleetError::bad_member);
  expect_refused("cli_args", "[1]", FleetError::bad_member);
  expect_refused("env", R"({"K":1})", FleetError::bad_member);
  expect_refused("env", "[]", FleetError::bad_member);
  expect_refused("parent_results", "[]", FleetError::bad_member);
  expect_refused("monitoring_profile", "7", FleetError::bad_member);
  expect_refused("image_url", R"("a\nb")", FleetError::bad_member);
  expect_refused("fuel", "-1", FleetError::bad_member);
  expect_refused("memory_bytes", R"("1G")", FleetError::bad_member);
  expect_refused("timeout_seconds", "0", FleetError::bad_member);
  expect_refused("timeout_seconds", "1e12", FleetError::bad_member);
}

TEST(Start, takes_a_signature_by_key_by_resource_or_by_itself) {
  const auto with = [](const std::string& value) {
    return parse_start(with_member(full_start, "module_signature", value));
  };
  const auto pem = with(R"({"public_key":"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"})");
  ASSERT_TRUE(pem) << to_string(pem.error());
  EXPECT_TRUE(pem->module_signature->public_key.starts_with("-----BEGIN PUBLIC KEY-----\n"));
  EXPECT_EQ(with(R"({"public_key":"kbs:///default/key/cosign"})")->module_signature->public_key,
            "kbs:///default/key/cosign");
  EXPECT_EQ(with(R"({"signature":"AAAA","note":1})")->module_signature, (ModuleSignature{.signature = "AAAA"}));
  EXPECT_FALSE(with("null")->module_signature);
}

TEST(Start, refuses_a_signature_that_names_no_key_and_is_none) {
  for (const auto* value : {"{}", "[]", R"("AAAA")", R"({"public_key":"cosign.pub"})", R"({"public_key":"kbs://"})",
                            R"({"public_key":7})", R"({"signature":"not base64!"})"}) {
    expect_refused("module_signature", value, FleetError::bad_member);
  }
  const auto member = [](const std::string& key, const std::string& text) {
    return "{\"" + key + "\":\"" + text + "\"}";
  };
  expect_refused("module_signature", member("signature", std::string(5000, 'A')), FleetError::bad_member);
  expect_refused("module_signature", member("public_key", "-----BEGIN " + std::string(65536, 'A')),
                 FleetError::bad_member);
}

TEST(Start, refuses_payloads_that_are_no_message) {
  for (const std::string payload : {"", "null", "[]", "{", "\xFF\xFE", R"({"id":"a","id":"b"})"}) {
    const auto start = parse_start(payload);
    ASSERT_FALSE(start) << payload;
    EXPECT_EQ(start.error().code, FleetError::bad_payload) << payload;
  }
  const std::string deep =
      R"({"id":"a","name":"n","parent_results":)" + std::string(40, '[') + std::string(40, ']') + "}";
  EXPECT_EQ(parse_start(deep).error().code, FleetError::bad_payload);
  std::string many = R"({"id":"a","name":"n","inputs":["x")";
  for (int left = 1024; left > 0; --left) many += ",\"x\"";
  EXPECT_EQ(parse_start(many + "]}").error().code, FleetError::bad_member);
}

TEST(Start, of_any_content_survives_the_wire) {
  std::mt19937 random{20'260'101};
  for (int round = 0; round < 300; ++round) {
    const std::string written = to_json(random_start(random));
    const auto read = parse_start(written);
    ASSERT_TRUE(read) << to_string(read.error()) << "\n" << written;
    EXPECT_EQ(to_json(*read), written);
  }
}

TEST(Check, asks_for_something_to_run) {
  StartCommand start{.id = "a", .name = "n", .image_url = "r/x:1"};
  EXPECT_TRUE(check(start));
  start.encrypted = true;
  EXPECT_TRUE(check(start));
  start.file = to_bytes("x");
  EXPECT_EQ(check(start).error().code, FleetError::encrypted_with_file);
  start.image_url.clear();
  EXPECT_EQ(check(start).error().code, FleetError::encrypted_needs_image);
  start.encrypted = false;
  EXPECT_TRUE(check(start));
  start.file.reset();
  EXPECT_EQ(check(start).error().code, FleetError::nothing_to_run);
  start.name.clear();
  EXPECT_EQ(check(start).error().code, FleetError::missing_member);
  start.id.clear();
  EXPECT_EQ(check(start).error().code, FleetError::missing_member);
}

TEST(Addressing, is_by_id_by_broadcast_or_to_everyone) {
  EXPECT_TRUE(is_for("p1", false, "p1"));
  EXPECT_FALSE(is_for("p2", false, "p1"));
  EXPECT_TRUE(is_for("p2", true, "p1"));
  EXPECT_TRUE(is_for("", false, "p1"));
}

TEST(Stop, reads_both_of_upstreams_forms) {
  EXPECT_EQ(to_json(*parse_stop(R"({"id":"a","broadcast":true,"proplet_id":"p"})")),
            R"({"id":"a","broadcast":true,"proplet_id":"p"})");
  const auto bare = parse_stop(R"({"id":"a","proplet_id":"p"})");
  ASSERT_TRUE(bare);
  EXPECT_FALSE(bare->broadcast);
  EXPECT_EQ(parse_stop(R"({"proplet_id":"p"})").error().code, FleetError::missing_member);
}

TEST(Invoke, reads_and_writes_upstreams_form) {
  const std::string payload =
      R"({"id":"a","broadcast":false,"proplet_id":"p","invocation_id":"i","inputs":["1"],"env":{"K":"V"}})";
  const auto invoke = parse_invoke(payload);
  ASSERT_TRUE(invoke) << to_string(invoke.error());
  EXPECT_EQ(to_json(*invoke), payload);
  EXPECT_EQ(to_json(*parse_invoke(R"({"id":"a","invocation_id":"i","inputs":null})")),
            R"({"id":"a","broadcast":false,"proplet_id":"","invocation_id":"i","inputs":null,"env":{}})");
  EXPECT_EQ(parse_invoke(with_member(payload, "invocation_id", "")).error().code, FleetError::missing_member);
}

TEST(Profile, reads_seconds_and_nanoseconds_and_is_never_zero) {
  const auto interval = [](const std::string& text) {
    return read_monitoring_profile(codec::json::parse(R"({"interval":)" + text + "}").value()).value().interval;
  };
  EXPECT_EQ(interval("10"), std::chrono::seconds{10});
  EXPECT_EQ(interval("10000000000"), std::chrono::seconds{10});
  EXPECT_EQ(interval("250000000"), std::chrono::milliseconds{250});
  EXPECT_EQ(interval("0"), std::chrono::seconds{10});
}

TEST(Profile, is_filled_up_where_it_is_partial_and_written_whole) {
  const auto profile = read_monitoring_profile(codec::json::parse(R"({"enabled":false,"interval":null})").value());
  ASSERT_TRUE(profile);
  EXPECT_EQ(write_monitoring_profile(*profile).if_object()->size(), 10U);
  EXPECT_EQ(write_monitoring_profile(MonitoringProfile{.interval = std::chrono::milliseconds{10}})
                .find("interval")
                ->if_int64(),
            1);
}

TEST(Profile, refuses_what_would_exhaust_the_worker) {
  const auto code = [](const std::string& text) {
    return read_monitoring_profile(codec::json::parse(text).value()).error().code;
  };
  EXPECT_EQ(code(R"({"history_size":1000001})"), FleetError::bad_member);
  EXPECT_EQ(code(R"({"interval":-1})"), FleetError::bad_member);
  EXPECT_EQ(code(R"({"interval":18446744073709551615})"), FleetError::bad_member);
}

TEST(Traceparent, travels_with_every_command_and_with_requests_for_images) {
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  auto start = parse_start(full_start).value();
  start.traceparent = trace;
  EXPECT_EQ(parse_start(to_json(start))->traceparent, trace);
  EXPECT_EQ(parse_stop(to_json(StopCommand{.id = "a", .traceparent = trace}))->traceparent, trace);
  EXPECT_EQ(parse_invoke(to_json(InvokeCommand{.id = "a", .invocation_id = "i", .traceparent = trace}))->traceparent,
            trace);
  EXPECT_EQ(parse_fetch_request(to_json(FetchRequest{.app_name = "x", .traceparent = trace}))->traceparent, trace);
  EXPECT_EQ(to_json(FetchRequest{.app_name = "x"}), R"({"app_name":"x"})");  // as upstream writes it
}

TEST(Traceparent, that_is_none_refuses_nothing) {
  for (const std::string& value :
       {std::string{"7"}, std::string{"null"}, "\"" + std::string(300, 'a') + "\"", std::string{R"({"a":1})"}}) {
    const auto start = parse_start(with_member(full_start, "traceparent", value));
    ASSERT_TRUE(start) << value;
    EXPECT_EQ(start->traceparent, "") << value;
  }
}

TEST(Salvaging, finds_whom_to_answer_in_a_start_that_does_not_parse) {
  const Salvage found =
      salvage(R"({ "id" : "a\"1" , "inputs":[{"id":"no"},"}"], "broadcast":true, "proplet_id":"p","env":7 )");
  EXPECT_EQ(found.id, "a\"1");
  EXPECT_EQ(found.proplet_id, "p");
  EXPECT_TRUE(found.broadcast);
  EXPECT_EQ(salvage(R"({"id":"a","invocation_id":"i","file":"AAAA)").invocation_id, "i");
}

TEST(Salvaging, guesses_nothing) {
  for (const std::string payload :
       {"", "[]", R"(["id","a"])", R"({"id":7})", R"({"id":"a","id":"b"})", R"({"x":{"id":"a"}})",
        R"({"id":"a\u0007"})", R"({"id":"\ud800"})", R"({"id")", R"({"x":"\)"})
    EXPECT_EQ(salvage(payload).id, "") << payload;
}

TEST(Salvaging, of_anything_that_was_cut_gives_the_id_or_nothing) {
  for (std::size_t size = 0; size <= full_start.size(); ++size) {
    const std::string id = salvage(full_start.substr(0, size)).id;
    EXPECT_EQ(id, size < 10 ? "" : "a1") << size;
  }
}

}  // namespace
}  // namespace coffer::fleet
