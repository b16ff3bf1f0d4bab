// SPDX-License-Identifier: Apache-2.0
#include "core/base/md5.h"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>

#include "core/base/digest.h"

namespace sentinel {

std::string md5_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  // A failure is out of memory or a broken library.
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, EVP_md5(), nullptr) != 1) std::abort();
  return to_hex({reinterpret_cast<const char*>(out.data()), size});
}

}  // namespace sentinel
