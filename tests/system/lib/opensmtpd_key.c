/* SPDX-License-Identifier: ISC */
/* A library to preload into Debian 12's OpenSMTPD 6.8, whose server cannot speak TLS under OpenSSL 3: it writes where its
 * private key is into the RSA that EVP_PKEY_get1_RSA gives, which there is only a copy of what the certificate's key has.
 * Here that copy becomes what the key has, as OpenSMTPD 7 does by itself. */
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

RSA *EVP_PKEY_get1_RSA(EVP_PKEY *key)
{
        RSA *(*next)(EVP_PKEY *) = (RSA * (*)(EVP_PKEY *)) dlsym(RTLD_NEXT, "EVP_PKEY_get1_RSA");
        RSA *rsa = next(key);
        if (rsa && EVP_PKEY_set1_RSA(key, rsa) != 1) {
                RSA_free(rsa);
                return NULL;
        }
        return rsa;
}
