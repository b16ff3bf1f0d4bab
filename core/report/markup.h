// SPDX-License-Identifier: Apache-2.0
// Text of others inside markup. What a host says can carry anything; a report stays what it is.
#pragma once

#include <string>
#include <string_view>

namespace sentinel {

/// For element content and quoted attributes of XML 1.0 and HTML: entities for the five, and an escape for whatever
/// neither may hold (control characters, noncharacters, bytes that are no UTF-8). One line.
std::string markup_text(std::string_view text);

/// A code span of CommonMark that holds exactly this text: nothing in it is formatting, a link or a mention. One line.
std::string markdown_code(std::string_view text);

/// Text of our own checklists as Markdown: every character that could format is escaped. One line.
std::string markdown_text_of(std::string_view text);

}  // namespace sentinel
