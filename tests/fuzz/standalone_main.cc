// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: all seeds, then seeded random mutations of them until the time is over.
// A crash is the finding; the input that caused it is in the file named by --last (default: fuzz-last-input).
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kMaxSize = 4096;
constexpr int kMinimumRuns = 200;

class Mutator {
 public:
  Mutator(unsigned seed, std::vector<std::string> seeds) : random_(seed), seeds_(std::move(seeds)) {}

  std::string next() {
    std::string out = pick();
    for (auto count = below(6) + 1; count > 0; --count) mutate(out);
    if (out.size() > kMaxSize) out.resize(kMaxSize);
    return out;
  }

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  const std::string& pick() { return seeds_[below(seeds_.size())]; }

  void mutate(std::string& out) {
    const std::size_t at = below(out.size() + 1);
    switch (below(6)) {
      case 0:
        if (at < out.size()) out[at] = static_cast<char>(out[at] ^ (1U << below(8)));
        break;
      case 1: out.insert(at, 1, static_cast<char>(below(256))); break;
      case 2: out.erase(at, below(8)); break;
      case 3: {  // a piece of another seed
        const std::string& other = pick();
        const std::size_t begin = below(other.size() + 1);
        out.insert(at, other, begin, below(32));
        break;
      }
      case 4: out.insert(at, out.substr(below(out.size() + 1), below(32))); break;
      default: out.insert(at, below(64), out.empty() ? 'a' : out[below(out.size())]); break;
    }
  }

  std::mt19937 random_;
  std::vector<std::string> seeds_;
};

std::vector<std::string> read_seeds(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> out;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return out;
}

void run(const std::string& input, const std::string& last) {
  // Written first: after a crash it is the only trace.
  std::ofstream(last, std::ios::binary | std::ios::trunc) << input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 5;
  unsigned seed = 1;
  std::string last = "fuzz-last-input";
  const char* folder = nullptr;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
      seconds = std::strtod(argv[++i], nullptr);
    } else if (std::strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
      seed = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
    } else if (std::strcmp(argv[i], "--last") == 0 && i + 1 < argc) {
      last = argv[++i];
    } else {
      folder = argv[i];
    }
  }
  if (folder == nullptr || !std::filesystem::is_directory(folder)) {
    std::fprintf(stderr, "usage: %s [--seconds S] [--seed N] [--last FILE] SEEDS\n", argv[0]);
    return 2;
  }
  const auto seeds = read_seeds(folder);
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds in %s\n", folder);
    return 2;
  }
  for (const auto& input : seeds) run(input, last);
  Mutator mutator(seed, seeds);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  long runs = 0;
  for (; runs < kMinimumRuns || std::chrono::steady_clock::now() < end; ++runs) run(mutator.next(), last);
  std::filesystem::remove(last);
  std::printf("%zu seeds and %ld mutations (seed %u) without a finding\n", seeds.size(), runs, seed);
  return 0;
}
