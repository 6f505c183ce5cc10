// Small pieces of the REST handlers.
#pragma once

#include <string_view>

#include "fleet/manager/rest/rest.h"

namespace coffer::fleet::manager {

net::ServerResponse json_response(int status, const codec::json::Value& value);
net::ServerResponse error_response(const Error& error);

// offset and limit (1 to 100; 10 where it is not said). ManagerError::bad_request.
Result<store::Page> page_of(const Call& call);
// ManagerError::bad_request where the Content-Type is not JSON, as upstream asks.
Result<> check_json(const Call& call);
// ManagerError::bad_request where it is no UUID.
Result<> check_uuid(std::string_view id);

template <class T, class F>
codec::json::Object page_json(store::Page page, const store::Paged<T>& found, std::string_view name, F view) {
  codec::json::Array items;
  for (const auto& item : found.items) items.emplace_back(view(item));
  codec::json::Object object{{"offset", page.offset}, {"limit", page.limit}, {"total", found.total}};
  object.append(std::string{name}, std::move(items));
  return object;
}

}  // namespace coffer::fleet::manager
