// SPDX-License-Identifier: Apache-2.0
// Prometheus metrics: counters, gauges and histograms, counted per thread and summed when scraped. Label values that
// clients can choose are bounded: beyond a family's most series, everything counts under "other".
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/observe/worker_slot.h"

namespace sentinel::proxy {

/// One number per thread. Adding is a relaxed add on the thread's own cache line.
class SlottedNumber {
 public:
  explicit SlottedNumber(std::size_t slots) : cells_(slots) {}

  void add(std::int64_t amount) {
    cells_[worker_slot() % cells_.size()].value.fetch_add(amount, std::memory_order_relaxed);
  }

  std::int64_t sum() const {
    std::int64_t total = 0;
    for (const Cell& cell : cells_) total += cell.value.load(std::memory_order_relaxed);
    return total;
  }

 private:
  struct alignas(64) Cell {
    std::atomic<std::int64_t> value{0};
  };

  std::vector<Cell> cells_;
};

/// One series. Handles stay valid as long as the registry; any thread may use them.
class Counter {
 public:
  explicit Counter(std::size_t slots) : number_(slots) {}

  void add(std::uint64_t amount = 1) { number_.add(static_cast<std::int64_t>(amount)); }

  std::int64_t value() const { return number_.sum(); }

 private:
  SlottedNumber number_;
};

/// Goes up and down; threads add their own parts.
class Gauge {
 public:
  explicit Gauge(std::size_t slots) : number_(slots) {}

  void add(std::int64_t amount) { number_.add(amount); }

  std::int64_t value() const { return number_.sum(); }

 private:
  SlottedNumber number_;
};

class Histogram {
 public:
  Histogram(std::size_t slots, std::span<const double> bounds);
  void observe(double value);

 private:
  friend class Metrics;
  std::vector<double> bounds_;
  std::vector<std::unique_ptr<SlottedNumber>> buckets_;  ///< one more than bounds
  SlottedNumber micro_sum_;                              ///< of the values, in millionths
};

/// Label values in order, so that a series is found without making strings.
struct LabelOrder {
  using is_transparent = void;

  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](std::string_view x, std::string_view y) { return x < y; });
  }
};

/// All series of one name.
template <typename Series>
class Family {
 public:
  Family(std::string name, std::string help, std::vector<std::string> labels,
         std::function<std::unique_ptr<Series>()> make)
      : name_(std::move(name)), help_(std::move(help)), labels_(std::move(labels)), make_(std::move(make)) {}

  /// The series with these label values, in the order of the labels.
  Series& with(std::initializer_list<std::string_view> values) {
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = series_.find(values); found != series_.end()) return *found->second;
    }
    std::vector<std::string> key(values.begin(), values.end());
    const std::unique_lock lock(mutex_);
    if (series_.size() >= kMostSeries && series_.find(values) == series_.end()) {
      for (std::string& value : key) value = "other";
    }
    std::unique_ptr<Series>& series = series_[std::move(key)];
    if (series == nullptr) series = make_();
    return *series;
  }

  static constexpr std::size_t kMostSeries = 500;

 private:
  friend class Metrics;
  std::string name_;
  std::string help_;
  std::vector<std::string> labels_;
  std::function<std::unique_ptr<Series>()> make_;
  mutable std::shared_mutex mutex_;
  std::map<std::vector<std::string>, std::unique_ptr<Series>, LabelOrder> series_;
};

/// The registry. Families are made at start by whoever counts in them; asking for a name again gives the same family.
class Metrics {
 public:
  /// `slots`: how many threads count.
  explicit Metrics(std::size_t slots);

  Family<Counter>& counter(const std::string& name, const std::string& help, std::vector<std::string> labels = {});
  Family<Gauge>& gauge(const std::string& name, const std::string& help, std::vector<std::string> labels = {});
  Family<Histogram>& histogram(const std::string& name, const std::string& help, std::vector<std::string> labels,
                               std::vector<double> bounds);
  /// A gauge whose value is asked for when scraped; `read` may be called from the scraping thread at any time.
  void gauge_from(const std::string& name, const std::string& help, std::function<double()> read);
  /// The same for a family with one label, whose values are the operator's: value of the label → of the gauge.
  void gauges_from(const std::string& name, const std::string& help, const std::string& label,
                   std::function<std::map<std::string, double>()> read);

  /// Text exposition format 0.0.4.
  std::string render() const;

 private:
  struct Reading {
    std::string help;
    std::string label;  ///< empty: none, and one value
    std::function<std::map<std::string, double>()> read;
  };

  std::size_t slots_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Family<Counter>>> counters_;
  std::map<std::string, std::unique_ptr<Family<Gauge>>> gauges_;
  std::map<std::string, std::unique_ptr<Family<Histogram>>> histograms_;
  std::map<std::string, Reading> readings_;
};

}  // namespace sentinel::proxy
