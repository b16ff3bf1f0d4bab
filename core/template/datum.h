// SPDX-License-Identifier: Apache-2.0
// A value while a template runs: what JSON knows, plus what Jinja2 templates can see of Python (tuples, ranges, lazy
// results, undefined, the loop) and the hole of a secret. Copies are cheap: containers and texts are shared and
// constant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/model/content.h"
#include "core/template/source_text.h"

namespace sentinel::template_engine {

class Datum;
struct MethodSpec;
struct FunctionSpec;

/// Knows the names a template could have meant.
class NameSource {
 public:
  virtual ~NameSource() = default;
  virtual std::vector<std::string> known_names() const = 0;
};

/// Something that isn't there. Nearly every use of it is the error it describes (Jinja's StrictUndefined). The error is
/// built when it is needed: most undefined values meet `is defined` or `default` and are forgotten.
struct Undefined {
  std::string code;  ///< "template.unknown-variable", "template.unknown-attribute", ...
  std::string message;
  std::string subject;  ///< the misspelt name; empty when no suggestion makes sense
  const SourceText* source = nullptr;
  Span span;
  const NameSource* names = nullptr;            ///< for variables
  std::shared_ptr<const Datum> container = {};  ///< for keys of a dictionary
  std::vector<std::string> candidates = {};     ///< for everything else
  std::string hint = {};                        ///< when there is no suggestion
  /// An inline if without else: empty when printed, looped over or tested, as in Jinja; any other use is an error.
  bool lax = false;
};

/// The error of using it, with suggestion.
Error error_of(const Undefined& undefined);

struct None {};

/// A sequence made by a template or a variable, and which Python type it plays.
struct Items {
  enum class Flavor { kList, kTuple, kGroup, kLazy, kKeys, kValues, kPairs };

  Flavor flavor = Flavor::kList;
  std::vector<Datum> items;
  int depth = 1;           ///< nesting levels below and including this one
  std::size_t weight = 1;  ///< about how many scalars (and 16-byte pieces of text) are inside, counted with repetition

  bool is_list() const { return flavor == Flavor::kList; }

  bool is_tuple() const { return flavor == Flavor::kTuple || flavor == Flavor::kGroup; }
};

/// Keys in insertion order; lookup by hash.
struct Dict {
  std::vector<std::pair<Datum, Datum>> entries;
  std::unordered_map<std::string, std::size_t> index;  ///< hash_key of the key -> entry
  int depth = 1;
  std::size_t weight = 1;

  const Datum* find(const Datum& key) const;
  const Datum* find(std::string_view key) const;
  /// Replaces the value of an equal key (the old key stays, as in Python). The key must be hashable.
  void set(Datum key, Datum value);
};

struct Range {
  std::int64_t start = 0;
  std::int64_t stop = 0;
  std::int64_t step = 1;

  std::size_t size() const;

  std::int64_t at(std::size_t index) const { return start + static_cast<std::int64_t>(index) * step; }
};

/// What `namespace()` makes: the one value a template can change.
struct Namespace {
  std::vector<std::pair<std::string, Datum>> attributes;
};

/// What `loop` is.
struct Loop {
  std::vector<Datum> items;
  std::size_t index = 0;
  std::vector<Datum> changed;  ///< the arguments of the last loop.changed(...)
  bool changed_called = false;
};

struct Method {
  std::shared_ptr<const Datum> self;
  const MethodSpec* spec = nullptr;
};

/// The variable `secrets` itself.
struct Secrets {};

class Datum {
 public:
  using Text = std::shared_ptr<const std::string>;
  using State =
      std::variant<None, bool, std::int64_t, double, Text, std::shared_ptr<const Items>, std::shared_ptr<const Dict>,
                   std::shared_ptr<const Undefined>, Range, std::shared_ptr<Namespace>, std::shared_ptr<Loop>, Method,
                   const FunctionSpec*, std::shared_ptr<const Hole>, Secrets>;

  Datum() = default;

  static Datum boolean(bool value) { return Datum(State(value)); }

  static Datum integer(std::int64_t value) { return Datum(State(value)); }

  static Datum real(double value) { return Datum(State(value)); }

  static Datum text(std::string value) { return Datum(State(std::make_shared<const std::string>(std::move(value)))); }

  static Datum items(std::vector<Datum> values, Items::Flavor flavor = Items::Flavor::kList);
  static Datum dict(Dict value);

  static Datum undefined(Undefined what) { return Datum(State(std::make_shared<const Undefined>(std::move(what)))); }

  static Datum of(State state) { return Datum(std::move(state)); }

  template <typename T>
  const T* get() const {
    return std::get_if<T>(&state_);
  }

  bool is_none() const { return get<None>() != nullptr; }

  bool is_undefined() const { return get<std::shared_ptr<const Undefined>>() != nullptr; }

  bool is_lax_undefined() const;

  bool is_hole() const { return get<std::shared_ptr<const Hole>>() != nullptr; }

  const std::string* as_text() const;
  const Items* as_items() const;
  const Dict* as_dict() const;
  /// Integers, and booleans as 0 and 1 (as in Python).
  std::optional<std::int64_t> as_integer() const;
  /// Integers, booleans and floats.
  std::optional<double> as_number() const;

  bool is_boolean() const { return get<bool>() != nullptr; }

  bool is_float() const { return get<double>() != nullptr; }

  int depth() const;
  std::size_t weight() const;

  const State& state() const { return state_; }

 private:
  explicit Datum(State state) : state_(std::move(state)) {}

  State state_;
};

/// Python's name of the type ("int", "str", "list"), for messages.
std::string type_name(const Datum& value);

/// A string that is equal for equal keys and different otherwise; nothing for what Python can't hash (lists, dicts).
std::optional<std::string> hash_key(const Datum& value);

/// An error of a value's use; the evaluator adds the position.
Error type_error(std::string message, std::string hint = {});

/// Fails for what can't take part in any operation: undefined, secrets, methods that were not called.
Result<void> require_plain(const Datum& value);

}  // namespace sentinel::template_engine
