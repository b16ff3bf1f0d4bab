// SPDX-License-Identifier: Apache-2.0
// The names the proxy uses for Asio, with concrete executor types: a type-erased executor costs an allocation per
// operation. Rules for coroutines under gcc 12: co_await only as a whole initialiser or statement, arguments by value
// or by reference to something that outlives the task, no capturing lambda that is itself a coroutine, no braced
// temporaries in an awaited call.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sentinel::proxy {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;

/// A coroutine of one worker. It never throws on the data path: outcomes are return values.
template <typename T>
using Task = asio::awaitable<T, Executor>;

inline constexpr asio::use_awaitable_t<Executor> kUseAwaitable{};

/// Completion as a tuple whose first member is the error code.
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> kUseTask{};

}  // namespace sentinel::proxy
