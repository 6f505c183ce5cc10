#include "evidence/snp/product.h"

#include <array>

namespace coffer::evidence::snp {

namespace {
constexpr std::array products{Product::milan, Product::genoa, Product::turin};
}  // namespace

std::span<const Product> all_products() {
  return products;
}

std::string_view name_of(Product product) {
  switch (product) {
    case Product::milan: return "Milan";
    case Product::genoa: return "Genoa";
    case Product::turin: return "Turin";
  }
  return "unknown";
}

std::optional<Product> product_of_cpuid(std::uint8_t family, std::uint8_t model) {
  if (family == 0x19 && model <= 0x0f) return Product::milan;
  if (family == 0x19 && ((model >= 0x10 && model <= 0x1f) || (model >= 0xa0 && model <= 0xaf))) return Product::genoa;
  if (family == 0x1a && model <= 0x11) return Product::turin;
  return std::nullopt;
}

std::optional<Product> product_of_text(std::string_view text) {
  for (const auto product : products) {
    const auto name = name_of(product);
    if (text.starts_with(name) && (text.size() == name.size() || text[name.size()] == '-')) return product;
  }
  return std::nullopt;
}

bool has_fmc(std::uint8_t cpuid_family) {
  return cpuid_family >= 0x1a;
}

}  // namespace coffer::evidence::snp
