// elastic:hal/sockets, for the addresses that the worker's operator lists; without a list, for none.
#include <array>

#include "base/log.h"
#include "workload/hal/handles.h"
#include "workload/hal/interface.h"
#include "workload/hal/socket.h"

namespace coffer::workload::hal {
namespace {

constexpr std::array<std::string_view, 4> protocol_names = {"tcp", "udp", "tls", "dtls"};
constexpr std::array<std::string_view, 2> address_fields = {"ip", "port"};
constexpr std::size_t max_sockets = 64;

class Sockets final : public Table<Sockets> {
 public:
  static constexpr std::string_view id = "elastic:hal/sockets@0.1.0";
  static std::span<const Function<Sockets>> table();
  explicit Sockets(const Context& context) : context_(context) {}

 private:
  Result<Value> create(Arguments& arguments) {
    const auto protocol = TRY(arguments.choice(protocol_names));
    if (context_.services.connect.empty() && context_.services.listen.empty()) {
      return fail(HalError::denied, "this worker's tasks have no sockets (PROPLET_HAL_SOCKETS_CONNECT, _LISTEN)");
    }
    // An address alone says neither whose certificate is expected nor which is one's own.
    if (protocol > 1) return fail(HalError::unsupported, "TLS and DTLS need names and certificates, which 0.1.0 lacks");
    const auto kind = protocol == 0 ? Socket::Kind::tcp : Socket::Kind::udp;
    return Value(TRY(sockets_.add(std::make_shared<Socket>(kind, context_.waiting))));
  }
  Result<Value> bind(Arguments& arguments) {
    const auto socket = TRY(sockets_.get(TRY(arguments.u64())));
    const auto address = TRY(allowed(arguments, context_.services.listen, "listen on"));
    TRY(socket->bind(address));
    return nothing();
  }
  Result<Value> listen(Arguments& arguments) {
    const auto socket = TRY(sockets_.get(TRY(arguments.u64())));
    TRY(socket->listen(TRY(arguments.u32())));
    return nothing();
  }
  Result<Value> connect(Arguments& arguments) {
    const auto socket = TRY(sockets_.get(TRY(arguments.u64())));
    const auto address = TRY(allowed(arguments, context_.services.connect, "connect to"));
    TRY(socket->connect(address));
    context_.events.record(EventType::network, "connected", address.text());
    return nothing();
  }
  Result<Value> accept(Arguments& arguments) {
    const auto socket = TRY(sockets_.get(TRY(arguments.u64())));
    auto accepted = TRY(socket->accept());
    context_.events.record(EventType::network, "accepted");
    return Value(TRY(sockets_.add(std::move(accepted))));
  }
  Result<Value> send(Arguments& arguments) {
    const auto socket = TRY(sockets_.get(TRY(arguments.u64())));
    return Value(TRY(socket->send(TRY(arguments.bytes()))));
  }
  Result<Value> receive(Arguments& arguments) {
    const auto socket = TRY(sockets_.get(TRY(arguments.u64())));
    return Value(TRY(socket->receive(TRY(arguments.u32()))));
  }
  Result<Value> close(Arguments& arguments) {
    TRY(sockets_.remove(TRY(arguments.u64())));
    context_.events.record(EventType::network, "closed");
    return nothing();
  }

  Result<SocketAddress> allowed(Arguments& arguments, const AddressList& list, std::string_view what) const {
    const auto address_record = TRY(arguments.record(address_fields));
    Arguments fields(address_record);
    const auto ip = TRY(fields.text());
    const auto address = TRY(SocketAddress::parse(ip, TRY(fields.u16())));
    if (list.contains(address)) return address;
    log::warn("worker.hal_denied", "a task may not " + std::string{what} + " this address",
              {{"task", context_.task.id}, {"address", address.text()}});
    return fail(HalError::denied, "this worker's tasks may not " + std::string{what} + " " + address.text());
  }

  const Context context_;
  Handles<Socket> sockets_{"socket", max_sockets};
};

std::span<const Function<Sockets>> Sockets::table() {
  static constexpr std::array<Function<Sockets>, 8> functions = {{
      {"create-socket", 1, &Sockets::create},
      {"bind", 2, &Sockets::bind},
      {"listen", 2, &Sockets::listen},
      {"connect", 2, &Sockets::connect},
      {"accept", 1, &Sockets::accept},
      {"send", 2, &Sockets::send},
      {"receive", 2, &Sockets::receive},
      {"close", 1, &Sockets::close},
  }};
  return functions;
}

}  // namespace

std::unique_ptr<Interface> make_sockets(const Context& context) {
  return std::make_unique<Sockets>(context);
}

}  // namespace coffer::workload::hal
