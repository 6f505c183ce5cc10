#include "evidence/eventlog/agent_event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/eventlog/writer.h"

namespace coffer::evidence::eventlog {
namespace {

namespace fs = std::filesystem;
using crypto::HashAlgorithm;
using testing::HasSubstr;

// What survives a crash: two registers of a machine and its two files.
struct Machine {
  std::map<unsigned, Bytes> registers{{16, Bytes(32)}, {17, Bytes(32)}};
  Bytes log;
  std::optional<Bytes> wal;
  // Steps until everything fails, as it does for a process that is killed there.
  int steps_left = 1000;
  // Whether the killing step took effect before the process died.
  bool last_step_done = false;
  bool extend_fails_once = false;
  bool extend_lies_once = false;
  bool reads_fail = false;

  // Runs `act` if this step is reached; an error where the process is dead.
  Result<> step(auto act) {
    if (steps_left == 0) return fail(EventLogError::storage_failed, "killed");
    const bool dies = --steps_left == 0;
    if (!dies || last_step_done) act();
    if (dies) return fail(EventLogError::storage_failed, "killed");
    return {};
  }
};

class FakeAttester final : public Attester {
 public:
  explicit FakeAttester(Machine& machine) : machine_(machine) {}
  TeeKind kind() const override { return TeeKind::tpm; }
  Result<codec::json::Value> attest(ByteView) const override { return codec::json::Value{}; }
  std::optional<MeasurementRegister> runtime_register(unsigned pcr) const override {
    if (!machine_.registers.contains(pcr)) return std::nullopt;
    return MeasurementRegister{pcr, HashAlgorithm::sha256};
  }
  Result<> extend_runtime_measurement(unsigned pcr, ByteView digest) const override {
    const std::lock_guard lock{mutex_};
    if (std::exchange(machine_.extend_fails_once, false)) return fail(EvidenceError::device_failed, "busy");
    auto& value = machine_.registers.at(pcr);
    TRY(machine_.step([&] { value = crypto::sha256(concat({value, digest})); }));
    if (std::exchange(machine_.extend_lies_once, false)) return fail(EvidenceError::device_failed, "no answer");
    return {};
  }
  Result<Bytes> read_runtime_measurement(unsigned pcr) const override {
    const std::lock_guard lock{mutex_};
    if (machine_.reads_fail) return fail(EvidenceError::device_failed, "no answer");
    return machine_.registers.at(pcr);
  }

 private:
  Machine& machine_;
  mutable std::mutex mutex_;
};

class FakeStorage final : public AgentLogStorage {
 public:
  explicit FakeStorage(Machine& machine) : machine_(machine) {}
  Result<Bytes> read_log() override { return machine_.log; }
  Result<> append_log(std::size_t size, ByteView entry) override {
    // An append is the one step that a crash can cut in the middle.
    if (machine_.steps_left == 1 && !machine_.last_step_done) {
      machine_.log.resize(size);
      machine_.log.insert(machine_.log.end(), entry.begin(), entry.begin() + entry.size() / 2);
    }
    return machine_.step([&] {
      machine_.log.resize(size);
      machine_.log.insert(machine_.log.end(), entry.begin(), entry.end());
    });
  }
  Result<std::optional<Bytes>> read_wal() override { return machine_.wal; }
  Result<> write_wal(ByteView entry) override {
    return machine_.step([&] { machine_.wal = to_bytes(entry); });
  }
  Result<> remove_wal() override {
    return machine_.step([&] { machine_.wal.reset(); });
  }

 private:
  Machine& machine_;
};

struct Agent {
  explicit Agent(Machine& machine) : attester(machine) {
    auto opened = AgentEventLog::open(attester, std::make_unique<FakeStorage>(machine));
    if (opened) {
      log = *std::move(opened);
    } else {
      error = opened.error();
    }
  }
  FakeAttester attester;
  std::unique_ptr<AgentEventLog> log;
  std::optional<Error> error;
};

// The log explains both registers, and holds this many events.
void expect_consistent(const Machine& machine, std::size_t events) {
  EXPECT_FALSE(machine.wal);
  auto bytes = LogWriter{{HashAlgorithm::sha256}}.log();
  bytes.insert(bytes.end(), machine.log.begin(), machine.log.end());
  const auto log = EventLog::parse(bytes);
  ASSERT_TRUE(log) << to_string(log.error());
  EXPECT_EQ(log->events().size(), events);
  Bytes value(32);
  for (const auto& event : log->events()) {
    if (event.index == 17) value = crypto::sha256(concat({value, *event.digest(HashAlgorithm::sha256)}));
  }
  EXPECT_EQ(value, machine.registers.at(17));
  EXPECT_EQ(*log->replay(16, HashAlgorithm::sha256), machine.registers.at(16));
}

TEST(AgentEventLog, data_of_an_event_hashes_to_upstreams_vectors) {
  const auto data = agent_event_data("domain operation content");
  EXPECT_EQ(codec::hex_encode(crypto::sha256(data)),
            "46df8dacf00a07d34a83cdf56d7978697790787cf2ba1432ef7c38f22cd96351");
  EXPECT_EQ(codec::hex_encode(crypto::sha384(data)),
            "dad5f0e226318ffa9839b75a472c6aa7fdb5834949d0a0a22990cf04d5692440fb00f3aa0609db7e49cd8d793f670d02");
}

TEST(AgentEventLog, an_entry_has_upstreams_form) {
  const auto entry = agent_event_entry({4, HashAlgorithm::sha256}, "a b c");
  EXPECT_EQ(codec::hex_encode(entry),
            "04000000"
            "06000000"
            "01000000"
            "0b00" +
                codec::hex_encode(crypto::sha256(agent_event_data("a b c"))) +
                "0d000000"
                "4c454141"
                "05000000"
                "6120622063");
}

TEST(AgentEventLog, events_go_to_register_and_log) {
  Machine machine;
  Agent agent{machine};
  ASSERT_TRUE(agent.log);
  EXPECT_TRUE(
      agent.log->extend(17, "github.com/confidential-containers", "PullImage", R"({"image":"a", "digest":"b"})"));
  EXPECT_TRUE(agent.log->extend(16, "a", "b", ""));
  expect_consistent(machine, 2);
}

TEST(AgentEventLog, a_kill_at_any_step_leaves_nothing_that_recovery_cannot_finish) {
  for (const bool done : {false, true}) {
    // One extension takes four steps: write ahead, extend, append, remove.
    for (int steps = 1; steps <= 4; ++steps) {
      Machine machine;
      Agent{machine}.log->extend(17, "an", "earlier", "event").value();
      machine.steps_left = steps;
      machine.last_step_done = done;
      EXPECT_FALSE(Agent{machine}.log->extend(17, "an", "interrupted", "event"));
      machine.steps_left = 1000;
      const Agent again{machine};
      ASSERT_TRUE(again.log) << steps << to_string(*again.error);
      const bool lost = steps == 1 && !done;
      expect_consistent(machine, lost ? 1 : 2);
    }
  }
}

TEST(AgentEventLog, a_kill_during_recovery_is_recovered_from_too) {
  for (int first = 1; first <= 3; ++first) {
    for (int second = 1; second <= 3; ++second) {
      Machine machine;
      Agent{machine}.log->extend(16, "an", "earlier", "event").value();
      machine.steps_left = first;
      machine.last_step_done = true;
      EXPECT_FALSE(Agent{machine}.log->extend(16, "an", "interrupted", "event"));
      machine.steps_left = second;
      machine.last_step_done = false;
      (void)Agent{machine};
      machine.steps_left = 1000;
      const Agent again{machine};
      ASSERT_TRUE(again.log) << first << second << to_string(*again.error);
      expect_consistent(machine, 2);
    }
  }
}

TEST(AgentEventLog, an_event_whose_register_cannot_be_told_is_dropped_before_it_happened) {
  Machine machine;
  machine.steps_left = 1;
  machine.last_step_done = true;
  EXPECT_FALSE(Agent{machine}.log->extend(17, "an", "interrupted", "event"));
  EXPECT_TRUE(machine.wal);
  machine.steps_left = 1000;
  EXPECT_TRUE(Agent{machine}.log);
  expect_consistent(machine, 0);
}

TEST(AgentEventLog, upstreams_write_ahead_entry_is_recovered) {
  Machine machine;
  machine.registers[17] = Bytes(32, std::byte{0xff});
  const auto digest = crypto::sha256(agent_event_data("domain operation content"));
  const auto after = crypto::sha256(concat({Bytes(32), digest}));
  machine.wal = ByteWriter{}.u64_be(0).bytes(after).bytes(as_bytes("domain operation content")).take();
  EXPECT_TRUE(Agent{machine}.log);
  EXPECT_EQ(machine.registers.at(16), after);
  EXPECT_EQ(machine.log, agent_event_entry({16, HashAlgorithm::sha256}, "domain operation content"));
  EXPECT_FALSE(machine.wal);
}

TEST(AgentEventLog, a_write_ahead_entry_that_fits_no_register_is_refused) {
  Machine machine;
  machine.wal = ByteWriter{}.u64_be(0).bytes(Bytes(32, std::byte{7})).bytes(as_bytes("a b c")).take();
  const Agent agent{machine};
  ASSERT_TRUE(agent.error);
  EXPECT_EQ(agent.error->code, EventLogError::bad_wal);
  EXPECT_TRUE(machine.wal);
}

TEST(AgentEventLog, a_write_ahead_entry_too_short_is_refused) {
  for (const std::size_t size : {0U, 7U, 8U, 39U}) {
    Machine machine;
    machine.wal = Bytes(size);
    const Agent agent{machine};
    ASSERT_TRUE(agent.error) << size;
    EXPECT_EQ(agent.error->code, EventLogError::bad_wal);
  }
}

TEST(AgentEventLog, a_log_that_is_not_where_the_write_ahead_entry_says_is_refused) {
  for (const std::size_t size : {99U, 101U + 32 + 14 + 4 + 8 + 5}) {
    Machine machine;
    machine.registers.erase(17);
    const auto digest = crypto::sha256(agent_event_data("a b c"));
    machine.wal =
        ByteWriter{}.u64_be(100).bytes(crypto::sha256(concat({Bytes(32), digest}))).bytes(as_bytes("a b c")).take();
    machine.log = Bytes(size);
    const Agent agent{machine};
    ASSERT_TRUE(agent.error) << size;
    EXPECT_EQ(agent.error->code, EventLogError::bad_wal);
    EXPECT_EQ(machine.registers.at(16), Bytes(32));
  }
}

TEST(AgentEventLog, an_extension_that_failed_leaves_no_trace) {
  Machine machine;
  const Agent agent{machine};
  machine.extend_fails_once = true;
  EXPECT_EQ(agent.log->extend(17, "a", "b", "c").error().code, EvidenceError::device_failed);
  expect_consistent(machine, 0);
  EXPECT_TRUE(agent.log->extend(17, "a", "b", "c"));
  expect_consistent(machine, 1);
}

TEST(AgentEventLog, an_extension_that_only_seemed_to_fail_is_logged) {
  Machine machine;
  const Agent agent{machine};
  machine.extend_lies_once = true;
  EXPECT_TRUE(agent.log->extend(17, "a", "b", "c"));
  expect_consistent(machine, 1);
}

TEST(AgentEventLog, the_next_call_finishes_what_the_last_could_not) {
  Machine machine;
  const Agent agent{machine};
  machine.steps_left = 3;
  EXPECT_FALSE(agent.log->extend(17, "a", "b", "first"));
  EXPECT_FALSE(agent.log->extend(17, "a", "b", "second"));
  machine.steps_left = 1000;
  EXPECT_TRUE(agent.log->extend(17, "a", "b", "third"));
  expect_consistent(machine, 2);
}

TEST(AgentEventLog, a_register_that_cannot_be_read_is_not_extended) {
  Machine machine;
  const Agent agent{machine};
  machine.reads_fail = true;
  EXPECT_EQ(agent.log->extend(17, "a", "b", "c").error().code, EvidenceError::device_failed);
  EXPECT_EQ(machine.registers.at(17), Bytes(32));
  EXPECT_FALSE(machine.wal);
}

TEST(AgentEventLog, events_that_cannot_be_read_back_are_refused) {
  Machine machine;
  const Agent agent{machine};
  const auto refusal = [&](std::string_view domain, std::string_view operation, std::string_view content) {
    const auto out = agent.log->extend(17, domain, operation, content);
    EXPECT_FALSE(out);
    return out ? ErrorCode{EventLogError::bad_wal} : out.error().code;
  };
  EXPECT_EQ(refusal("", "b", "c"), EventLogError::bad_entry);
  EXPECT_EQ(refusal("a", "", "c"), EventLogError::bad_entry);
  EXPECT_EQ(refusal("a a", "b", "c"), EventLogError::bad_entry);
  EXPECT_EQ(refusal("a", "b b", "c"), EventLogError::bad_entry);
  EXPECT_EQ(refusal("a", "b", "c\nd"), EventLogError::bad_entry);
  EXPECT_EQ(refusal("a\n", "b", "c"), EventLogError::bad_entry);
  EXPECT_EQ(refusal("a", "b", "\xff"), EventLogError::bad_entry);
  EXPECT_EQ(refusal("a", "b", std::string(70000, 'c')), EventLogError::bad_entry);
  expect_consistent(machine, 0);
}

TEST(AgentEventLog, a_register_that_the_machine_lacks_is_refused) {
  Machine machine;
  EXPECT_EQ(Agent{machine}.log->extend(3, "a", "b", "c").error().code, EvidenceError::not_supported);
  machine.registers.clear();
  EXPECT_EQ(Agent{machine}.error->code, EvidenceError::not_supported);
}

TEST(AgentEventLog, a_log_that_is_full_takes_no_more) {
  Machine machine;
  machine.log = Bytes(max_log_size - 10);
  EXPECT_EQ(Agent{machine}.log->extend(17, "a", "b", "c").error().code, EventLogError::too_large);
}

TEST(AgentEventLog, calls_from_several_threads_are_serialised) {
  Machine machine;
  const Agent agent{machine};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10; ++n) EXPECT_TRUE(agent.log->extend(17, "a", "b", "c"));
    });
  }
  threads.clear();
  expect_consistent(machine, 40);
}

class Files : public testing::Test {
 protected:
  Files() {
    std::string name = (fs::temp_directory_path() / "coffer-aael-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~Files() override { fs::remove_all(root_); }
  AgentLogPaths paths() const { return {root_ / "run/eventlog", root_ / "run/.wal_event_entry"}; }
  void write(const fs::path& file, ByteView content) {
    fs::create_directories(file.parent_path());
    std::ofstream{file, std::ios::binary}.write(reinterpret_cast<const char*>(content.data()),
                                                static_cast<std::streamsize>(content.size()));
  }
  fs::path root_;
};

TEST_F(Files, hold_log_and_write_ahead_entry_for_their_owner_alone) {
  const auto storage = file_storage(paths());
  EXPECT_EQ(*storage->read_log(), Bytes{});
  EXPECT_FALSE(*storage->read_wal());
  EXPECT_TRUE(storage->remove_wal());
  EXPECT_TRUE(storage->write_wal(as_bytes("ahead")));
  EXPECT_EQ(to_text(**storage->read_wal()), "ahead");
  EXPECT_TRUE(storage->append_log(0, as_bytes("first")));
  EXPECT_TRUE(storage->append_log(5, as_bytes("second")));
  EXPECT_TRUE(storage->append_log(5, as_bytes("third")));
  EXPECT_EQ(to_text(*storage->read_log()), "firstthird");
  EXPECT_TRUE(storage->remove_wal());
  EXPECT_FALSE(*storage->read_wal());
  EXPECT_EQ(fs::status(paths().log).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

// Two programs of one machine: each has its own object, and the files between them.
TEST_F(Files, keep_processes_out_of_each_others_way) {
  Machine machine;
  const FakeAttester attester{machine};
  std::vector<std::jthread> programs;
  for (int i = 0; i < 3; ++i) {
    programs.emplace_back([&] {
      const auto log = AgentEventLog::open(attester, file_storage(paths()));
      for (int n = 0; n < 5; ++n) EXPECT_TRUE((*log)->extend(17, "a", "b", "c"));
    });
  }
  programs.clear();
  const auto whole =
      *combine_logs(std::nullopt, *file_storage(paths())->read_log(), LogWriter{{HashAlgorithm::sha256}}.log());
  EXPECT_EQ(*EventLog::parse(*whole)->replay(17, HashAlgorithm::sha256), machine.registers.at(17));
}

TEST_F(Files, are_held_by_who_reads_registers_and_log_together) {
  EXPECT_EQ(*hold_agent_log(paths()), nullptr);
  const auto storage = file_storage(paths());
  {
    const auto alone = *storage->lock();
  }
  auto held = *hold_agent_log(paths());
  ASSERT_NE(held, nullptr);
  EXPECT_NE(*hold_agent_log(paths()), nullptr);
  std::atomic<bool> extended = false;
  std::jthread writer{[&] {
    const auto alone = *storage->lock();
    extended = true;
  }};
  std::this_thread::sleep_for(std::chrono::milliseconds{20});
  EXPECT_FALSE(extended);
  held.reset();
  writer.join();
  EXPECT_TRUE(extended);
}

TEST_F(Files, that_another_process_left_half_done_are_finished_first) {
  Machine machine;
  machine.registers[16] = Bytes(32, std::byte{1});  // so that the entry fits one register
  const FakeAttester attester{machine};
  const auto log = *AgentEventLog::open(attester, file_storage(paths()));
  const auto after = crypto::sha256(concat({Bytes(32), crypto::sha256(agent_event_data("killed b c"))}));
  const auto wal = ByteWriter{}.u64_be(0).bytes(after).bytes(as_bytes("killed b c")).take();
  ASSERT_TRUE(file_storage(paths())->write_wal(wal));
  ASSERT_TRUE(log->extend(17, "a", "b", "c"));
  const auto content = to_text(*file_storage(paths())->read_log());
  EXPECT_THAT(content, HasSubstr("killed b c"));
  EXPECT_THAT(content, HasSubstr("a b c"));
}

TEST_F(Files, that_cannot_be_written_are_an_error) {
  write(root_ / "run", as_bytes("no directory"));
  const auto storage = file_storage(paths());
  EXPECT_EQ(storage->write_wal({}).error().code, EventLogError::storage_failed);
  EXPECT_EQ(storage->append_log(0, {}).error().code, EventLogError::storage_failed);
  fs::create_directories(root_ / "other/eventlog");
  EXPECT_EQ(file_storage({root_ / "other/eventlog", root_ / "other/wal"})->append_log(0, {}).error().code,
            EventLogError::storage_failed);
  EXPECT_EQ(read_log_file(root_ / "other").error().code, EventLogError::storage_failed);
}

TEST_F(Files, that_are_too_large_are_refused) {
  write(root_ / "large", Bytes(max_log_size + 1));
  EXPECT_EQ(read_log_file(root_ / "large").error().code, EventLogError::too_large);
}

Bytes ccel() {
  LogWriter out{{HashAlgorithm::sha384}};
  out.add(1, EventType::separator, as_bytes("0000"));
  return out.log();
}

TEST(CombinedLog, is_ccel_up_to_its_mark_then_the_agents_entries_then_a_mark) {
  auto padded = ccel();
  padded.insert(padded.end(), 1000, std::byte{0xff});
  const auto entry = agent_event_entry({4, HashAlgorithm::sha384}, "a b c");
  const auto combined = combine_logs(padded, entry);
  ASSERT_TRUE(combined);
  EXPECT_EQ(**combined, concat({ccel(), entry, Bytes(8, std::byte{0xff})}));
  EXPECT_EQ(EventLog::parse(**combined)->events().size(), 2U);
}

TEST(CombinedLog, begins_with_a_header_where_there_is_no_ccel) {
  const auto entry = agent_event_entry({4, HashAlgorithm::sha384}, "a b c");
  const auto combined = combine_logs(std::nullopt, entry);
  ASSERT_TRUE(combined);
  EXPECT_EQ(**combined, concat({agent_log_header(), entry, Bytes(8, std::byte{0xff})}));
  EXPECT_EQ(EventLog::parse(**combined)->replay(4, HashAlgorithm::sha384)->size(), 48U);
}

TEST(CombinedLog, is_nothing_where_there_is_neither) {
  EXPECT_FALSE(*combine_logs(std::nullopt, {}));
}

TEST(CombinedLog, a_ccel_that_does_not_parse_is_an_error) {
  EXPECT_EQ(combine_logs(Bytes(5), {}).error().code, EventLogError::truncated);
}

TEST_F(Files, combined_log_is_read_from_where_kernel_and_agent_keep_it) {
  EXPECT_FALSE(*read_combined_log(root_));
  write(root_ / "sys/firmware/acpi/tables/data/CCEL", ccel());
  const auto entry = agent_event_entry({4, HashAlgorithm::sha384}, "a b c");
  write(root_ / "run/attestation-agent/eventlog", entry);
  EXPECT_EQ(**read_combined_log(root_), concat({ccel(), entry, Bytes(8, std::byte{0xff})}));
}

TEST(AgentLogPaths, environment_names_the_log) {
  ::setenv("AAEL_PATH", "/elsewhere/eventlog", 1);
  EXPECT_EQ(AgentLogPaths::from_environment().log, "/elsewhere/eventlog");
  EXPECT_EQ(AgentLogPaths::from_environment("/machine").log, "/machine/elsewhere/eventlog");
  EXPECT_EQ(AgentLogPaths::from_environment("/machine").wal, "/machine/run/attestation-agent/.wal_event_entry");
  ::setenv("AAEL_PATH", "", 1);
  EXPECT_EQ(AgentLogPaths::from_environment().log, "/run/attestation-agent/eventlog");
  ::unsetenv("AAEL_PATH");
  EXPECT_EQ(AgentLogPaths::from_environment().log, "/run/attestation-agent/eventlog");
}

}  // namespace
}  // namespace coffer::evidence::eventlog
