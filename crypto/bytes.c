/* SPDX-License-Identifier: ISC */
#include "crypto/bytes.h"

#include <openssl/crypto.h>

bool crypto_equal(struct str a, struct str b)
{
        return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

void crypto_wipe(void *p, size_t n)
{
        OPENSSL_cleanse(p, n);
}
