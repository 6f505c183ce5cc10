#include "net/detail/mqtt_session.h"

#include <arpa/inet.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/printable.h"
#include "net/detail/mqtt_codes.h"

namespace coffer::net::detail {
namespace {

using SteadyClock = std::chrono::steady_clock;

int milliseconds_until(SteadyClock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

void initialise_library() {
  static std::once_flag once;
  std::call_once(once, [] { mosquitto_lib_init(); });
}

constexpr std::size_t most_held = 64;

bool is_v5(const MqttOptions& options) {
  return options.version == MqttOptions::Version::v5;
}

// Waits for a TCP connection under way. NetError::refused, unreachable, timeout, cancelled.
Result<> wait_established(int socket, const MqttSession::Setup& setup, SteadyClock::time_point deadline) {
  std::array<pollfd, 2> sources{
      {{.fd = socket, .events = POLLOUT, .revents = 0}, {.fd = setup.wake->fd(), .events = POLLIN, .revents = 0}}};
  while (true) {
    const int ready = ::poll(sources.data(), sources.size(), milliseconds_until(deadline));
    if (ready == 0) return fail(NetError::timeout, "the broker at " + setup.address.text() + " did not answer in time");
    if (ready > 0 && sources[1].revents != 0) {
      setup.wake->clear();
      if (setup.give_up()) return fail(NetError::cancelled, "the client was stopped");
    }
    if (ready > 0 && sources[0].revents != 0) break;
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(connect_error(error, setup.address.text()));
  return {};
}

// libmosquitto announces a largest packet only in the one call that blocks in connect(2) for as long as the system
// likes. So that it does not, the address is tried first.
Result<> try_address(const std::string& number, const MqttSession::Setup& setup, SteadyClock::time_point deadline) {
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(setup.address.port);
  const bool is_v4 = ::inet_pton(AF_INET, number.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && ::inet_pton(AF_INET6, number.c_str(), &v6.sin6_addr) != 1) return {};  // with a zone: libmosquitto's
  const FileDescriptor probe{::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int code = is_v4 ? ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&v4), sizeof v4)
                         : ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  if (code != 0 && errno != EINPROGRESS) return fail(connect_error(errno, setup.address.text()));
  return wait_established(probe.get(), setup, deadline);
}

int connect_v5(mosquitto* handle, const std::string& number, const MqttOptions& options, int port, int keep_alive) {
  mosquitto_property* properties = nullptr;
  const auto largest = static_cast<std::uint32_t>(std::min<std::size_t>(options.max_packet_size, 268'435'455));
  mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, largest);
  const int code = mosquitto_connect_bind_v5(handle, number.c_str(), port, keep_alive, nullptr, properties);
  mosquitto_property_free_all(&properties);
  return code;
}

}  // namespace

Result<std::unique_ptr<MqttSession>> MqttSession::open(const Setup& setup, SteadyClock::time_point deadline) {
  initialise_library();
  const auto numbers = TRY(resolve(setup.address));
  Result<> outcome;
  for (const std::string& number : numbers) {
    const MqttOptions& options = setup.options;
    const char* id = options.client_id.empty() ? nullptr : options.client_id.c_str();
    auto* handle = mosquitto_new(id, id == nullptr || !options.durable_session, nullptr);
    if (handle == nullptr) return fail(NetError::bad_configuration, "libmosquitto made no client");
    std::unique_ptr<MqttSession> session{new MqttSession{options, handle, setup}};
    TRY(session->configure(setup.tls));
    outcome = session->connect(number, setup, deadline);
    if (outcome) return session;
    if (outcome.error().code == NetError::cancelled || outcome.error().code == NetError::timeout) break;
  }
  return fail(std::move(outcome.error()));
}

MqttSession::~MqttSession() {
  mosquitto_destroy(handle_);
}

Result<> MqttSession::configure(SSL_CTX* tls) {
  mosquitto_user_data_set(handle_, this);
  mosquitto_connect_callback_set(handle_, on_connect);
  mosquitto_log_callback_set(handle_, on_log);
  mosquitto_message_callback_set(handle_, on_message);
  mosquitto_publish_v5_callback_set(handle_, [](mosquitto*, void* self, int id, int reason, const mosquitto_property*) {
    static_cast<MqttSession*>(self)->events_.published.push_back({id, reason});
  });
  mosquitto_subscribe_callback_set(handle_, [](mosquitto*, void* self, int id, int count, const int* granted) {
    static_cast<MqttSession*>(self)->events_.subscribed.push_back({id, count > 0 ? granted[0] : 0x80});
  });
  mosquitto_int_option(handle_, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(handle_, MOSQ_OPT_PROTOCOL_VERSION, is_v5(options_) ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(handle_, MOSQ_OPT_SEND_MAXIMUM, 65'535);  // the outbox holds back what is too much
  if (tls != nullptr) {
    mosquitto_int_option(handle_, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    mosquitto_void_option(handle_, MOSQ_OPT_SSL_CTX, tls);
  }
  if (!options_.username.empty()) {
    SecretBytes password{options_.password.size() + 1};  // with the zero at its end
    std::memcpy(password.mutable_expose().data(), options_.password.expose().data(), options_.password.size());
    TRY(check(mosquitto_username_pw_set(handle_, options_.username.c_str(),
                                        reinterpret_cast<const char*>(password.expose().data()))));
  }
  if (!options_.last_will) return {};
  const MqttMessage& will = *options_.last_will;
  return check(mosquitto_will_set(handle_, will.topic.c_str(), static_cast<int>(will.payload.size()),
                                  will.payload.data(), will.qos, will.retain));
}

Result<> MqttSession::connect(const std::string& number, const Setup& setup, SteadyClock::time_point deadline) {
  const auto keep_alive = std::chrono::ceil<std::chrono::seconds>(options_.keep_alive).count();
  const int seconds = static_cast<int>(std::clamp<std::int64_t>(keep_alive, 5, 65'535));
  if (is_v5(options_)) {
    TRY(try_address(number, setup, deadline));
    const int code = connect_v5(handle_, number, options_, setup.address.port, seconds);
    if (code != MOSQ_ERR_SUCCESS) return check(code);
    return settle_socket();
  }
  const int code = mosquitto_connect_async(handle_, number.c_str(), setup.address.port, seconds);
  if (code == MOSQ_ERR_ERRNO) return fail(connect_error(errno, setup.address.text()));
  if (code != MOSQ_ERR_SUCCESS && code != MOSQ_ERR_CONN_PENDING) return check(code);
  TRY(wait_established(mosquitto_socket(handle_), setup, deadline));
  return settle_socket();
}

// A TLS handshake that was begun before there was a connection goes on only when it is told to.
Result<> MqttSession::settle_socket() {
  return tls_ ? check(mosquitto_loop_read(handle_, 1)) : Result<>{};
}

// What libmosquitto has to say while messages are held may be their acknowledgement. Brokers have a bound of messages
// on their way; one that has none is given one.
short MqttSession::wanted() const {
  const auto held = held_->count();
  const bool readable = held < most_held, writable = held == 0 && mosquitto_want_write(handle_);
  return static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
}

Result<> MqttSession::step(const Wake& wake, Duration longest) {
  const int socket = mosquitto_socket(handle_);
  if (socket < 0) return check(MOSQ_ERR_CONN_LOST);
  std::array<pollfd, 2> sources{
      {{.fd = socket, .events = wanted(), .revents = 0}, {.fd = wake.fd(), .events = POLLIN, .revents = 0}}};
  ::poll(sources.data(), sources.size(), static_cast<int>(longest.count()));
  if (sources[1].revents != 0) wake.clear();
  const short found = sources[0].revents;
  if ((found & POLLOUT) != 0) TRY(check(mosquitto_loop_write(handle_, 1)));
  const bool shaking_hands = tls_ && !accepted_ && found != 0;
  if (shaking_hands || (found & (POLLIN | POLLERR | POLLHUP)) != 0) {
    TRY(check(mosquitto_loop_read(handle_, 1)));
    // Linux takes the flag back by itself; without it each step of QoS 2 waits 40 ms for the other side's ACK.
    const int on = 1;
    if (const int open = mosquitto_socket(handle_); open >= 0)
      ::setsockopt(open, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  }
  if (refusal_) return fail(*refusal_);
  if ((found & (POLLERR | POLLHUP)) != 0 && !accepted_ && (found & POLLIN) == 0) return check(MOSQ_ERR_CONN_LOST);
  return check(mosquitto_loop_misc(handle_));
}

Result<> MqttSession::check(int code) {
  if (refusal_) return fail(*refusal_);
  if (code == MOSQ_ERR_SUCCESS) return {};
  return fail(library_error(code, code == MOSQ_ERR_TLS || (tls_ && !accepted_) ? last_log_ : std::string{}));
}

Result<int> MqttSession::subscribe(const std::string& filter, int qos) {
  int id = 0;
  TRY(check(mosquitto_subscribe(handle_, &id, filter.c_str(), qos)));
  return id;
}

Result<int> MqttSession::publish(const MqttMessage& message) {
  int id = 0;
  TRY(check(mosquitto_publish(handle_, &id, message.topic.c_str(), static_cast<int>(message.payload.size()),
                              message.payload.data(), message.qos, message.retain)));
  return id;
}

void MqttSession::disconnect() {
  if (held_->count() != 0) return;
  mosquitto_disconnect(handle_);
  mosquitto_loop_write(handle_, 1);
}

void MqttSession::on_connect(mosquitto*, void* self, int code) {
  auto& session = *static_cast<MqttSession*>(self);
  session.accepted_ = code == 0;
  session.events_.accepted = code == 0;
  // From here on it queues what it has to say, and mosquitto_loop_write() alone writes.
  if (session.options_.hold_acknowledgements) mosquitto_threaded_set(session.handle_, true);
  if (code != 0) session.refusal_ = refusal_error(code, is_v5(session.options_));
}

void MqttSession::on_log(mosquitto*, void* self, int level, const char* text) {
  if (level == MOSQ_LOG_ERR) static_cast<MqttSession*>(self)->last_log_ = printable(text, 256);
}

void MqttSession::on_message(mosquitto*, void* self, const mosquitto_message* message) {
  auto& session = *static_cast<MqttSession*>(self);
  const auto size = static_cast<std::size_t>(message->payloadlen);
  if (size > session.options_.max_packet_size) {
    ++session.events_.oversized;
    return;
  }
  const ByteView payload{static_cast<const std::byte*>(message->payload), size};
  auto& received = session.events_.received.emplace_back();
  received = {.topic = message->topic, .payload = to_bytes(payload), .qos = message->qos, .retain = message->retain};
  if (session.options_.hold_acknowledgements && message->qos == 1) received.receipt = session.held_->receipt();
}

}  // namespace coffer::net::detail
