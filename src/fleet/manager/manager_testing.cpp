#include "fleet/manager/manager_testing.h"

namespace coffer::fleet::manager::testing {

Result<> RecordingOutbox::send(Topic topic, std::string payload) {
  if (failure) return fail(*failure);
  std::optional<InvokeCommand> invoked;
  {
    const std::scoped_lock lock(mutex_);
    if (topic == Topic::start) starts_.push_back(parse_start(payload).value());
    if (topic == Topic::stop) stops_.push_back(parse_stop(payload).value());
    if (topic == Topic::invoke) invokes_.push_back(invoked.emplace(parse_invoke(payload).value()));
  }
  if (invoked && on_invoke) on_invoke(*invoked);
  return {};
}

Result<> RecordingOutbox::post(Topic topic, std::string payload, Done done) {
  TRY(send(topic, std::move(payload)));
  if (holds) {
    waiting.push_back(std::move(done));
  } else {
    done({});
  }
  return {};
}

std::vector<StartCommand> RecordingOutbox::starts() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(starts_, {});
}

std::vector<StopCommand> RecordingOutbox::stops() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(stops_, {});
}

std::vector<InvokeCommand> RecordingOutbox::invokes() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(invokes_, {});
}

Harness::Harness(Engine kind, ManagerOptions settings, std::optional<WorkerTrust> believed,
                 const std::function<void(storage::SqlDatabase&)>& before)
    : engine(kind), options(std::move(settings)), trust(std::move(believed)) {
  if (engine == Engine::postgres) postgres = storage::PostgresServer::shared()->new_database();
  if (before) before(*open_database());
  manager = another();
}

std::unique_ptr<storage::SqlDatabase> Harness::open_database() const {
  auto database = engine == Engine::postgres ? storage::open_postgres_database(postgres)
                                             : storage::open_sqlite_database(directory.path() / "manager.db");
  if (!database) throw std::runtime_error(to_string(database.error()));
  return std::move(*database);
}

std::unique_ptr<Manager> Harness::another() {
  auto made = Manager::create(options, {.database = open_database(),
                                        .outbox = outbox,
                                        .checker = AttestationChecker{trust},
                                        .clock = clock,
                                        .tracer = &tracer});
  if (!made) throw std::runtime_error(to_string(made.error()));
  return std::move(*made);
}

void Harness::restart() {
  manager->close();
  manager = another();
}

void Harness::discover(int worker, std::vector<std::string> tags) {
  Discovery discovery{.proplet_id = worker_id(worker)};
  discovery.metadata.tags = std::move(tags);
  discovery.metadata.total_memory_bytes = 1U << 30;
  manager->on_message(Topic::discovery, fleet::to_json(discovery));
}

void Harness::beat(int worker, std::string_view status) {
  manager->on_message(Topic::alive,
                      fleet::to_json(Alive{.proplet_id = worker_id(worker), .status = std::string{status}}));
}

void Harness::beat(int worker, const Capabilities& capabilities) {
  manager->on_message(Topic::alive,
                      fleet::to_json(Alive{.proplet_id = worker_id(worker), .capabilities = capabilities}));
}

void Harness::pass_alive(Duration time, int workers) {
  for (; time > Duration{0}; time -= std::chrono::seconds{5}) {
    clock.advance(std::min<Duration>(time, std::chrono::seconds{5}));
    for (int worker = 1; worker <= workers; ++worker) beat(worker);
    for (int i = 0; i < 5; ++i) manager->tick();
  }
}

Task Harness::create(std::string_view json) {
  auto body = parse_task(json);
  if (!body) throw std::runtime_error(to_string(body.error()));
  return manager->create_task(std::move(*body)).value();
}

Task Harness::start(std::string_view json) {
  const auto task = create(json);
  const auto started = manager->start_task(task.id());
  if (!started) throw std::runtime_error(to_string(started.error()));
  return *started;
}

void Harness::result(const std::string& task, std::string_view results, int worker) {
  const auto id = worker == 0 ? this->task(task).assigned : worker_id(worker);
  manager->on_message(Topic::results,
                      fleet::to_json(TaskResult{.task_id = task, .proplet_id = id, .results = results}));
}

void Harness::failure(const std::string& task, std::string_view error, int worker) {
  const auto id = worker == 0 ? this->task(task).assigned : worker_id(worker);
  manager->on_message(
      Topic::results,
      fleet::to_json(TaskResult{.task_id = task, .proplet_id = id, .results = "", .error = std::string{error}}));
}

StartCommand Harness::next_start() {
  auto starts = outbox.starts();
  if (starts.size() != 1) throw std::runtime_error("one start is expected, found " + std::to_string(starts.size()));
  return starts.front();
}

Client::Client(Harness& harness, Access access, std::string coordinator, std::string_view coordinator_token) {
  rest_ = Rest::create(*harness.manager,
                       {.access = std::move(access),
                        .coordinator_url = std::move(coordinator),
                        .coordinator_token = SecretBytes::copy_of(coordinator_token),
                        .instance_id = "i",
                        .tracer = &harness.tracer},
                       metrics_, harness.clock)
              .value();
}

net::ServerResponse Client::send(std::string_view method, std::string_view target, std::string_view body,
                                 net::Headers headers) {
  const auto question = target.find('?');
  net::ServerRequest request{.method = std::string{method}, .target = std::string{target}};
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  request.headers = std::move(headers);
  request.body = to_bytes(body);
  return rest_->handle(request);
}

codec::json::Value Client::get(std::string_view target, int status) {
  const auto response = send("GET", target);
  EXPECT_EQ(response.status, status) << target << " " << as_text(response.body);
  return codec::json::parse(as_text(response.body)).value_or(codec::json::Value{});
}

codec::json::Value Client::post(std::string_view target, std::string_view body, int status) {
  const auto response = send("POST", target, body);
  EXPECT_EQ(response.status, status) << target << " " << as_text(response.body);
  return codec::json::parse(as_text(response.body)).value_or(codec::json::Value{});
}

std::string text_of(const codec::json::Value& value, std::string_view pointer) {
  const auto* found = value.at_pointer(pointer);
  if (found == nullptr) return "(none)";
  return found->if_string() != nullptr ? *found->if_string() : codec::json::serialize(*found);
}

}  // namespace coffer::fleet::manager::testing
