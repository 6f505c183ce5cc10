#include "codec/base64.h"

#include <algorithm>
#include <array>

namespace coffer::codec {
namespace {

constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t no_symbol = 0xff;

using SymbolTable = std::array<std::uint8_t, 256>;

constexpr void add_symbols(SymbolTable& table, std::string_view alphabet) {
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
}

constexpr SymbolTable make_table(std::initializer_list<std::string_view> alphabets) {
  SymbolTable table{};
  table.fill(no_symbol);
  for (const auto alphabet : alphabets) add_symbols(table, alphabet);
  return table;
}

constexpr SymbolTable standard_table = make_table({standard_alphabet});
constexpr SymbolTable url_table = make_table({url_alphabet});
constexpr SymbolTable either_table = make_table({standard_alphabet, url_alphabet});

enum class Padding { required, forbidden, either };

struct Flavour {
  const SymbolTable& symbols;
  Padding padding;
  std::string_view name;
};

constexpr Flavour standard_flavour{standard_table, Padding::required, "base64"};
constexpr Flavour url_flavour{url_table, Padding::forbidden, "base64url"};
constexpr Flavour lenient_flavour{either_table, Padding::either, "base64"};

std::string encode(ByteView data, std::string_view alphabet, bool padded) {
  std::string out((data.size() + 2) / 3 * 4, '=');
  char* to = out.data();
  const auto write = [&](std::uint32_t group, unsigned symbols) {
    for (unsigned j = 0; j < symbols; ++j) to[j] = alphabet[group >> (18 - 6 * j) & 0x3f];
    to += 4;
  };
  const auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(data[i]); };
  std::size_t i = 0;
  for (; i + 3 <= data.size(); i += 3) write(at(i) << 16 | at(i + 1) << 8 | at(i + 2), 4);
  const auto left = data.size() - i;
  if (left == 1) write(at(i) << 16, 2);
  if (left == 2) write(at(i) << 16 | at(i + 1) << 8, 3);
  if (!padded) out.resize((data.size() * 4 + 2) / 3);
  return out;
}

std::unexpected<Error> bad_base64(const Flavour& flavour, std::string_view what) {
  return fail(TextError::bad_base64, std::string{flavour.name} + " text " + std::string{what});
}

// The symbols alone, once the padding at the end is what the flavour demands.
Result<ByteView> without_padding(ByteView text, const Flavour& flavour) {
  std::size_t pads = 0;
  while (pads < 2 && pads < text.size() && text[text.size() - 1 - pads] == std::byte{'='}) ++pads;
  if (pads > 0 && flavour.padding == Padding::forbidden)
    return bad_base64(flavour, "must have no padding, and has some");
  if ((pads > 0 || flavour.padding == Padding::required) && text.size() % 4 != 0) {
    return bad_base64(flavour, "is " + std::to_string(text.size()) + " characters long, which is no multiple of 4");
  }
  const auto symbols = text.first(text.size() - pads);
  if (symbols.size() % 4 == 1) {
    return bad_base64(flavour, "has " + std::to_string(symbols.size()) + " symbols, a length that no data encodes to");
  }
  return symbols;
}

// Four symbols at once, three bytes each, up to the first group that has another character; the symbols that were read.
std::size_t decode_groups(ByteView symbols, const SymbolTable& table, MutableByteView out) {
  const auto at = [&](std::size_t i) { return std::uint32_t{table[std::to_integer<std::size_t>(symbols[i])]}; };
  std::size_t i = 0;
  for (std::size_t written = 0; i + 4 <= symbols.size(); i += 4, written += 3) {
    const auto a = at(i), b = at(i + 1), c = at(i + 2), d = at(i + 3);
    if (((a | b | c | d) & 0xc0) != 0) break;
    const auto group = a << 18 | b << 12 | c << 6 | d;
    out[written] = static_cast<std::byte>(group >> 16 & 0xff);
    out[written + 1] = static_cast<std::byte>(group >> 8 & 0xff);
    out[written + 2] = static_cast<std::byte>(group & 0xff);
  }
  return i;
}

// Writes every decoded byte to out, which holds exactly symbols.size() * 3 / 4 of them.
Result<> decode_symbols(ByteView symbols, const Flavour& flavour, MutableByteView out) {
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  std::size_t i = decode_groups(symbols, flavour.symbols, out);
  std::size_t written = i / 4 * 3;
  for (; i < symbols.size(); ++i) {
    const auto symbol = flavour.symbols[std::to_integer<std::size_t>(symbols[i])];
    if (symbol == no_symbol) {
      return bad_base64(flavour, "has a character outside its alphabet at offset " + std::to_string(i));
    }
    bits = (bits << 6 | symbol) & 0xffff;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    out[written++] = static_cast<std::byte>(bits >> bit_count & 0xff);
  }
  // RFC 4648 section 3.5: pad bits that are not zero would give one value many spellings.
  if ((bits & ((1U << bit_count) - 1)) != 0) return bad_base64(flavour, "has stray bits in its last symbol");
  return {};
}

Result<Bytes> decode(std::string_view text, const Flavour& flavour) {
  const auto symbols = TRY(without_padding(as_bytes(text), flavour));
  Bytes out(symbols.size() * 3 / 4);
  TRY(decode_symbols(symbols, flavour, out));
  return out;
}

Result<SecretBytes> decode_secret(ByteView text, const Flavour& flavour) {
  const auto symbols = TRY(without_padding(text, flavour));
  SecretBytes out(symbols.size() * 3 / 4);
  TRY(decode_symbols(symbols, flavour, out.mutable_expose()));
  return out;
}

constexpr std::uint8_t hex_value(std::byte character) {
  const auto c = std::to_integer<std::uint8_t>(character);
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return no_symbol;
}

// out holds exactly text.size() / 2 bytes.
Result<> decode_hex(ByteView text, MutableByteView out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto high = hex_value(text[2 * i]);
    const auto low = hex_value(text[2 * i + 1]);
    if (high == no_symbol || low == no_symbol) {
      return fail(TextError::bad_hex,
                  "hex text has a character that is no hex digit near offset " + std::to_string(2 * i));
    }
    out[i] = static_cast<std::byte>(high << 4 | low);
  }
  return {};
}

Result<std::size_t> hex_size(std::size_t characters) {
  if (characters % 2 == 0) return characters / 2;
  return fail(TextError::bad_hex, "hex text has an odd number of digits, " + std::to_string(characters));
}

}  // namespace

std::string_view code_name(TextError code) {
  switch (code) {
    case TextError::bad_base64: return "text.bad_base64";
    case TextError::bad_hex: return "text.bad_hex";
  }
  return "text.unknown";
}

std::string base64_encode(ByteView data) {
  return encode(data, standard_alphabet, true);
}

std::string base64url_encode(ByteView data) {
  return encode(data, url_alphabet, false);
}

std::string base64url_encode_padded(ByteView data) {
  return encode(data, url_alphabet, true);
}

Result<Bytes> base64_decode(std::string_view text) {
  return decode(text, standard_flavour);
}

Result<Bytes> base64url_decode(std::string_view text) {
  return decode(text, url_flavour);
}

Result<Bytes> base64_decode_lenient(std::string_view text) {
  return decode(text, lenient_flavour);
}

Result<SecretBytes> base64_decode_secret(ByteView text) {
  return decode_secret(text, lenient_flavour);
}

Result<SecretBytes> base64url_decode_secret(ByteView text) {
  return decode_secret(text, url_flavour);
}

std::string hex_encode(ByteView data) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(data.size() * 2);
  for (const auto byte : data) {
    out += digits[std::to_integer<std::size_t>(byte >> 4)];
    out += digits[std::to_integer<std::size_t>(byte & std::byte{0x0f})];
  }
  return out;
}

Result<Bytes> hex_decode(std::string_view text) {
  Bytes out(TRY(hex_size(text.size())));
  TRY(decode_hex(as_bytes(text), out));
  return out;
}

Result<SecretBytes> hex_decode_secret(ByteView text) {
  SecretBytes out(TRY(hex_size(text.size())));
  TRY(decode_hex(text, out.mutable_expose()));
  return out;
}

}  // namespace coffer::codec
