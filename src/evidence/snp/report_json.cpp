// The JSON form, member for member and in the order of upstream's structure; and the one for people.
#include <algorithm>

#include "codec/base64.h"
#include "evidence/snp/report.h"
#include "evidence/tee.h"

namespace coffer::evidence::snp {

namespace json = codec::json;

namespace {

// One list of the members serves all three: `visit(name, field)` for each.
template <class R, class Visit>
void for_each_member(R& r, Visit&& visit) {
  visit("version", r.version);
  visit("guest_svn", r.guest_svn);
  visit("policy", r.policy);
  visit("family_id", r.family_id);
  visit("image_id", r.image_id);
  visit("vmpl", r.vmpl);
  visit("sig_algo", r.sig_algo);
  visit("current_tcb", r.current_tcb);
  visit("plat_info", r.plat_info);
  visit("key_info", r.key_info);
  visit("report_data", r.report_data);
  visit("measurement", r.measurement);
  visit("host_data", r.host_data);
  visit("id_key_digest", r.id_key_digest);
  visit("author_key_digest", r.author_key_digest);
  visit("report_id", r.report_id);
  visit("report_id_ma", r.report_id_ma);
  visit("reported_tcb", r.reported_tcb);
  visit("cpuid_fam_id", r.cpuid_fam_id);
  visit("cpuid_mod_id", r.cpuid_mod_id);
  visit("cpuid_step", r.cpuid_step);
  visit("chip_id", r.chip_id);
  visit("committed_tcb", r.committed_tcb);
  visit("current", r.current);
  visit("committed", r.committed);
  visit("launch_tcb", r.launch_tcb);
  visit("launch_mit_vector", r.launch_mit_vector);
  visit("current_mit_vector", r.current_mit_vector);
  visit("signature", r.signature);
}
template <class T, class Visit>
  requires std::same_as<std::remove_const_t<T>, TcbVersion>
void for_each_part(T& tcb, Visit&& visit) {
  visit("fmc", tcb.fmc);
  visit("bootloader", tcb.bootloader);
  visit("tee", tcb.tee);
  visit("snp", tcb.snp);
  visit("microcode", tcb.microcode);
}
template <class T, class Visit>
  requires std::same_as<std::remove_const_t<T>, FirmwareVersion>
void for_each_part(T& version, Visit&& visit) {
  visit("major", version.major);
  visit("minor", version.minor);
  visit("build", version.build);
}
template <class T, class Visit>
  requires std::same_as<std::remove_const_t<T>, Signature>
void for_each_part(T& signature, Visit&& visit) {
  visit("r", signature.r);
  visit("s", signature.s);
}

// ---- out

template <std::unsigned_integral T>
json::Value write(T number) {
  return number;
}
template <class T>
json::Value write(const std::optional<T>& number) {
  return number ? json::Value{*number} : json::Value{};
}
template <std::size_t size>
json::Value write(const Field<size>& field) {
  json::Array out;
  out.reserve(size);
  for (const auto byte : field) out.emplace_back(std::to_integer<int>(byte));
  return out;
}
template <class T>
  requires requires(T& t) { for_each_part(t, [](auto, auto&) {}); }
json::Value write(const T& structure) {
  json::Object out;
  for_each_part(structure, [&](const char* name, const auto& part) { out.append(name, write(part)); });
  return out;
}

// ---- in. The first error stays, and what follows it is passed over.

class Reader {
 public:
  Reader(const json::Object& object, std::string what) : object_(object), what_(std::move(what)) {}

  template <class T>
  void operator()(const char* name, T& into) {
    if (!result_) return;
    result_ = read(object_.find(name), what_ + "." + name, into);
  }
  Result<> take() { return std::move(result_); }

 private:
  static std::unexpected<Error> malformed(const std::string& what, const std::string& expected,
                                          const json::Value* found) {
    return fail(EvidenceError::malformed, what + " is expected to be " + expected + ", found " +
                                              (found == nullptr ? "nothing" : std::string{found->type_name()}));
  }
  static Result<const json::Object*> object_of(const json::Value* value, const std::string& what) {
    if (value != nullptr && value->is_object()) return value->if_object();
    return malformed(what, "an object", value);
  }

  template <std::unsigned_integral T>
  static Result<> read(const json::Value* value, const std::string& what, T& into) {
    const auto number = value == nullptr ? std::nullopt : value->if_uint64();
    if (!number || *number > std::numeric_limits<T>::max()) {
      return malformed(what, "an integer of at most " + std::to_string(sizeof(T)) + " bytes", value);
    }
    into = static_cast<T>(*number);
    return {};
  }
  template <std::unsigned_integral T>
  static Result<> read(const json::Value* value, const std::string& what, std::optional<T>& into) {
    if (value == nullptr || value->is_null()) return {};
    return read(value, what, into.emplace());
  }
  template <std::size_t size>
  static Result<> read(const json::Value* value, const std::string& what, Field<size>& into) {
    const auto* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr || array->size() != size) {
      return malformed(what, "an array of " + std::to_string(size) + " integers", value);
    }
    for (std::size_t i = 0; i < size; ++i) {
      const auto byte = (*array)[i].if_uint64();
      if (!byte || *byte > 255) return malformed(what + "[" + std::to_string(i) + "]", "a byte", &(*array)[i]);
      into[i] = static_cast<std::byte>(*byte);
    }
    return {};
  }
  template <class T>
    requires requires(T& t) { for_each_part(t, [](auto, auto&) {}); }
  static Result<> read(const json::Value* value, const std::string& what, T& into) {
    Reader inner {
      *TRY(object_of(value, what))
      , what
    };
    for_each_part(into, inner);
    return inner.take();
  }

  const json::Object& object_;
  std::string what_;
  Result<> result_{};
};

// ---- for people

template <class T>
json::Value show(const T& value) {
  return write(value);
}
template <std::size_t size>
json::Value show(const Field<size>& field) {
  return codec::hex_encode(field);
}

json::Object describe_policy(const Report& r) {
  return {{"abi_major", r.abi_major()},         {"abi_minor", r.abi_minor()},
          {"smt_allowed", r.smt_allowed()},     {"migrate_ma", r.migration_agent_allowed()},
          {"debug_allowed", r.debug_allowed()}, {"single_socket", r.single_socket()}};
}

}  // namespace

json::Object Report::to_json() const {
  json::Object out;
  for_each_member(*this, [&](const char* name, const auto& field) { out.append(name, write(field)); });
  return out;
}

Result<Report> Report::from_json(const json::Value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    return fail(EvidenceError::malformed,
                "attestation_report is expected to be an object, found " + std::string{value.type_name()});
  }
  Report out;
  Reader reader{*object, "attestation_report"};
  for_each_member(out, reader);
  TRY(reader.take());
  TRY(out.check_shape());
  return out;
}

json::Object describe(const Report& report) {
  json::Object out;
  for_each_member(report, [&](const char* name, const auto& field) {
    if constexpr (!std::is_same_v<std::remove_cvref_t<decltype(field)>, Signature>) out.append(name, show(field));
  });
  out.append("signature", json::Object{{"r", show(report.signature.r)}, {"s", show(report.signature.s)}});
  out.append("policy_bits", describe_policy(report));
  out.append("platform_bits",
             json::Object{{"smt_enabled", report.smt_enabled()}, {"tsme_enabled", report.tsme_enabled()}});
  const auto key = report.signing_key();
  out.append("signing_key", key ? json::Value{name_of(*key)} : json::Value{});
  out.append("chip_key_masked", report.chip_key_masked());
  const auto product = report.product();
  out.append("product", product ? json::Value{name_of(*product)} : json::Value{});
  return out;
}

}  // namespace coffer::evidence::snp
