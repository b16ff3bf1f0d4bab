// SPDX-License-Identifier: Apache-2.0
// libcurl is loaded when it is first needed: it brings some twenty other libraries, and loading them would cost every
// command of sentinelctl more than all else it does at its start.
#include "cli/outside/web.h"

#define CURL_DISABLE_TYPECHECK  // the calls go through pointers
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

namespace sentinel {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// What we use of libcurl.
struct Curl {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_multi_cleanup) multi_cleanup;
};

template <typename Function>
bool find(void* library, const char* name, Function& out) {
  out = reinterpret_cast<Function>(::dlsym(library, name));
  return out != nullptr;
}

/// Null when this machine has no usable libcurl. Loaded once, never let go.
const Curl* load_curl() {
  static Curl curl;
  static const bool usable = [] {
    void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    return library != nullptr && find(library, "curl_global_init", curl.global_init) &&
           find(library, "curl_easy_init", curl.easy_init) && find(library, "curl_easy_setopt", curl.easy_setopt) &&
           find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
           find(library, "curl_easy_strerror", curl.easy_strerror) &&
           find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
           find(library, "curl_slist_append", curl.slist_append) &&
           find(library, "curl_slist_free_all", curl.slist_free_all) &&
           find(library, "curl_multi_init", curl.multi_init) &&
           find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
           find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
           find(library, "curl_multi_perform", curl.multi_perform) &&
           find(library, "curl_multi_poll", curl.multi_poll) &&
           find(library, "curl_multi_info_read", curl.multi_info_read) &&
           find(library, "curl_multi_cleanup", curl.multi_cleanup) && curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  }();
  return usable ? &curl : nullptr;
}

/// Only to be used where load_curl() gave something before.
const Curl& curl() {
  return *load_curl();
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// libcurl's handles are all void pointers to the compiler.
struct CloseEasy {
  void operator()(CURL* easy) const { curl().easy_cleanup(easy); }
};

struct CloseMulti {
  void operator()(CURLM* multi) const { curl().multi_cleanup(multi); }
};

struct FreeList {
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};

/// One request on its way. Stays where it is: libcurl has its address.
class Transfer {
 public:
  explicit Transfer(const WebRequest& request)
      : request_(request), easy_(curl().easy_init()), started_(SteadyClock::now()) {
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // else the end waits for a name server, whatever the deadline
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.deadline.count()));
    set(CURLOPT_ERRORBUFFER, problem_.data());
    set(CURLOPT_HEADERFUNCTION, &Transfer::take_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::take_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_PRIVATE, this);
    set(CURLOPT_USERAGENT, "sentinelctl/" SENTINEL_VERSION);
    set(CURLOPT_SSL_VERIFYPEER, request.verify ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, request.verify ? 2L : 0L);
    if (!request.use_proxy) set(CURLOPT_PROXY, "");
    if (!request.ca_file.empty()) set(CURLOPT_CAINFO, request.ca_file.c_str());
    if (request.method == "POST") {
      set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.c_str());
    } else if (request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else {
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    for (const auto& [name, value] : request.headers) add_header(name + ": " + value);
    if (!request.bearer.empty()) add_header("Authorization: Bearer " + std::string(request.bearer.reveal()));
    set(CURLOPT_HTTPHEADER, headers_.get());
    if (!request.connect_to.empty()) {
      const bool v6 = request.connect_to.find(':') != std::string::npos;
      const auto entry = fmt::format("::{}:", v6 ? "[" + request.connect_to + "]" : request.connect_to);
      connect_to_.reset(curl().slist_append(nullptr, entry.c_str()));
      set(CURLOPT_CONNECT_TO, connect_to_.get());
    }
  }

  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* easy() const { return easy_.get(); }

  void end(CURLcode code) {
    long status = 0, version = 0;
    char* address = nullptr;
    curl().easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    curl().easy_getinfo(easy_.get(), CURLINFO_HTTP_VERSION, &version);
    curl().easy_getinfo(easy_.get(), CURLINFO_PRIMARY_IP, &address);
    reply_.status = static_cast<int>(status);
    reply_.http_version = version == CURL_HTTP_VERSION_2_0   ? "2"
                          : version == CURL_HTTP_VERSION_3   ? "3"
                          : version == CURL_HTTP_VERSION_1_0 ? "1.0"
                                                             : "1.1";
    reply_.remote_address = address == nullptr ? "" : address;
    reply_.total_ms = elapsed();
    code_ = code;
  }

  Result<WebReply> result() && {
    if (code_ == CURLE_OK) return std::move(reply_);
    const auto place = request_.url.substr(0, request_.url.find('?'));
    const std::string reason = problem_[0] == '\0' ? curl().easy_strerror(code_) : problem_.data();
    return Error(code_name(), fmt::format("{}: {}", place, reason));
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    curl().easy_setopt(easy_.get(), option, value);
  }

  void add_header(const std::string& line) {
    auto* head = headers_.release();
    headers_.reset(curl().slist_append(head, line.c_str()));
  }

  std::uint32_t elapsed() const {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - started_).count());
  }

  std::string code_name() const {
    switch (code_) {
      case CURLE_COULDNT_RESOLVE_HOST: return "outside.lookup";
      case CURLE_COULDNT_CONNECT: return "outside.connect";
      case CURLE_OPERATION_TIMEDOUT: return "outside.timeout";
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_CIPHER: return "outside.tls";
      default: return "outside.answer";
    }
  }

  static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& reply = static_cast<Transfer*>(self)->reply_;
    const std::string line(data, size * count);
    if (line.rfind("HTTP/", 0) == 0) reply.headers.clear();  // an answer before the answer (100, 103)
    if (const auto colon = line.find(':'); colon != std::string::npos) {
      auto& value = reply.headers[lower(line.substr(0, colon))];
      value += (value.empty() ? "" : ", ") + trimmed(line.substr(colon + 1));
    }
    return size * count;
  }

  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    auto& reply = transfer.reply_;
    if (reply.pieces_ms.size() < kMostPieces) reply.pieces_ms.push_back(transfer.elapsed());
    reply.body.append(data, std::min(size * count, kMostWebBody - std::min(kMostWebBody, reply.body.size())));
    return size * count;
  }

  const WebRequest& request_;
  std::unique_ptr<CURL, CloseEasy> easy_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<curl_slist, FreeList> connect_to_;
  std::array<char, CURL_ERROR_SIZE> problem_{};
  SteadyClock::time_point started_;
  WebReply reply_;
  CURLcode code_ = CURLE_ABORTED_BY_CALLBACK;
};

}  // namespace

std::vector<Result<WebReply>> ask_web(const std::vector<WebRequest>& requests) {
  if (load_curl() == nullptr) {
    const Error missing("outside.libcurl", "this machine has no libcurl (libcurl.so.4)",
                        "install the package libcurl4");
    return {requests.size(), Result<WebReply>(missing)};
  }
  const std::unique_ptr<CURLM, CloseMulti> multi(curl().multi_init());
  std::vector<std::unique_ptr<Transfer>> transfers;
  for (const auto& request : requests) {
    transfers.push_back(std::make_unique<Transfer>(request));
    curl().multi_add_handle(multi.get(), transfers.back()->easy());
  }
  int running = 0;
  do {
    if (curl().multi_perform(multi.get(), &running) != CURLM_OK) break;
    int left = 0;
    while (const auto* message = curl().multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Transfer* transfer = nullptr;
      curl().easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      transfer->end(message->data.result);
    }
    if (running > 0 && curl().multi_poll(multi.get(), nullptr, 0, 1000, nullptr) != CURLM_OK) break;
  } while (running > 0);
  std::vector<Result<WebReply>> out;
  for (auto& transfer : transfers) {
    curl().multi_remove_handle(multi.get(), transfer->easy());
    out.push_back(std::move(*transfer).result());
  }
  return out;
}

}  // namespace sentinel
