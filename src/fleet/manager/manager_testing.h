// A manager with a clock that stands still, a list for the wire, and a database in memory or in PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fleet/manager/manager.h"
#include "fleet/manager/rest/rest.h"
#include "storage/postgres_server_testing.h"

namespace coffer::fleet::manager::testing {

class RecordingOutbox final : public Outbox {
 public:
  Result<> send(Topic topic, std::string payload) override;
  Result<> post(Topic topic, std::string payload, Done done) override;
  bool connected() const override { return is_connected; }

  // What was sent since the last call.
  std::vector<StartCommand> starts();
  std::vector<StopCommand> stops();
  std::vector<InvokeCommand> invokes();

  bool is_connected = true;
  std::optional<Error> failure{};  // instead of sending
  std::function<void(const InvokeCommand&)> on_invoke{};
  bool holds = false;                   // what is posted waits
  std::vector<Outbox::Done> waiting{};  // until these are called

 private:
  std::mutex mutex_;
  std::vector<StartCommand> starts_;
  std::vector<StopCommand> stops_;
  std::vector<InvokeCommand> invokes_;
};

inline std::string worker_id(int number) {
  return "00000000-0000-4000-8000-00000000000" + std::to_string(number);
}

enum class Engine { sqlite, postgres };

// A manager, and what it is between.
class Harness {
 public:
  // `before`: what happens to the database before there is a manager.
  explicit Harness(Engine engine = Engine::sqlite, ManagerOptions options = {},
                   std::optional<WorkerTrust> trust = std::nullopt,
                   const std::function<void(storage::SqlDatabase&)>& before = {});

  std::unique_ptr<storage::SqlDatabase> open_database() const;
  // Another manager over the same state (not for Engine::sqlite in memory); the first one ends.
  void restart();
  std::unique_ptr<Manager> another();

  // A heartbeat or discovery as upstream's workers send it.
  void discover(int worker, std::vector<std::string> tags = {});
  void beat(int worker, std::string_view status = "alive");
  void beat(int worker, const Capabilities& capabilities);
  void pass(Duration time) { clock.advance(time); }
  // Time in which the workers 1..n go on to be alive.
  void pass_alive(Duration time, int workers);

  Task create(std::string_view json);
  Task start(std::string_view json);  // create, start
  Task task(const std::string& id) { return manager->task(id).value(); }
  TaskState state(const std::string& id) { return task(id).state; }
  void result(const std::string& task, std::string_view results, int worker = 0);
  void failure(const std::string& task, std::string_view error, int worker = 0);
  // The next start, which is expected.
  StartCommand next_start();

  FixedClock clock{parse_rfc3339("2026-01-01T00:00:00Z").value()};
  RecordingOutbox outbox;
  net::Tracer tracer{};  // records nothing, unless a test puts another in its place
  storage::PostgresOptions postgres{};
  TemporaryDirectory directory;
  Engine engine;
  ManagerOptions options;
  std::optional<WorkerTrust> trust;
  std::unique_ptr<Manager> manager;
};

inline constexpr Engine engines[] = {Engine::sqlite, Engine::postgres};
inline std::string engine_name(const ::testing::TestParamInfo<Engine>& info) {
  return info.param == Engine::sqlite ? "sqlite" : "postgres";
}

// A test over each database that is installed. Instantiate with `engines` and `engine_name`.
class DatabasesTest : public ::testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (GetParam() == Engine::postgres && storage::PostgresServer::shared() == nullptr) {
      GTEST_SKIP() << storage::PostgresServer::missing();
    }
  }
  template <class... Arguments>
  Harness& make(Arguments&&... arguments) {
    made_ = std::make_unique<Harness>(GetParam(), std::forward<Arguments>(arguments)...);
    return *made_;
  }
  Harness& h() { return *made_; }

 private:
  std::unique_ptr<Harness> made_;
};

inline constexpr std::string_view plain_task = R"({"name":"add","image_url":"docker.io/x/add:v1","inputs":[10,"20"]})";

// A request to a Rest over a harness, and its answer.
class Client {
 public:
  explicit Client(Harness& harness, Access access = Access::open(), std::string coordinator = {},
                  std::string_view coordinator_token = {});
  net::ServerResponse send(std::string_view method, std::string_view target, std::string_view body = {},
                           net::Headers headers = {{"Content-Type", "application/json"}});
  // With the expected status; the document.
  codec::json::Value get(std::string_view target, int status = 200);
  codec::json::Value post(std::string_view target, std::string_view body = {}, int status = 200);

 private:
  net::MetricsRegistry metrics_;
  std::unique_ptr<Rest> rest_;
};

std::string text_of(const codec::json::Value& value, std::string_view pointer);

}  // namespace coffer::fleet::manager::testing
