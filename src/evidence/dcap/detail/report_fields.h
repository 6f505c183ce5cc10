// The fields of the structures in a quote, in the order in which they stand there: one list for reading them, for their
// claims and for making them.
#pragma once

#include <span>
#include <string_view>

#include "base/byte_reader.h"
#include "evidence/dcap/quote.h"

namespace coffer::evidence::dcap::detail {

template <class T>
struct Field {
  std::string_view name;  // as upstream's claims have it
  std::size_t size;
  ByteView T::* member;
};

std::span<const Field<QuoteHeader>> header_fields();
std::span<const Field<SgxReport>> sgx_fields();
std::span<const Field<TdReport>> td_fields_before_rtmr();  // rtmr_0 to rtmr_3 and report_data follow
std::span<const Field<TdReport::Tdx15>> tdx15_fields();

inline constexpr std::size_t header_size = 48;
inline constexpr std::size_t sgx_report_size = 384;
inline constexpr std::size_t td_report10_size = 584;
inline constexpr std::size_t td_report15_size = 648;
inline constexpr std::size_t register_size = 48;
inline constexpr std::size_t report_data_size = 64;

template <class T>
Result<T> read_fields(ByteReader& reader, std::span<const Field<T>> fields) {
  T out{};
  for (const auto& field : fields) out.*field.member = TRY(reader.bytes(field.size, field.name));
  return out;
}

Result<SgxReport> read_sgx_report(ByteReader& reader);
Result<TdReport> read_td_report(ByteReader& reader, bool tdx15);

}  // namespace coffer::evidence::dcap::detail
