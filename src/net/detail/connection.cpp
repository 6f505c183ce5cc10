#include "net/detail/connection.h"

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"
#include "net/detail/response_head.h"

namespace coffer::net::detail {
namespace {

namespace asio = boost::asio;

constexpr std::size_t head_read_size = 4U << 10;
constexpr std::size_t body_read_size = 64U << 10;
// How long and how much a refused peer may go on sending so that it gets to read why (RFC 9112 section 9.6).
constexpr Duration linger_time = std::chrono::seconds{2};
constexpr std::size_t linger_size = 16U << 20;
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

// What a handler throws is for the log; the peer learns only that it was our fault.
ServerResponse run_handler(const Handler& handler, const ServerRequest& request) {
  const auto blame = [&](std::string_view what) {
    log::error("net.handler_failed", what, {{"method", request.method}, {"path", request.path}});
    return plain_answer(500, "internal error");
  };
  try {
    auto response = handler(request);
    if (!is_sendable(response)) return blame("the handler's answer is no valid HTTP response");
    return response;
  } catch (const std::exception& e) {
    return blame(e.what());
  } catch (...) {
    return blame("an exception of unknown type");
  }
}

}  // namespace

Connection::Connection(ServerShared& shared, IoThread& home, asio::ip::tcp::socket socket)
    : shared_(shared), home_(home), transport_(std::move(socket), shared.tls.get()), peer_(transport_.peer()) {
  ++shared_.connections;
}

Connection::~Connection() {
  transport_.close();
  --shared_.connections;
}

asio::awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  auto& home = self->home_;
  home.add(*self);
  try {
    co_await self->serve();
  } catch (const std::exception& e) {
    log::error("net.connection_failed", e.what(), {{"peer", self->peer_}});
  }
  home.remove(*self);
}

asio::awaitable<void> Connection::serve() {
  enter(Phase::handshake, shared_.options.head_timeout);
  const bool ready = co_await transport_.handshake();
  if (!ready || expired_) co_return;
  certificate_ = transport_.certificate();
  for (;;) {
    const bool more = co_await serve_one();
    if (!more) break;
  }
  if (!expired_) co_await linger();
}

asio::awaitable<bool> Connection::serve_one() {
  RequestParser parser({shared_.options.max_head_size, shared_.options.max_body_size});
  const auto outcome = co_await read_request(parser);
  if (outcome == Outcome::closed) co_return false;
  if (outcome == Outcome::timed_out) {
    expired_ = false;
    const Refusal late{408, "the request took too long to arrive"};
    co_return co_await refuse(late);
  }
  if (outcome == Outcome::refused) co_return co_await refuse(*parser.refusal());

  if (input_.empty()) input_ = {};  // thousands of idle connections shall not hold a body's buffer each
  const bool wants_more = parser.keep_alive();
  auto request = parser.take();
  const bool to_head_request = request.method == "HEAD";
  request.peer = peer_;
  request.tls = transport_.is_tls();
  request.certificate = certificate_;
  enter_without_limit(Phase::handling);
  const auto response = co_await handle(std::move(request));
  const bool keep_alive = wants_more && !shared_.stopping;
  const bool written = co_await answer(response, keep_alive, to_head_request);
  co_return written&& keep_alive;
}

asio::awaitable<Connection::Outcome> Connection::read_request(RequestParser& parser) {
  enter(Phase::idle, first_ ? shared_.options.head_timeout : shared_.options.idle_timeout);
  first_ = false;
  bool continued = false;
  for (;;) {
    feed(parser);
    if (parser.refusal()) co_return Outcome::refused;
    if (parser.done()) co_return Outcome::request;
    if (shared_.stopping && phase_ <= Phase::head) co_return Outcome::closed;
    if (parser.head_done() && parser.expects_continue() && !continued) {
      continued = true;
      const bool written = co_await transport_.write(continue_line, {});
      if (!written) co_return Outcome::closed;
    }
    const bool more = co_await read_more();
    if (expired_) co_return parser.started() ? Outcome::timed_out : Outcome::closed;
    if (!more) co_return Outcome::closed;
  }
}

// Hands what has arrived to the parser, and moves the phase, and with it the deadline, along.
void Connection::feed(RequestParser& parser) {
  if (!input_.empty()) input_.erase(0, parser.put(input_));
  if (phase_ == Phase::idle && parser.started()) enter(Phase::head, shared_.options.head_timeout);
  if (phase_ == Phase::head && parser.head_done()) enter(Phase::body, shared_.options.body_timeout);
}

asio::awaitable<bool> Connection::read_more() {
  const auto before = input_.size();
  input_.resize(before + (phase_ == Phase::body ? body_read_size : head_read_size));
  const asio::mutable_buffer space{input_.data() + before, input_.size() - before};
  const auto size = co_await transport_.read_some(space);
  input_.resize(before + size);
  co_return size > 0;
}

// One hop into the pool and back. Neither lambda is a coroutine.
asio::awaitable<ServerResponse> Connection::handle(ServerRequest request) {
  const auto initiate = [this](auto completion, ServerRequest arrived) {
    WorkerPool::Job job = [this, done = std::move(completion),
                           incoming = std::move(arrived)](WorkerPool::Turn turn) mutable {
      auto response = turn == WorkerPool::Turn::run ? run_handler(shared_.handler, incoming) : overloaded_answer();
      wipe(incoming.body);  // a body may be a key on its way into a store
      asio::post(home_.context(), [done = std::move(done), answer = std::move(response)]() mutable {
        std::move(done)(std::move(answer));
      });
    };
    if (!shared_.pool.try_submit(job)) job(WorkerPool::Turn::cancelled);
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(ServerResponse)>(
      initiate, asio::use_awaitable, std::move(request));
}

asio::awaitable<bool> Connection::answer(const ServerResponse& response, bool keep_alive, bool to_head_request) {
  enter(Phase::writing, shared_.options.body_timeout);
  const auto head = response_head(response, {.keep_alive = keep_alive, .date = home_.http_date()});
  const bool with_body = !to_head_request && allows_body(response.status);
  const auto body = with_body ? as_text(response.body) : std::string_view{};
  const bool written = co_await transport_.write(head, body);
  co_return written && !expired_;
}

// Always the last answer of a connection: what follows in the stream cannot be told apart any more.
asio::awaitable<bool> Connection::refuse(const Refusal& refusal) {
  drain_ = true;
  const auto& form = shared_.options.refusal;
  const auto response = form ? form(refusal.status, refusal.text) : plain_answer(refusal.status, refusal.text);
  co_await answer(response, false, false);
  co_return false;
}

// A socket closed with unread input sends a reset, which may overtake the answer. So: stop sending, read off what
// comes.
asio::awaitable<void> Connection::linger() {
  enter(Phase::lingering, std::min(linger_time, shared_.options.body_timeout));
  if (!transport_.is_tls() || !drain_) co_await transport_.shutdown();
  for (std::size_t taken = 0; taken < linger_size && !expired_ && !shared_.stopping;) {
    input_.resize(body_read_size);
    const auto size = co_await transport_.read_some(asio::mutable_buffer{input_.data(), input_.size()});
    if (size == 0) break;
    taken += size;
  }
}

void Connection::enter(Phase phase, Duration limit) {
  phase_ = phase;
  deadline_ = std::chrono::steady_clock::now() + limit;
}

void Connection::enter_without_limit(Phase phase) {
  phase_ = phase;
  deadline_ = SteadyTime::max();
}

void Connection::check_deadline(SteadyTime now) {
  if (now < deadline_) return;
  deadline_ = SteadyTime::max();
  expired_ = true;
  transport_.cancel();
}

void Connection::stop_if_idle() {
  if (phase_ <= Phase::head || phase_ == Phase::lingering) transport_.close();
}

void Connection::abort() {
  transport_.close();
}

}  // namespace coffer::net::detail
