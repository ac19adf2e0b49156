/* SPDX-License-Identifier: ISC */
/* Reads lines from standard input:
 *   message HEX       prints `malformed` or `limit`; or `ok`, a line `record SECTION NAME TYPE CLASS TTL RDATA` each
 *                     (numbers decimal, name and uncompressed RDATA in hex, `-` for none), and `again same`,
 *                     `again differs` or `again space`: the message written anew and read once more
 *   name OFFSET HEX   prints `name HEX END` or `malformed` */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "dns/summary.h"
#include "dns/test_rewrite.h"

#define LINE_MAX_SIZE 200000

static void print_hex(struct str bytes)
{
        if (bytes.n == 0)
                putchar('-');
        for (size_t i = 0; i < bytes.n; i++)
                printf("%02x", (unsigned)(uint8_t)bytes.p[i]);
}

static void print_record(const struct dns_record *record)
{
        struct dns_rdata_room room;
        struct str wire;
        CHECK(dns_rdata_expand(record, &room, &wire) == ERR_OK);
        printf("record %d ", (int)record->section);
        print_hex(str_of(record->name.b, record->name.n));
        printf(" %u %u %lu ", record->type, record->class, (unsigned long)record->ttl_s);
        print_hex(wire);
        putchar('\n');
}

static void run_message(struct str message)
{
        static char buffer[DNS_MESSAGE_MAX];
        struct dns_summary summary;
        struct dns_reader r;
        struct dns_record record;
        struct str again;
        enum err e = dns_summary_read(message, &summary);
        if (e != ERR_OK) {
                puts(e == ERR_LIMIT ? "limit" : "malformed");
                return;
        }
        puts("ok");
        CHECK(dns_reader_init(&r, message) == ERR_OK);
        while (dns_reader_record(&r, &record) == ERR_OK)
                print_record(&record);
        if (test_rewrite(message, buffer, sizeof buffer, &again) != ERR_OK)
                puts("again space");
        else
                puts(test_message_eq(message, again) ? "again same" : "again differs");
}

static void run_name(struct str bytes, size_t offset)
{
        struct rd r;
        struct dns_name name;
        rd_init(&r, bytes);
        rd_seek(&r, offset);
        dns_name_read(&r, &name);
        if (r.fault != ERR_OK) {
                puts("malformed");
                return;
        }
        printf("name ");
        print_hex(str_of(name.b, name.n));
        printf(" %zu\n", r.at);
}

/* Decode into a block of exactly the input's size. */
static struct str decode(struct str hex)
{
        char *bytes = malloc(hex.n / 2 + 1);
        CHECK(bytes != NULL);
        struct wr w;
        wr_init(&w, bytes, hex.n / 2);
        CHECK(hex_decode(hex, &w) == ERR_OK);
        char *exact = realloc(bytes, w.n ? w.n : 1);
        CHECK(exact != NULL);
        return str_of(exact, w.n);
}

static void run(struct str line)
{
        struct str verb, number;
        uint64_t offset = 0;
        (void)str_cut(line, ' ', &verb, &line);
        if (str_eq(verb, S("name"))) {
                (void)str_cut(line, ' ', &number, &line);
                CHECK(str_to_u64(number, SIZE_MAX, &offset) == ERR_OK);
        }
        struct str bytes = decode(str_trim(line));
        if (str_eq(verb, S("name")))
                run_name(bytes, offset);
        else
                run_message(bytes);
        free((void *)(uintptr_t)bytes.p);
}

int main(void)
{
        static char line[LINE_MAX_SIZE];
        while (fgets(line, sizeof line, stdin))
                run(str_trim(str_of_c(line)));
        return 0;
}
