#include "net/detail/held_messages.h"

namespace coffer::net::detail {

std::shared_ptr<const void> HeldMessages::receipt() {
  ++count_;
  return {this, [self = shared_from_this()](const void*) {
            if (--self->count_ == 0) self->wake_->ring();
          }};
}

}  // namespace coffer::net::detail
