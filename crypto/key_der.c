/* SPDX-License-Identifier: ISC */
/* Keys to and from DER and PEM. */
#include <limits.h>

#include <openssl/objects.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "crypto/key_internal.h"

/* SubjectPublicKeyInfo: ERR_MISMATCH when it is not one at all. */
static enum err from_spki(struct str der, struct crypto_key **out)
{
        const unsigned char *p = (const unsigned char *)der.p;
        X509_PUBKEY *spki = d2i_X509_PUBKEY(NULL, &p, (long)der.n);
        if (!spki)
                return key_fault(ERR_MISMATCH);
        ASN1_OBJECT *algorithm = NULL;
        enum err e = ERR_SYNTAX;
        if (p == (const unsigned char *)der.p + der.n &&
                X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, spki) == 1) {
                EVP_PKEY *pkey = X509_PUBKEY_get(spki);
                int nid = OBJ_obj2nid(algorithm);
                if (pkey)
                        e = key_adopt(pkey, false, out);
                else
                        e = key_fault(nid == NID_rsaEncryption || nid == NID_ED25519 ? ERR_SYNTAX
                                                                                     : ERR_UNSUPPORTED);
        }
        X509_PUBKEY_free(spki);
        return e;
}

enum err crypto_key_public_from_der(struct str der, struct crypto_key **out)
{
        *out = NULL;
        if (der.n == 0 || der.n > CRYPTO_KEY_PEM_MAX)
                return ERR_SYNTAX;
        enum err e = from_spki(der, out);
        if (e != ERR_MISMATCH)
                return e;
        const unsigned char *p = (const unsigned char *)der.p;
        EVP_PKEY *pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)der.n);
        if (!pkey)
                return key_fault(ERR_SYNTAX);
        if (p != (const unsigned char *)der.p + der.n) {
                EVP_PKEY_free(pkey);
                return ERR_SYNTAX;
        }
        return key_adopt(pkey, false, out);
}

static enum err private_from_der(struct str der, struct crypto_key **out)
{
        const unsigned char *p = (const unsigned char *)der.p;
        EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
        if (!pkey)
                return key_fault(ERR_SYNTAX);
        return key_adopt(pkey, true, out);
}

/* The base64 between "-----BEGIN `label`-----" and its END line. */
static bool pem_find(struct str pem, struct str label, struct str *base64)
{
        char text[80];
        struct wr w;
        for (size_t part = 0; part < 2; part++) {
                wr_init(&w, text, sizeof text);
                wr_str(&w, part == 0 ? S("-----BEGIN ") : S("-----END "));
                wr_str(&w, label);
                wr_str(&w, S("-----"));
                size_t at = str_find(pem, wr_text(&w));
                if (at == pem.n)
                        return false;
                if (part == 0)
                        pem = str_skip(pem, at + w.n);
                else
                        *base64 = str_take(pem, at);
        }
        return true;
}

/* Decode the first of two labels that stands in `pem` and give it to `parse`. The bytes between are wiped. */
static enum err from_pem(struct str pem, const struct str labels[2],
        enum err (*parse)(struct str der, struct crypto_key **out), struct crypto_key **out)
{
        struct str base64;
        *out = NULL;
        if (pem.n > CRYPTO_KEY_PEM_MAX)
                return ERR_LIMIT;
        if (!pem_find(pem, labels[0], &base64) && !pem_find(pem, labels[1], &base64))
                return ERR_SYNTAX;
        size_t cap = base64.n / 4 * 3 + 3;
        char *der = OPENSSL_malloc(cap);
        if (!der)
                return ERR_CRYPTO;
        struct wr w;
        wr_init(&w, der, cap);
        enum err e = base64_decode(base64, &w);
        if (e == ERR_OK)
                e = w.n == 0 ? ERR_SYNTAX : parse(wr_text(&w), out);
        OPENSSL_clear_free(der, cap);
        return e;
}

enum err crypto_key_public_from_pem(struct str pem, struct crypto_key **out)
{
        const struct str labels[2] = {S("PUBLIC KEY"), S("RSA PUBLIC KEY")};
        return from_pem(pem, labels, crypto_key_public_from_der, out);
}

enum err crypto_key_private_from_pem(struct str pem, struct crypto_key **out)
{
        const struct str labels[2] = {S("PRIVATE KEY"), S("RSA PRIVATE KEY")};
        return from_pem(pem, labels, private_from_der, out);
}

static enum err write_pem(struct wr *w, struct str label, struct str der)
{
        wr_str(w, S("-----BEGIN "));
        wr_str(w, label);
        wr_str(w, S("-----\n"));
        for (size_t at = 0; at < der.n; at += 48) { /* 64 characters a line (RFC 7468 2) */
                base64_encode(w, str_take(str_skip(der, at), 48));
                wr_byte(w, '\n');
        }
        wr_str(w, S("-----END "));
        wr_str(w, label);
        wr_str(w, S("-----\n"));
        return wr_end(w);
}

static enum err write_public(const struct crypto_key *key, bool pem, struct wr *w)
{
        unsigned char *der = NULL;
        int n = i2d_PUBKEY(key->pkey, &der);
        if (n <= 0)
                return key_fault(ERR_CRYPTO);
        enum err e;
        if (pem) {
                e = write_pem(w, S("PUBLIC KEY"), str_of(der, (size_t)n));
        } else {
                wr_str(w, str_of(der, (size_t)n));
                e = wr_end(w);
        }
        OPENSSL_free(der);
        return e;
}

enum err crypto_key_spki(const struct crypto_key *key, struct wr *w)
{
        return write_public(key, false, w);
}

enum err crypto_key_public_pem(const struct crypto_key *key, struct wr *w)
{
        return write_public(key, true, w);
}

enum err crypto_key_private_pem(const struct crypto_key *key, struct wr *w)
{
        if (!key->is_private)
                return ERR_SEQUENCE;
        unsigned char *der = NULL;
        PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
        int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
        PKCS8_PRIV_KEY_INFO_free(info); /* wipes the key inside */
        if (n <= 0)
                return key_fault(ERR_CRYPTO);
        enum err e = write_pem(w, S("PRIVATE KEY"), str_of(der, (size_t)n));
        OPENSSL_clear_free(der, (size_t)n);
        return e;
}
