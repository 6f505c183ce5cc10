#include "policy/detail/lexical_check.h"

#include <array>
#include <vector>

#include "policy/engine.h"

namespace coffer::policy::detail {
namespace {

enum class Token { end, operand, keyword, open, close, dot, minus, other };

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// After one of these a brace opens a body, or an expression begins anew.
bool is_keyword(std::string_view word) {
  static constexpr std::array<std::string_view, 12> keywords{
      "if", "else", "not", "some", "in", "every", "with", "default", "import", "as", "package", "contains"};
  for (const auto keyword : keywords) {
    if (word == keyword) return true;
  }
  return false;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::size_t line() const { return line_; }
  std::string_view word() const { return word_; }
  // White space stands before the token that next() returned last.
  bool spaced() const { return spaced_; }

  Token next() {
    skip_space();
    if (at_ == text_.size()) return Token::end;
    const char c = text_[at_];
    if (c == '"') return quoted();
    if (c == '`') return raw();
    if (is_word(c)) return identifier();
    ++at_;
    word_ = text_.substr(at_ - 1, 1);
    if (c == '[' || c == '{' || c == '(') return Token::open;
    if (c == ']' || c == '}' || c == ')') return Token::close;
    if (c == '.') return Token::dot;
    return c == '-' ? Token::minus : Token::other;
  }

 private:
  void skip_space() {
    const auto start = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        line_ += c == '\n' ? 1 : 0;
        ++at_;
      } else {
        break;
      }
    }
    spaced_ = at_ != start;
  }

  Token quoted() {
    for (++at_; at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
    }
    if (at_ < text_.size() && text_[at_] == '"') ++at_;
    return Token::operand;
  }

  Token raw() {
    for (++at_; at_ < text_.size() && text_[at_] != '`'; ++at_) line_ += text_[at_] == '\n' ? 1 : 0;
    if (at_ < text_.size()) ++at_;
    return Token::operand;
  }

  Token identifier() {
    const auto start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    word_ = text_.substr(start, at_ - start);
    return is_keyword(word_) ? Token::keyword : Token::operand;
  }

  std::string_view text_;
  std::string_view word_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  bool spaced_ = false;
};

class Checker {
 public:
  Checker(std::string_view text, const LexicalLimits& limits) : lexer_(text), limits_(limits) {}

  Result<> run() {
    for (;;) {
      const auto token = lexer_.next();
      if (token == Token::end) return {};
      reads_ += std::size_t{1} << literal_depth_;
      if (reads_ > limits_.max_token_reads) return too_nested("its brackets make the parser read it too often");
      TRY(take(token));
      previous_ = token;
      previous_keyword_ = token == Token::keyword ? lexer_.word() : std::string_view{};
    }
  }

 private:
  struct Level {
    bool literal;
    std::size_t chain;
  };

  std::unexpected<Error> too_nested(std::string_view what) const {
    return fail(PolicyError::too_nested, "line " + std::to_string(lexer_.line()) + ": " + std::string{what});
  }

  Result<> take(Token token) {
    switch (token) {
      case Token::open: return open();
      case Token::close: return close();
      case Token::operand: return operand();
      case Token::keyword: return keyword();
      default: return link();
    }
  }

  bool after_operand() const { return previous_ == Token::operand || previous_ == Token::close; }

  // Two operands with nothing between them: the next statement began.
  Result<> operand() {
    if (after_operand()) chain_ = 0;
    return {};
  }

  Result<> keyword() {
    if (lexer_.word() == "in" || lexer_.word() == "not") return link();
    chain_ = 0;
    return {};
  }

  // Operators, dots and signs make an expression longer; a comma, semicolon or assignment ends it.
  Result<> link() {
    const auto word = lexer_.word();
    chain_ = word == "," || word == ";" ? 0 : chain_ + 1;
    if (chain_ <= limits_.max_chain) return {};
    return too_nested("an expression has over " + std::to_string(limits_.max_chain) + " operands");
  }

  Result<> open() {
    const char bracket = lexer_.word()[0];
    const bool postfix = after_operand() && !lexer_.spaced();
    const bool body = bracket == '{' && (after_operand() || previous_keyword_ == "if" || previous_keyword_ == "else");
    const bool literal = bracket != '(' && !postfix && !body;
    if (after_operand() && !postfix) chain_ = 0;
    levels_.push_back({literal, chain_ + 1});
    chain_ = 0;
    if (literal && ++literal_depth_ > limits_.max_literal_depth) {
      return too_nested("literals are nested deeper than " + std::to_string(limits_.max_literal_depth));
    }
    if (levels_.size() > limits_.max_depth) {
      return too_nested("brackets are nested deeper than " + std::to_string(limits_.max_depth));
    }
    return {};
  }

  Result<> close() {
    if (levels_.empty()) return {};  // the parser will say so
    if (levels_.back().literal) --literal_depth_;
    chain_ = levels_.back().chain;
    levels_.pop_back();
    if (chain_ <= limits_.max_chain) return {};
    return too_nested("an expression has over " + std::to_string(limits_.max_chain) + " operands");
  }

  Lexer lexer_;
  LexicalLimits limits_;
  std::vector<Level> levels_;
  std::size_t literal_depth_ = 0;
  std::size_t chain_ = 0;
  std::size_t reads_ = 0;
  Token previous_ = Token::other;
  std::string_view previous_keyword_;
};

}  // namespace

Result<> check_lexically(std::string_view text, const LexicalLimits& limits) {
  if (text.size() > limits.max_size) {
    return fail(PolicyError::too_large, "the policy has " + std::to_string(text.size()) + " bytes, the limit is " +
                                            std::to_string(limits.max_size));
  }
  return Checker{text, limits}.run();
}

}  // namespace coffer::policy::detail
