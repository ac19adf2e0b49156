/* SPDX-License-Identifier: ISC */
/* STARTTLS (RFC 3207) by the client engine. */
#include "smtp/client_dialogue.h"

#define OFFERED              \
        GREET                \
        "S:250-mx.test\n"    \
        "S:250-PIPELINING\n" \
        "S:250 starttls\n"   \
        "C:STARTTLS\n"
#define SECURED                  \
        OFFERED                  \
        "S:220 2.0.0 go ahead\n" \
        "C:EHLO c.test\n"        \
        "E:secure\n"

static const struct dialogue dialogues[] = {
        {"what was offered in the clear is forgotten",
                SECURED "S:250-mx.test\n"
                        "S:250 8BITMIME\n"
                        "E:ready 8bit\n" QUIT,
                SMTP_CLIENT_TLS_MAY},
        {"offered again under TLS, it is passed over",
                SECURED "S:250-mx.test\n"
                        "S:250 STARTTLS\n"
                        "E:ready\n" QUIT,
                SMTP_CLIENT_TLS_MUST},
        {"not wanted",
                GREET "S:250-mx.test\n"
                      "S:250 STARTTLS\n"
                      "E:ready\n" QUIT,
                SMTP_CLIENT_TLS_NEVER},
        {"not offered, and it may be", PLAIN QUIT, SMTP_CLIENT_TLS_MAY},
        {"not offered, and it must be",
                GREET "S:250 mx.test\n"
                      "E:closed no TLS at ehlo 250 mx.test\n",
                SMTP_CLIENT_TLS_MUST},
        {"refused, and it may be",
                OFFERED "S:454 4.7.0 not now\n"
                        "C:EHLO c.test\n"
                        "S:250-mx.test\n"
                        "S:250 STARTTLS\n"
                        "E:ready\n" QUIT,
                SMTP_CLIENT_TLS_MAY},
        {"refused, and it must be",
                OFFERED "S:454 4.7.0 not now\n"
                        "E:closed no TLS at starttls 454 4.7.0 not now\n",
                SMTP_CLIENT_TLS_MUST},
        {"a server that closes",
                OFFERED "S:421 4.3.2 bye\n"
                        "E:closed closed by the server at starttls 421 4.3.2 bye\n",
                SMTP_CLIENT_TLS_MAY},
        {"another code than 220", OFFERED "S:250 fine\n" BROKEN("starttls"), SMTP_CLIENT_TLS_MAY},
};

static void test_dialogues(void **state)
{
        (void)state;
        play_dialogues(dialogues, sizeof dialogues / sizeof dialogues[0]);
}

/* A reply that somebody on the way put behind 220 would be taken for one given under TLS (CVE-2021-38371). */
static void test_bytes_behind_220(void **state)
{
        const struct smtp_client_config config = {.hello = S("c.test"), .tls = SMTP_CLIENT_TLS_MAY};
        struct client_play p;
        uint32_t whole = 0;
        (void)state;
        client_play_begin_with(&p, &config);
        client_play_feed(&p, S("220 mx.test\r\n"), &whole);
        client_play_feed(&p, S("250-mx.test\r\n250 STARTTLS\r\n"), &whole);
        p.events.n = 0;
        client_play_feed(&p, S("220 go\r\n250 injected\r\n"), &whole);
        assert_true(p.is_closed);
        assert_true(str_has_prefix(play_str(&p.events), S("closed protocol broken")));
        client_play_free(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dialogues),
                cmocka_unit_test(test_bytes_behind_220),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
