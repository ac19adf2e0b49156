/* SPDX-License-Identifier: ISC */
/* Reads lines from standard input, fields split by one space, bytes in hex, `-` for none:
 *   mac KEY REQUEST-MAC MESSAGE TIME FUDGE ERROR OTHER   prints the MAC in hex
 *   verify KEY REQUEST-MAC MESSAGE NOW                   prints the verdict, as ok, BADTIME ...
 * KEY as in --dns-key. A key that is refused prints `key: REASON`. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "dns/tsig.h"

#define FIELDS 8
#define LINE_MAX_SIZE 200000

static struct str decode(struct str hex, char *buffer, size_t cap)
{
        struct wr w;
        wr_init(&w, buffer, cap);
        CHECK(str_eq(hex, S("-")) || hex_decode(hex, &w) == ERR_OK);
        return wr_text(&w);
}

static uint64_t number(struct str text)
{
        uint64_t value;
        CHECK(str_to_u64(text, UINT64_MAX, &value) == ERR_OK);
        return value;
}

static void run_mac(
        const struct tsig_key *key, const struct str *field, struct str request_mac, struct str message)
{
        char other[100];
        struct tsig_mac mac;
        struct tsig_fields fields = {.time_s = number(field[4]),
                .fudge_s = (uint16_t)number(field[5]),
                .error = (uint16_t)number(field[6]),
                .other = decode(field[7], other, sizeof other)};
        CHECK(tsig_digest(key, request_mac, message, &fields, &mac) == ERR_OK);
        for (size_t i = 0; i < mac.n; i++)
                printf("%02x", (unsigned)mac.b[i]);
        putchar('\n');
}

static void run_verify(const struct tsig_key *key, uint64_t now_s, struct str request_mac, struct str message)
{
        static const char *const verdicts[] = {[TSIG_GOOD] = "ok",
                [TSIG_ABSENT] = "absent",
                [TSIG_UNSIGNED] = "unsigned",
                [TSIG_MALFORMED] = "FORMERR",
                [TSIG_BADKEY] = "BADKEY",
                [TSIG_BADSIG] = "BADSIG",
                [TSIG_BADTIME] = "BADTIME",
                [TSIG_BADTRUNC] = "BADTRUNC"};
        struct tsig_result result;
        CHECK(tsig_verify(key, message, request_mac, now_s, &result) == ERR_OK);
        puts(verdicts[result.verdict]);
}

static void run(struct str line)
{
        static char request_mac[200], message[65535];
        struct str field[FIELDS] = {{0}};
        struct tsig_key key;
        for (size_t i = 0; i < FIELDS; i++)
                (void)str_cut(line, ' ', &field[i], &line);
        enum err e = tsig_key_parse(field[1], &key);
        if (e != ERR_OK) {
                printf("key: %s\n", err_text(e));
                return;
        }
        struct str mac = decode(field[2], request_mac, sizeof request_mac);
        struct str bytes = decode(field[3], message, sizeof message);
        if (str_eq(field[0], S("mac")))
                run_mac(&key, field, mac, bytes);
        else
                run_verify(&key, number(field[4]), mac, bytes);
}

int main(void)
{
        static char line[LINE_MAX_SIZE];
        while (fgets(line, sizeof line, stdin))
                run(str_trim(str_of_c(line)));
        return 0;
}
