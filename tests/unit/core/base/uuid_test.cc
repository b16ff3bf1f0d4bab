// SPDX-License-Identifier: Apache-2.0
// The example of the RFC.
#include "core/base/uuid.h"

#include <catch2/catch.hpp>

namespace sentinel {

TEST_CASE("a UUID of a name is that of RFC 9562, appendix A.4") {
  CHECK(uuid_v5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com") == "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

}  // namespace sentinel
