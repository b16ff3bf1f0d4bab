// SPDX-License-Identifier: Apache-2.0
// One client's connection, private to the server: its input, its output, and the state of the answer under way.
#pragma once

#include <string>

#include "proxy/net/http_server.h"

namespace sentinel::proxy {

class ServerConnection {
 public:
  ServerConnection(HttpServer& server, Descriptor descriptor);

  /// Serves requests until the connection ends.
  Task<void> run();

  /// Between requests: looks at the server's state again. Otherwise nothing.
  void nudge() {
    if (idle_) stream_.interrupt();
  }

 private:
  friend class Exchange;
  enum class Next { kRequest, kRefuse, kEnd };

  Task<Next> next_request();
  Task<void> refuse();
  Task<bool> discard_body();
  bool take_body(Buffer& body);
  /// What was written of an answer in pieces, as one chunk where it is chunked, and `end` behind it.
  IoStatus send_pieces(std::string_view end);
  std::string head_text(int status, std::string_view fields);
  /// Closes so that the last bytes reach a client that is still sending.
  Task<void> linger();

  HttpServer& server_;
  Stream stream_;
  Output out_;
  StreamDeadline deadline_;
  Buffer in_;
  Buffer pipelined_;  ///< bytes behind a chunked body
  RequestHead head_;
  HeadResult refusal_{HeadStatus::kComplete};
  BodyDecoder body_;
  bool idle_ = false;  ///< waits for the first byte of a request
  bool continue_due_ = false;
  bool close_ = false;
  bool broken_ = false;
  bool too_slow_ = false;  ///< the client, at taking its answer
  bool chunked_ = false;
  bool begun_ = false;
  int status_ = 0;
  std::uint64_t sent_before_ = 0;
  std::string answer_head_;
  char chunk_line_[24];
  std::vector<std::string_view> writes_;
  std::size_t written_ = 0;
};

}  // namespace sentinel::proxy
