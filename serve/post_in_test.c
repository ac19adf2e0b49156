/* SPDX-License-Identifier: ISC */
/* Posts: who may, what is kept of them, and what stands in front. */
#include "serve/inbound_signed.h"

#include "serve/post.h"
#include "store/open_tickets.h"

/* ---- posts ---- */

static void post_limit(struct rig *r)
{
        static const char start[] = "From: author@example.org\r\n\r\n";
        char text[3000];
        memset(text, 'x', sizeof text);
        memcpy(text, start, sizeof start - 1);
        for (size_t i = 500; i + 2 < sizeof text; i += 500)
                memcpy(text + i, "\r\n", 2);
        assert_int_equal(store_setting_put(r->node.store, 1, S("max-message"), S("2K")), ERR_OK);
        stranger(r,
                "C: MAIL FROM:<author@example.org> SIZE=2049\nS: 250\n"
                "C: RCPT TO:<ptt@mailingl.st>\nS: 552 5.3.4\nC: RCPT TO:<postmaster@mailingl.st>\nS: 250");
        deliver(r, &r->stranger_at, "author@example.org", "ptt@mailingl.st", str_of(text, 2047), "552 5.3.4");
        assert_int_equal(store_space(r->node.store).used, 0);
        deliver(r, &r->stranger_at, "author@example.org", "ptt@mailingl.st", str_of(text, 2046), "250 2.0.0");
        deliver(r, &r->stranger_at, "author@example.org", "postmaster@mailingl.st", str_of(text, 2900),
                "250 2.0.0");
}

static void posts(struct rig *r)
{
        int64_t ids[4];
        size_t count;
        post(r, "Subject: x\r\n\r\nno author\r\n", "554 5.6.0");
        post(r, "From: author@example.org\r\nFrom: other@example.org\r\n\r\ntwo\r\n", "554 5.6.0");
        post(r, "From: author@example.org\r\nno field\r\n\r\nx\r\n", "554 5.6.0");
        post(r, "From: author@example.org\r\nList-Id: old <ptt.mailingl.st>\r\n\r\nloop\r\n", "554 5.4.6");
        post(r, "From: author@example.org\r\nAuto-Submitted: auto-replied\r\n\r\nvacation\r\n", "554 5.7.1");
        assert_int_equal(open_tickets(r->node.store, 0, 4, ids, &count), ERR_OK);
        assert_int_equal(count, 0);
        assert_int_equal(store_space(r->node.store).used, 0);
        assert_int_equal(store_space(r->node.store).reserved, 0);
        post(r, "From: author@example.org\r\nList-Id: <other.example.org>\r\n\r\nfine\r\n", "250 2.0.0");
        post(r, "From: author@example.org\r\nno-body: at all\r\n", "250 2.0.0");
        assert_int_equal(open_tickets(r->node.store, 0, 4, ids, &count), ERR_OK);
        assert_int_equal(count, 2);
        stranger(r, "C: MAIL FROM:<author@example.org> SIZE=9999999\nS: 552 5.3.4");
}

static void post_repeated(struct rig *r, const char *field, size_t count, const char *want)
{
        size_t n = 0, cap = 65536;
        char *text = malloc(cap);
        assert_non_null(text);
        for (size_t i = 0; i < count; i++)
                n += (size_t)snprintf(text + n, cap - n, "%s: x; y\r\n", field);
        (void)snprintf(text + n, cap - n, "From: author@example.org\r\n\r\nx\r\n");
        post(r, text, want);
        free(text);
}

/* No message is taken that nec, which finds our own fields in front of it, would refuse for ever. */
static void repeated_fields(struct rig *r)
{
        size_t covered = 2 + dkim_cover_default_count - 4; /* From, all names over but the last three */
        post_repeated(r, "Received", MAIL_RECEIVED_MAX, "250 2.0.0");
        post_repeated(r, "Received", MAIL_RECEIVED_MAX + 1, "554 5.4.6");
        post_repeated(r, "To", DKIM_COVERED_MAX - POST_COVERED_ADDED - covered, "250 2.0.0");
        post_repeated(r, "To", DKIM_COVERED_MAX - POST_COVERED_ADDED - covered + 1, "554 5.6.0");
        post_repeated(r, "X-Any", 900, "250 2.0.0");
        post_repeated(r, "X-Any", 950, "552 5.3.4");
}

static void large_header(struct rig *r)
{
        size_t n = MAIL_HEADER_MAX + 65536;
        char *text = malloc(n);
        assert_non_null(text);
        for (size_t i = 0; i < n; i += 64)
                memcpy(text + i, "X-Padding: 012345678901234567890123456789012345678901234567890\r\n", 64);
        struct lipap_stats before = r->node.stats;
        deliver(r, &r->stranger_at, "author@example.org", "ptt@mailingl.st", str_of(text, n), "552 5.3.4");
        assert_int_equal(r->node.stats.refused[552 - 400] - before.refused[552 - 400], 1);
        assert_int_equal(r->node.stats.accepted, before.accepted);
        assert_int_equal(store_space(r->node.store).used, 0);
        free(text);
}

/* ---- rights ---- */

static void add_list(struct rig *r, const char *name, const char *posting)
{
        static const struct str members[] = {{"ann@strict.test", 15}, {"ann@lax.test", 12},
                {"ann@sub.test", 12}, {"ann@bare.test", 13}, {"ann@silent.test", 15}};
        const struct str moderator = S("Mod@Strict.test");
        const struct store_setting rule = {S("posting"), str_of_c(posting)};
        struct store_list_new list = {.name = str_of_c(name),
                .domain = S("mailingl.st"),
                .settings = &rule,
                .setting_count = 1,
                .moderators = &moderator,
                .moderator_count = 1,
                .members = members,
                .member_count = sizeof members / sizeof members[0]};
        int64_t id;
        assert_int_equal(store_list_add(r->node.store, &list, &id), ERR_OK);
}

static void rights(struct rig *r)
{
        static const struct {
                const char *name, *sender, *from, *signer, *list, *want;
        } cases[] = {
                {"SPF, no policy", "author@example.org", "author@example.org", NULL, "ptt", "250 2.0.0"},
                {"the author's address in capitals", "author@example.org", "AUTHOR@EXAMPLE.ORG", NULL, "ptt",
                        "250 2.0.0"},
                {"a stranger, proven", "stranger@example.org", "stranger@example.org", NULL, "ptt",
                        "550 5.7.1"},
                {"a stranger, proven, to an open list", "stranger@example.org", "stranger@example.org", NULL,
                        "open", "250 2.0.0"},
                {"a member's envelope, a stranger's From", "author@example.org", "stranger@example.org", NULL,
                        "ptt", "550 5.7.1"},
                {"forged From, p=reject", "author@example.org", "ann@strict.test", NULL, "members",
                        "550 5.7.26"},
                {"forged From and envelope", "ann@strict.test", "ann@strict.test", NULL, "members",
                        "550 5.7.26"},
                {"forged From, to an open list", "author@example.org", "ann@strict.test", NULL, "open",
                        "550 5.7.26"},
                {"p=none gives no right", "author@example.org", "ann@lax.test", NULL, "members",
                        "550 5.7.26"},
                {"DKIM from anywhere, p=reject", "author@example.org", "ann@strict.test", "strict.test",
                        "members", "250 2.0.0"},
                {"DKIM of another domain", "author@example.org", "ann@strict.test", "silent.test", "members",
                        "550 5.7.26"},
                {"DKIM, no policy, no SPF", "bounces@silent.test", "ann@silent.test", "silent.test",
                        "members", "250 2.0.0"},
                {"no policy, no pass", "bounces@silent.test", "ann@silent.test", NULL, "members",
                        "550 5.7.1"},
                {"no policy, SPF fails", "ann@bare.test", "ann@bare.test", NULL, "members", "550 5.7.23"},
                {"SPF of a subdomain, aligned by the policy", "bounces@m.sub.test", "ann@sub.test", NULL,
                        "members", "250 2.0.0"},
                {"forged moderator, announce", "author@example.org", "mod@strict.test", NULL, "news",
                        "550 5.7.26"},
                {"forged moderator, moderated", "mod@strict.test", "mod@strict.test", NULL, "held",
                        "550 5.7.26"},
                {"moderator, announce", "author@example.org", "mod@strict.test", "strict.test", "news",
                        "250 2.0.0"},
                {"moderator, moderated", "author@example.org", "mod@strict.test", "strict.test", "held",
                        "250 2.0.0"},
                {"member, moderated: it is held", "author@example.org", "ann@strict.test", "strict.test",
                        "held", "250 2.0.0"},
                {"member, announce", "author@example.org", "ann@strict.test", "strict.test", "news",
                        "550 5.7.1"},
                {"postmaster takes all", "author@example.org", "ann@strict.test", NULL, "postmaster",
                        "250 2.0.0"},
                {"two authors of one domain, the first a member", "author@example.org",
                        "author@example.org, x@example.org", NULL, "ptt", "250 2.0.0"},
                {"two authors of one domain, the second a member", "author@example.org",
                        "x@example.org, author@example.org", NULL, "ptt", "550 5.7.1"},
                {"authors of two domains", "author@example.org", "author@example.org, ann@lax.test", NULL,
                        "ptt", "550 5.7.1"},
                {"an address literal", "author@example.org", "author@[127.0.0.1]", NULL, "open", "550 5.7.1"},
        };
        add_list(r, "members", "subscribers");
        add_list(r, "open", "open");
        add_list(r, "news", "announce");
        add_list(r, "held", "moderated");
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char plain[300], to[64], room[4096];
                (void)snprintf(plain, sizeof plain, "From: %s\r\nSubject: x\r\n\r\nHello\r\n", cases[i].from);
                (void)snprintf(to, sizeof to, "%s@mailingl.st", cases[i].list);
                struct str message = cases[i].signer ? signed_by(cases[i].signer, plain, room, sizeof room)
                                                     : str_of_c(plain);
                print_message("%s\n", cases[i].name);
                deliver(r, &r->stranger_at, cases[i].sender, to, message, cases[i].want);
        }
}

/* A message with a changed body, or with the From of another, is not what was signed. */
static void changed_after_signing(struct rig *r)
{
        char room[4096];
        add_list(r, "members", "subscribers");
        struct str message =
                signed_by("strict.test", "From: ann@strict.test\r\n\r\nHello\r\n", room, sizeof room);
        room[message.n - 4] ^= 1;
        deliver(r, &r->stranger_at, "author@example.org", "members@mailingl.st", message, "550 5.7.26");
        message = signed_by("strict.test", "From: eve@strict.test\r\n\r\nHello\r\n", room, sizeof room);
        memcpy(room + message.n - 27, "ann", 3);
        deliver(r, &r->stranger_at, "author@example.org", "members@mailingl.st", message, "550 5.7.26");
}

/* What hangs on a dead resolver is refused for now, and taken once it is back; what does not hang on it is taken. */
static void dead_resolver(struct rig *r)
{
        r->texts.is_silent = true;
        r->node.evaluations.patience_ms = 100;
        post(r, "From: author@example.org\r\n\r\nx\r\n", "451 4.7.");
        deliver(r, &r->stranger_at, "author@example.org", "postmaster@mailingl.st",
                S("From: a@b.test\r\n\r\nx\r\n"), "250 2.0.0");
        r->texts.is_silent = false;
        assert_int_equal(fiber_sleep(r->host->sched, 500), ERR_OK); /* queries on their way have given up */
        post(r, "From: author@example.org\r\n\r\nx\r\n", "250 2.0.0");
        r->texts.delay_ms = 150;
        r->node.evaluations.patience_ms = 3000;
        resolver_flush(r->node.resolver);
        post(r, "From: author@example.org\r\n\r\nx\r\n", "250 2.0.0");
}

/* ---- what is kept ---- */

static void same(struct str got, const char *want)
{
        if (!str_eq(got, str_of_c(want)))
                print_error("%.*s", STR_ARG(got));
        assert_true(str_eq(got, str_of_c(want)));
}

static void results(struct rig *r)
{
        char room[4096];
        post(r, "From: author@example.org\r\n\r\nx\r\n", "250 2.0.0");
        same(field_of(newest(r), "Authentication-Results", 0),
                "Authentication-Results: mailingl.st;\r\n"
                " spf=pass (mailingl.st: domain of author@example.org designates ::1 as\r\n"
                " permitted sender) smtp.mailfrom=@example.org;\r\n"
                " dkim=none;\r\n"
                " dmarc=none (example.org: no DMARC record for this domain or those above it)\r\n"
                " header.from=example.org;\r\n"
                " arc=none\r\n");
        add_list(r, "members", "subscribers");
        struct str message =
                signed_by("strict.test", "From: ann@strict.test\r\n\r\nHello\r\n", room, sizeof room);
        deliver(r, &r->stranger_at, "author@example.org", "members@mailingl.st", message, "250 2.0.0");
        struct str got = field_of(newest(r), "Authentication-Results", 0);
        assert_true(str_find(got, S("dkim=pass header.i=@strict.test header.s=s header.b=")) < got.n);
        assert_true(str_find(got, S("dmarc=pass (p=REJECT sp=REJECT) header.from=strict.test")) < got.n);
        /* it stands below our Received, and above all that came */
        assert_true(str_has_prefix(newest(r), S("Received: ")));
        struct str received = field_of(newest(r), "Received", 0);
        assert_true(
                str_has_prefix(str_skip(newest(r), received.n), S("Authentication-Results: mailingl.st;")));
}

/* RFC 8601 5: what claims to be ours does not go on, wherever it stands and however it is written. */
static void forged_results(struct rig *r)
{
        static const char *const forged[] = {
                "Authentication-Results: mailingl.st; spf=pass\r\n",
                "authentication-results:MAILINGL.ST 1;\r\n\tdmarc=pass header.from=x\r\n",
                "Authentication-Results: (a comment) \"mailingl.st\"; none\r\n",
                "Authentication-Results: mailingl.st nonsense = ; ;\r\n",
                "Authentication-Results: ;\r\n",
        };
        static const char kept[] = "X-First: 1\r\n"
                                   "Authentication-Results: other.example; spf=fail\r\n"
                                   "From: author@example.org\r\n"
                                   "X-Authentication-Results: mailingl.st; none\r\n"
                                   "\r\n"
                                   "Authentication-Results: mailingl.st; spf=pass\r\n";
        for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++)
                for (size_t at = 0; at < 4; at++) {
                        char text[1024];
                        struct str all = str_of(kept, sizeof kept - 1), rest = all;
                        struct wr w;
                        wr_init(&w, text, sizeof text);
                        for (size_t line = 0; line < at; line++) {
                                size_t n = str_find_byte(rest, '\n') + 1;
                                wr_str(&w, str_take(rest, n));
                                rest = str_skip(rest, n);
                        }
                        wr_str(&w, str_of_c(forged[i]));
                        if (at == 2)
                                wr_str(&w, str_of_c(forged[0]));
                        wr_str(&w, rest);
                        deliver(r, &r->stranger_at, "author@example.org", "ptt@mailingl.st", wr_text(&w),
                                "250 2.0.0");
                        struct str got = newest(r);
                        assert_true(got.n > all.n && str_eq(str_skip(got, got.n - all.n), all));
                        assert_true(field_of(newest(r), "Authentication-Results", 1).n > 0);
                        assert_int_equal(field_of(newest(r), "Authentication-Results", 2).n, 0);
                }
}

/* The longest results that anyone can make us write find room in front of the message. */
static void longest_results(struct rig *r)
{
        char *text = malloc(64 * 1024), label[64], quotes[60], line[4096];
        struct wr w;
        assert_non_null(text);
        memset(label, 'a', sizeof label);
        memset(quotes, '"', sizeof quotes); /* each needs a backslash */
        wr_init(&w, text, 64 * 1024);
        for (int i = 0; i < DKIM_SIGNATURES_MAX; i++) {
                (void)snprintf(line, sizeof line,
                        "DKIM-Signature: v=1; a=rsa-sha256; h=from; s=%.40s; d=%.63s.%.63s.%.56s.test;\r\n"
                        " i=%.60s@%.63s.%.63s.%.56s.test; b=AAAABBB%d;\r\n"
                        " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n",
                        label, label, label, label, quotes, label, label, label, i);
                wr_str(&w, str_of_c(line));
        }
        wr_str(&w, S("From: author@example.org\r\n\r\nx\r\n"));
        deliver(r, &r->stranger_at, "author@example.org", "ptt@mailingl.st", wr_text(&w), "250 2.0.0");
        struct str got = field_of(newest(r), "Authentication-Results", 0);
        assert_true(got.n > 3000 && got.n < LIPAP_FRONT_MAX - 2048);
        free(text);
}

#define TEST(name, list_of_texts)                \
        static void test_##name(void **state)    \
        {                                        \
                (void)state;                     \
                with_texts(list_of_texts, name); \
        }
TEST(post_limit, NULL)
TEST(posts, NULL)
TEST(repeated_fields, NULL)
TEST(large_header, NULL)
TEST(rights, signed_texts)
TEST(changed_after_signing, signed_texts)
TEST(dead_resolver, NULL)
TEST(results, signed_texts)
TEST(forged_results, NULL)
TEST(longest_results, NULL)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_post_limit),
                cmocka_unit_test(test_posts),
                cmocka_unit_test(test_repeated_fields),
                cmocka_unit_test(test_large_header),
                cmocka_unit_test(test_rights),
                cmocka_unit_test(test_changed_after_signing),
                cmocka_unit_test(test_dead_resolver),
                cmocka_unit_test(test_results),
                cmocka_unit_test(test_forged_results),
                cmocka_unit_test(test_longest_results),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
