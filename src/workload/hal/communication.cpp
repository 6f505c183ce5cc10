// elastic:hal/communication: messages to other tasks of this worker, where its operator lets them reach each other.
// Workload ids are task ids.
#include <array>

#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

class Communication final : public Table<Communication> {
 public:
  static constexpr std::string_view id = "elastic:hal/communication@0.1.0";
  static std::span<const Function<Communication>> table();
  explicit Communication(const Context& context)
      : exchange_(context.services.exchange), self_{context.task.id, context.task.encrypted} {
    if (exchange_) inbox_ = exchange_->join(self_);
  }

 private:
  Result<Value> send(Arguments& arguments) {
    Message message{.sender = self_.id};
    message.recipient = TRY(arguments.text());
    message.payload = to_bytes(TRY(arguments.bytes()));
    message.encrypted = TRY(arguments.boolean());
    TRY(check_allowed());
    return Value(TRY(exchange_->send(self_, std::move(message))));
  }
  Result<Value> receive(Arguments&) {
    TRY(check_allowed());
    auto message = Exchange::receive(*inbox_);
    if (!message) return Value{};
    return Value{codec::cbor::Array{
        record(field("sender", std::move(message->sender)), field("recipient", std::move(message->recipient)),
               field("payload", std::move(message->payload)), field("encrypted", message->encrypted))}};
  }
  Result<Value> list(Arguments&) {
    TRY(check_allowed());
    codec::cbor::Array out;
    for (auto& other : exchange_->others(self_)) out.emplace_back(std::move(other));
    return Value{std::move(out)};
  }

  Result<> check_allowed() const {
    if (exchange_) return {};
    return fail(HalError::denied, "tasks of this worker do not reach each other (PROPLET_HAL_COMMUNICATION)");
  }

  const std::shared_ptr<Exchange> exchange_;
  const Exchange::Member self_;
  std::shared_ptr<Exchange::Inbox> inbox_;
};

std::span<const Function<Communication>> Communication::table() {
  static constexpr std::array<Function<Communication>, 3> functions = {{
      {"send-message", 3, &Communication::send},
      {"receive-message", 0, &Communication::receive},
      {"list-workloads", 0, &Communication::list},
  }};
  return functions;
}

}  // namespace

std::unique_ptr<Interface> make_communication(const Context& context) {
  return std::make_unique<Communication>(context);
}

}  // namespace coffer::workload::hal
