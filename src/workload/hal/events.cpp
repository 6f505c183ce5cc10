// elastic:hal/events: what this task's own calls of the HAL brought about.
#include <array>

#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

class Events final : public Table<Events> {
 public:
  static constexpr std::string_view id = "elastic:hal/events@0.1.0";
  static std::span<const Function<Events>> table();
  explicit Events(const Context& context) : log_(context.events) {}

 private:
  Result<Value> subscribe(Arguments& arguments) {
    const auto type = static_cast<EventType>(TRY(arguments.choice(event_type_names)));
    return Value(TRY(log_.subscribe(type)));
  }
  Result<Value> unsubscribe(Arguments& arguments) {
    TRY(log_.unsubscribe(TRY(arguments.u64())));
    return nothing();
  }
  Result<Value> poll(Arguments& arguments) {
    codec::cbor::Array out;
    for (const auto& event : TRY(log_.poll(TRY(arguments.u64())))) {
      const std::string type{event_type_names[static_cast<std::size_t>(event.type)]};
      out.push_back(record(field("event-type", type), field("timestamp", event.timestamp),
                           field("payload", to_bytes(event.payload))));
    }
    return Value{std::move(out)};
  }

  EventLog& log_;
};

std::span<const Function<Events>> Events::table() {
  static constexpr std::array<Function<Events>, 3> functions = {{
      {"subscribe", 1, &Events::subscribe},
      {"unsubscribe", 1, &Events::unsubscribe},
      {"poll-events", 1, &Events::poll},
  }};
  return functions;
}

}  // namespace

std::unique_ptr<Interface> make_events(const Context& context) {
  return std::make_unique<Events>(context);
}

}  // namespace coffer::workload::hal
