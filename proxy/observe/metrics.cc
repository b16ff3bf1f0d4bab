// SPDX-License-Identifier: Apache-2.0
#include "proxy/observe/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace sentinel::proxy {
namespace {

thread_local std::size_t this_slot = 0;

std::string escaped(std::string_view value) {
  std::string out;
  for (const char letter : value) {
    if (letter == '\\' || letter == '"') out.push_back('\\');
    if (letter == '\n') {
      out.append("\\n");
    } else {
      out.push_back(letter);
    }
  }
  return out;
}

/// `a="x",b="y"` without braces.
std::string label_text(const std::vector<std::string>& names, const std::vector<std::string>& values) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text.append(i == 0 ? "" : ",")
        .append(names[i])
        .append("=\"")
        .append(escaped(i < values.size() ? values[i] : ""))
        .append("\"");
  }
  return text;
}

std::string in_braces(const std::string& labels) {
  return labels.empty() ? "" : "{" + labels + "}";
}

void head(std::string& out, const std::string& name, const std::string& help, const char* type) {
  out.append(fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type));
}

}  // namespace

std::size_t worker_slot() {
  return this_slot;
}

void set_worker_slot(std::size_t slot) {
  this_slot = slot;
}

Histogram::Histogram(std::size_t slots, std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), micro_sum_(slots) {
  for (std::size_t i = 0; i <= bounds_.size(); ++i) buckets_.push_back(std::make_unique<SlottedNumber>(slots));
}

void Histogram::observe(double value) {
  const auto place = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  buckets_[static_cast<std::size_t>(place - bounds_.begin())]->add(1);
  micro_sum_.add(static_cast<std::int64_t>(value * 1e6));
}

Metrics::Metrics(std::size_t slots) : slots_(std::clamp<std::size_t>(slots, 1, kMostSlots)) {}

Family<Counter>& Metrics::counter(const std::string& name, const std::string& help, std::vector<std::string> labels) {
  const std::lock_guard lock(mutex_);
  auto& family = counters_[name];
  if (family == nullptr) {
    family = std::make_unique<Family<Counter>>(name, help, std::move(labels),
                                               [slots = slots_] { return std::make_unique<Counter>(slots); });
  }
  return *family;
}

Family<Gauge>& Metrics::gauge(const std::string& name, const std::string& help, std::vector<std::string> labels) {
  const std::lock_guard lock(mutex_);
  auto& family = gauges_[name];
  if (family == nullptr) {
    family = std::make_unique<Family<Gauge>>(name, help, std::move(labels),
                                             [slots = slots_] { return std::make_unique<Gauge>(slots); });
  }
  return *family;
}

Family<Histogram>& Metrics::histogram(const std::string& name, const std::string& help, std::vector<std::string> labels,
                                      std::vector<double> bounds) {
  const std::lock_guard lock(mutex_);
  auto& family = histograms_[name];
  if (family == nullptr) {
    family = std::make_unique<Family<Histogram>>(
        name, help, std::move(labels),
        [slots = slots_, bounds = std::move(bounds)] { return std::make_unique<Histogram>(slots, bounds); });
  }
  return *family;
}

void Metrics::gauge_from(const std::string& name, const std::string& help, std::function<double()> read) {
  gauges_from(name, help, "", [read = std::move(read)] { return std::map<std::string, double>{{"", read()}}; });
}

void Metrics::gauges_from(const std::string& name, const std::string& help, const std::string& label,
                          std::function<std::map<std::string, double>()> read) {
  const std::lock_guard lock(mutex_);
  readings_[name] = {help, label, std::move(read)};
}

std::string Metrics::render() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  const auto plain = [&out](const auto& families, const char* type) {
    for (const auto& [name, family] : families) {
      head(out, name, family->help_, type);
      const std::shared_lock reading(family->mutex_);
      for (const auto& [values, series] : family->series_) {
        out.append(fmt::format("{}{} {}\n", name, in_braces(label_text(family->labels_, values)), series->value()));
      }
    }
  };
  plain(counters_, "counter");
  plain(gauges_, "gauge");
  for (const auto& [name, reading] : readings_) {
    head(out, name, reading.help, "gauge");
    for (const auto& [value, number] : reading.read()) {
      const std::string labels = reading.label.empty() ? "" : label_text({reading.label}, {value});
      out.append(fmt::format("{}{} {}\n", name, in_braces(labels), number));
    }
  }
  for (const auto& [name, family] : histograms_) {
    head(out, name, family->help_, "histogram");
    const std::shared_lock reading(family->mutex_);
    for (const auto& [values, series] : family->series_) {
      const std::string labels = label_text(family->labels_, values);
      const std::string before = labels.empty() ? "" : labels + ",";
      std::int64_t count = 0;
      for (std::size_t i = 0; i < series->buckets_.size(); ++i) {
        count += series->buckets_[i]->sum();
        const std::string bound = i < series->bounds_.size() ? fmt::format("{}", series->bounds_[i]) : "+Inf";
        out.append(fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, before, bound, count));
      }
      out.append(
          fmt::format("{}_sum{} {}\n", name, in_braces(labels), static_cast<double>(series->micro_sum_.sum()) / 1e6));
      out.append(fmt::format("{}_count{} {}\n", name, in_braces(labels), count));
    }
  }
  return out;
}

}  // namespace sentinel::proxy
