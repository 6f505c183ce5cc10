// AMD's product lines, each with a root key of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace coffer::evidence::snp {

enum class Product { milan, genoa, turin };
std::span<const Product> all_products();
std::string_view name_of(Product product);  // "Milan", as in subjects of certificates and paths of the KDS

// By the combined (base and extended) family and model of CPUID Fn8000_0001_EAX. Genoa includes Bergamo and Siena,
// which its keys endorse. Nothing: a processor whose root is not known here.
std::optional<Product> product_of_cpuid(std::uint8_t family, std::uint8_t model);
// By text that begins with a product's name: the productName extension of a certificate, "Milan-B0".
std::optional<Product> product_of_text(std::string_view text);

// Whether TCB_VERSION has the layout that came with Turin, with a version of the FMC (56860 section 2.2).
bool has_fmc(std::uint8_t cpuid_family);

}  // namespace coffer::evidence::snp
