// What holds for every interface, and those that have little to them.
#include "workload/hal/hal.h"

#include <gmock/gmock.h>

#include <set>

#include "workload/hal/hal_testing.h"

namespace coffer::workload::hal {
namespace {

using testing::bytes;
using testing::Guest;
using ::testing::HasSubstr;

TEST(Hal, has_the_eleven_interfaces_and_53_functions_of_elastic_hal) {
  std::set<std::string> names;
  std::size_t functions = 0;
  for (const auto& one : interfaces()) {
    names.insert(one.name);
    functions += one.functions.size();
  }
  std::set<std::string> expected;
  for (const auto* name : {"platform", "attestation", "crypto", "clock", "random", "sockets", "gpu", "resources",
                           "events", "communication", "storage"}) {
    expected.insert("elastic:hal/" + std::string{name} + "@0.1.0");
  }
  EXPECT_EQ(names, expected);
  EXPECT_EQ(functions, 53U);
}

TEST(Hal, a_function_or_interface_that_it_does_not_have_traps) {
  Guest guest;
  EXPECT_EQ(guest.trap("crypto", "encipher"), "hal.unknown_function");
  EXPECT_EQ(guest.trap("cryptography", "hash"), "hal.unknown_function");
}

TEST(Hal, arguments_of_other_types_or_in_another_number_trap) {
  Guest guest;
  const std::vector<std::vector<Value>> wrong = {{},
                                                 {bytes("a")},
                                                 {bytes("a"), "sha256", "more"},
                                                 {"a", "sha256"},
                                                 {bytes("a"), "sha1"},
                                                 {bytes("a"), 1},
                                                 {Value{}, "sha256"}};
  for (const auto& arguments : wrong) EXPECT_EQ(guest.trap("crypto", "hash", arguments), "hal.bad_arguments");
  EXPECT_EQ(guest.trap("clock", "sleep", {-1}), "hal.bad_arguments");
  EXPECT_EQ(guest.trap("clock", "sleep", {"1"}), "hal.bad_arguments");
  EXPECT_EQ(guest.trap("random", "get-random-bytes", {std::uint64_t{1} << 32}), "hal.bad_arguments");
  EXPECT_EQ(guest.trap("communication", "send-message", {"x", bytes("y"), 1}), "hal.bad_arguments");
  EXPECT_EQ(guest.trap("platform", "has-capability", {1}), "hal.bad_arguments");
}

TEST(Hal, records_must_have_their_fields_and_no_others) {
  Guest guest;
  guest.services.connect = testing::addresses({"127.0.0.1:*"});
  const auto socket = guest.handle("sockets", "create-socket", {"tcp"});
  EXPECT_EQ(guest.trap("sockets", "connect", {socket, "127.0.0.1:1"}), "hal.bad_arguments");
  EXPECT_EQ(guest.trap("sockets", "connect", {socket, record(field("ip", "127.0.0.1"))}), "hal.bad_arguments");
  EXPECT_EQ(guest.trap("sockets", "connect", {socket, record(field("ip", "127.0.0.1"), field("gate", 1))}),
            "hal.bad_arguments");
  EXPECT_EQ(guest.trap("sockets", "connect", {socket, testing::address("127.0.0.1", 1), 1}), "hal.bad_arguments");
  EXPECT_EQ(guest.trap("sockets", "connect", {socket, record(field("ip", "127.0.0.1"), field("port", 65536))}),
            "hal.bad_arguments");
}

TEST(Hal, what_is_too_long_is_an_error_value) {
  Guest guest;
  EXPECT_EQ(guest.err("crypto", "hash", {Bytes(max_bytes + 1), "sha256"}), "hal.limit");
  EXPECT_EQ(guest.err("storage", "open-container", {std::string(max_text + 1, 'a')}), "hal.limit");
}

TEST(Hal, a_call_keeps_its_hal) {
  auto call = host_call(std::make_shared<const Services>(), {.id = "t"});
  const auto copy = call;
  call = {};
  const auto answer = copy("elastic:hal/clock@0.1.0", "resolution", {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->find("ok")->if_uint64(), 1U);
}

TEST(Gpu, has_no_adapters_and_pretends_nothing) {
  Guest guest;
  EXPECT_EQ(guest.ok("gpu", "list-adapters"), Value{codec::cbor::Array{}});
  EXPECT_EQ(guest.err("gpu", "get-adapter-info", {1}), "hal.unavailable");
  EXPECT_EQ(guest.err("gpu", "create-device", {1}), "hal.unavailable");
  EXPECT_EQ(guest.err("gpu", "create-buffer", {1, record()}), "hal.unavailable");
  EXPECT_EQ(guest.err("gpu", "write-buffer", {1, 0, bytes("")}), "hal.unavailable");
  EXPECT_EQ(guest.err("gpu", "read-buffer", {1, 0, 1}), "hal.unavailable");
  EXPECT_EQ(guest.err("gpu", "create-compute-pipeline", {1, bytes("")}), "hal.unavailable");
  EXPECT_EQ(guest.err("gpu", "dispatch", {1, 1, 1, 1, 1}), "hal.unavailable");
}

TEST(Random, gives_as_many_bytes_as_asked_for_up_to_a_mebibyte) {
  Guest guest;
  for (const auto* function : {"get-random-bytes", "get-secure-random"}) {
    const auto first = guest.ok("random", function, {32}), second = guest.ok("random", function, {32});
    EXPECT_EQ(first.if_bytes()->size(), 32U);
    EXPECT_NE(first, second);
    EXPECT_EQ(guest.ok("random", function, {0}).if_bytes()->size(), 0U);
    EXPECT_EQ(guest.ok("random", function, {1U << 20}).if_bytes()->size(), std::size_t{1} << 20);
    EXPECT_EQ(guest.err("random", function, {(1U << 20) + 1}), "hal.limit");
  }
}

TEST(Random, tells_its_source_and_takes_entropy_without_a_promise) {
  Guest guest;
  const auto info = guest.ok("random", "get-entropy-info");
  EXPECT_EQ(*info.find("source"), Value{"platform"});
  EXPECT_EQ(*info.find("quality"), Value{256});
  EXPECT_TRUE(info.find("available-bytes")->if_uint64());
  EXPECT_TRUE(guest.ok("random", "reseed", {bytes("more")}).is_null());
  EXPECT_EQ(guest.err("random", "reseed", {Bytes(70'000)}), "hal.limit");
}

TEST(Platform, says_none_without_a_tee_and_what_works) {
  Guest guest;
  EXPECT_EQ(*guest.raw("platform", "get-platform-info"),
            record(field("platform-type", "None"), field("version", "0.0.0")));
  EXPECT_EQ(guest.raw("platform", "list-capabilities")->if_array()->size(), 11U);
  const auto has = [&](const char* name) { return *guest.raw("platform", "has-capability", {name}); };
  EXPECT_EQ(has("crypto"), Value{true});
  EXPECT_EQ(has("storage"), Value{true});
  EXPECT_EQ(*guest.raw("platform", "has-capability", {std::string(max_text + 1, 'c')}), Value{false});
  for (const auto* none : {"attestation", "secure-storage", "gpu-compute", "sockets", "communication", "flight"}) {
    EXPECT_EQ(has(none), Value{false}) << none;
  }
}

TEST(Platform, names_the_tee_as_upstream_does_and_never_hides_a_simulated_one) {
  for (const auto& [tee, name] : std::vector<std::pair<std::string, std::string>>{
           {"snp", "AmdSev"}, {"tdx", "IntelTdx"}, {"simulated:snp", "simulated:snp"}, {"sample", "sample"}}) {
    Guest guest;
    guest.services.tee = tee;
    guest.services.attest = [](ByteView) { return codec::json::Value{}; };
    guest.task.encrypted = true;
    EXPECT_EQ(*guest.raw("platform", "get-platform-info"),
              record(field("platform-type", name), field("version", "0.1.0")));
    EXPECT_EQ(*guest.raw("platform", "has-capability", {"attestation"}), Value{true});
    EXPECT_EQ(*guest.raw("platform", "has-capability", {"secure-storage"}), Value{true});
  }
}

}  // namespace
}  // namespace coffer::workload::hal
