/* SPDX-License-Identifier: ISC */
/* libopendkim as a peer for dkim.py. Usage: interop-opendkim_peer ZONE, a file of lines "NAME<TAB>TXT". On standard input:
 *   verify SIZE        followed by a message of SIZE bytes; prints "pass" or the fault of each signature from the top,
 *                      separated by spaces
 *   sign SIZE ALGORITHM HEADER/BODY SELECTOR DOMAIN KEY IDENTITY LIMIT LIFE
 *                      followed likewise; KEY is a PEM file, IDENTITY or "-", LIMIT 1 for l=, LIFE of x= or 0 seconds;
 *                      prints "SIZE" and SIZE bytes: the value of a DKIM-Signature
 * Any trouble prints "error" and why. The first line it prints is the algorithms it knows. */
#include <sys/types.h>

#include <dkim.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 16
#define LINE_SIZE 4096
#define FIELD_SIZE 16384

static struct {
        char line[LINE_SIZE]; /* the name; its text stands behind it */
        const char *text;
} records[RECORDS_MAX];
static size_t record_count;

static bool read_zone(const char *path)
{
        FILE *f = fopen(path, "r");
        while (f && record_count < RECORDS_MAX && fgets(records[record_count].line, LINE_SIZE, f)) {
                char *line = records[record_count].line, *tab = strchr(line, '\t');
                line[strcspn(line, "\n")] = '\0';
                if (!tab)
                        break;
                *tab = '\0';
                records[record_count++].text = tab + 1;
        }
        if (f)
                fclose(f);
        return record_count > 0;
}

static DKIM_CBSTAT find_key(DKIM *dkim, DKIM_SIGINFO *sig, u_char *out, size_t size)
{
        char name[512];
        (void)dkim;
        snprintf(name, sizeof name, "%s._domainkey.%s", (char *)dkim_sig_getselector(sig),
                (char *)dkim_sig_getdomain(sig));
        for (size_t i = 0; i < record_count; i++)
                if (strcmp(records[i].line, name) == 0) {
                        snprintf((char *)out, size, "%s", records[i].text);
                        return DKIM_CBSTAT_CONTINUE;
                }
        return DKIM_CBSTAT_NOTFOUND;
}

/* Where the field at the head of `text` ends: behind a CRLF that no white space follows. */
static size_t field_size(const u_char *text, size_t size)
{
        for (size_t i = 1; i < size; i++)
                if (text[i - 1] == '\r' && text[i] == '\n' && (i + 1 == size || !strchr(" \t", text[i + 1])))
                        return i + 1;
        return size;
}

/* The whole message in, piece by piece as a milter has it. */
static DKIM_STAT feed(DKIM *dkim, u_char *message, size_t size)
{
        DKIM_STAT s = DKIM_STAT_OK;
        while (s == DKIM_STAT_OK && size > 1 && memcmp(message, "\r\n", 2) != 0) {
                size_t n = field_size(message, size);
                s = dkim_header(dkim, message, n - 2);
                message += n;
                size -= n;
        }
        if (s == DKIM_STAT_OK)
                s = dkim_eoh(dkim);
        return s == DKIM_STAT_OK && size > 2 ? dkim_body(dkim, message + 2, size - 2) : s;
}

static void verify(DKIM_LIB *lib, u_char *message, size_t size)
{
        DKIM_STAT s;
        DKIM_SIGINFO **list;
        int count;
        _Bool testing;
        DKIM *dkim = dkim_verify(lib, (const u_char *)"peer", NULL, &s);
        s = feed(dkim, message, size);
        if (s == DKIM_STAT_OK)
                dkim_eom(dkim, &testing); /* its result speaks of one signature alone */
        if (s != DKIM_STAT_OK || dkim_getsiglist(dkim, &list, &count) != DKIM_STAT_OK) {
                printf("error %s\n", dkim_getresultstr(s));
        } else {
                for (int i = 0; i < count; i++) {
                        dkim_sig_process(dkim, list[i]);
                        printf("%s%s", i > 0 ? " " : "", DKIM_SIG_CHECK(list[i]) ? "pass" : "fail");
                        if (!DKIM_SIG_CHECK(list[i]))
                                printf("-%d", dkim_sig_geterror(list[i]));
                }
                printf("\n");
        }
        dkim_free(dkim);
}

static bool read_file(const char *path, char *out, size_t size)
{
        FILE *f = fopen(path, "r");
        size_t n = f ? fread(out, 1, size - 1, f) : 0;
        if (f)
                fclose(f);
        out[n] = '\0';
        return n > 0;
}

static dkim_canon_t canon(const char *word)
{
        return strncmp(word, "relaxed", 7) == 0 ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE;
}

/* What stands behind "sign SIZE"; borrowed from the line. */
struct how {
        const char *algorithm, *canon, *selector, *domain, *key, *identity;
        bool limited;
        uint64_t life;
};

static DKIM *signer(DKIM_LIB *lib, struct how *how, DKIM_STAT *s)
{
        char pem[FIELD_SIZE];
        u_int flags = how->limited ? DKIM_LIBFLAGS_SIGNLEN : DKIM_LIBFLAGS_NONE;
        *s = DKIM_STAT_INVALID;
        if (!read_file(how->key, pem, sizeof pem))
                return NULL;
        dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags);
        dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_SIGNATURETTL, &how->life, sizeof how->life);
        DKIM *dkim = dkim_sign(lib, (const u_char *)"peer", NULL, (u_char *)pem,
                (const u_char *)how->selector, (const u_char *)how->domain, canon(how->canon),
                canon(strchr(how->canon, '/') + 1),
                strcmp(how->algorithm, "rsa-sha256") == 0 ? DKIM_SIGN_RSASHA256 : DKIM_SIGN_ED25519SHA256, -1,
                s);
        if (dkim && strcmp(how->identity, "-") != 0)
                *s = dkim_set_signer(dkim, (const u_char *)how->identity);
        return dkim;
}

static void sign(DKIM_LIB *lib, struct how *how, u_char *message, size_t size)
{
        DKIM_STAT s;
        _Bool testing;
        u_char *value = NULL;
        size_t n = 0;
        DKIM *dkim = signer(lib, how, &s);
        if (s == DKIM_STAT_OK)
                s = feed(dkim, message, size);
        if (s == DKIM_STAT_OK)
                s = dkim_eom(dkim, &testing);
        if (s == DKIM_STAT_OK)
                s = dkim_getsighdr_d(dkim, strlen("DKIM-Signature: "), &value, &n);
        if (s == DKIM_STAT_OK)
                printf("%zu\n%.*s", n, (int)n, (char *)value);
        else
                printf("error %s\n", dkim_getresultstr(s));
        if (dkim)
                dkim_free(dkim);
}

/* The next word of the line; NULL when there is none. */
static const char *word(char **rest)
{
        char *start = *rest + strspn(*rest, " \n"), *end = start + strcspn(start, " \n");
        *rest = *end ? end + 1 : end;
        *end = '\0';
        return end > start ? start : NULL;
}

static bool command(DKIM_LIB *lib, char *line)
{
        const char *verb = word(&line), *digits = word(&line);
        size_t size = digits ? strtoul(digits, NULL, 10) : 0;
        u_char *message = malloc(size + 1);
        bool good = message && digits && fread(message, 1, size, stdin) == size;
        if (good && strcmp(verb, "verify") == 0) {
                verify(lib, message, size);
        } else if (good) {
                const char *words[8];
                for (size_t i = 0; i < 8; i++)
                        words[i] = word(&line);
                good = words[7] && strchr(words[1], '/');
                if (good)
                        sign(lib,
                                &(struct how){words[0], words[1], words[2], words[3], words[4], words[5],
                                        words[6][0] == '1', strtoul(words[7], NULL, 10)},
                                message, size);
        }
        free(message);
        fflush(stdout);
        return good;
}

int main(int argc, char **argv)
{
        char line[LINE_SIZE];
        bool good = true;
        DKIM_LIB *lib = dkim_init(NULL, NULL);
        if (argc != 2 || !lib || !read_zone(argv[1]) || dkim_set_key_lookup(lib, find_key) != DKIM_STAT_OK)
                return 1;
        printf("rsa%s\n", dkim_libfeature(lib, DKIM_FEATURE_ED25519) ? " ed25519" : "");
        fflush(stdout);
        while (good && fgets(line, sizeof line, stdin))
                good = command(lib, line);
        dkim_close(lib);
        return good ? 0 : 1;
}
