/* SPDX-License-Identifier: ISC */
#include "crypto/drbg.h"

#include <string.h>

#include "base/check.h"
#include "crypto/bytes.h"
#include "crypto/hmac.h"

/* `out` = HMAC(key, value || more), where `more` starts with the byte of the step or is empty */
static void keyed(struct drbg *g, const uint8_t *step, struct str data, uint8_t out[32])
{
        uint8_t code[HMAC_SIZE_MAX];
        struct hmac m;
        hmac_init(&m, HMAC_SHA256, str_of(g->key, sizeof g->key));
        hmac_update(&m, str_of(g->value, sizeof g->value));
        if (step)
                hmac_update(&m, str_of(step, 1));
        hmac_update(&m, data);
        enum err e = hmac_end(&m, code);
        if (g->fault == ERR_OK)
                g->fault = e;
        memcpy(out, code, 32);
        crypto_wipe(code, sizeof code);
}

/* SP 800-90A 10.1.2.2 */
static void update(struct drbg *g, struct str data)
{
        for (uint8_t step = 0; step < 2; step++) {
                keyed(g, &step, data, g->key);
                keyed(g, NULL, S(""), g->value);
                if (data.n == 0)
                        return;
        }
}

void drbg_init(struct drbg *g, struct str seed)
{
        g->fault = ERR_OK;
        memset(g->key, 0x00, sizeof g->key);
        memset(g->value, 0x01, sizeof g->value);
        update(g, seed);
}

/* SP 800-90A 10.1.2.5 */
enum err drbg_generate(struct drbg *g, uint8_t *out, size_t n)
{
        CHECK(n <= DRBG_REQUEST_MAX);
        for (size_t at = 0; at < n;) {
                size_t take = n - at < sizeof g->value ? n - at : sizeof g->value;
                keyed(g, NULL, S(""), g->value);
                memcpy(out + at, g->value, take);
                at += take;
        }
        update(g, S(""));
        if (g->fault != ERR_OK)
                crypto_wipe(out, n);
        return g->fault;
}

void drbg_wipe(struct drbg *g)
{
        crypto_wipe(g, sizeof *g);
}
