/* SPDX-License-Identifier: ISC */
/* What the signing hop finds on a message and adds to it: signatures of its own, the status of a chain, a set. */
#include "serve/signer_world.h"

#include "auth/arc_verify.h"
#include "auth/dkim_sign.h"
#include "auth/dkim_verify.h"

#define TICKET "_signed.abc@" DOMAIN
#define RESULTS "Authentication-Results: mx.example.org;"
#define PLAIN "From: Author <author@far.example>\r\nSubject: hello\r\n\r\nbody\r\n"

/* A message that grows in front. */
struct text {
        size_t n;
        char p[65536];
};

static void set(struct text *t, struct str s)
{
        assert_true(s.n <= sizeof t->p);
        memcpy(t->p, s.p, s.n);
        t->n = s.n;
}

static struct str str_of_text(const struct text *t)
{
        return str_of(t->p, t->n);
}

static void put_in_front(struct text *t, const char *fields)
{
        size_t n = strlen(fields);
        assert_true(n <= sizeof t->p - t->n);
        memmove(t->p + n, t->p, t->n);
        memcpy(t->p, fields, n);
        t->n += n;
}

static void replace(struct text *t, const char *what, const char *by)
{
        struct str s = str_of_text(t);
        size_t at = str_find(s, str_of_c(what)), old = strlen(what), new = strlen(by);
        assert_true(at < s.n && new <= sizeof t->p - t->n);
        memmove(t->p + at + new, t->p + at + old, t->n - at - old);
        memcpy(t->p + at, by, new);
        t->n += new - old;
}

/* Send it through; what comes out takes its place. */
static void pass_through(struct world *w, struct text *t)
{
        post_str(w, TICKET, str_of_text(t), 250, "queued as 42");
        set(t, str_of(w->hop.message, w->hop.n));
}

/* The next list: the results of the one before are gone, and there are new ones. */
static void arrive(struct text *t, const char *results)
{
        while (str_find(str_of_text(t), S(RESULTS)) < t->n)
                replace(t, RESULTS, "X-Results: old;");
        put_in_front(t, results);
}

struct looked {
        struct mail_field fields[MAIL_FIELDS_MAX];
        struct mail_header header;
        struct body_hash body;
        struct arc_verify arc;
        struct dkim_verify dkim;
};

static struct looked *look(struct world *w, const struct text *t)
{
        struct looked *l = malloc(sizeof *l);
        assert_non_null(l);
        assert_int_equal(mail_header_index(str_of_text(t), l->fields, MAIL_FIELDS_MAX, &l->header), ERR_OK);
        body_hash_init(&l->body);
        arc_verify_init(&l->arc, &l->header, host_wall_ms(w->h) / 1000, &l->body);
        body_hash_write(&l->body, str_skip(str_of_text(t), l->header.body_at));
        body_hash_end(&l->body);
        return l;
}

static size_t count(const struct text *t, const char *name)
{
        struct mail_field fields[256];
        struct mail_header header;
        assert_int_equal(mail_header_index(str_of_text(t), fields, 256, &header), ERR_OK);
        return mail_header_count(&header, str_of_c(name));
}

/* The verdict of our own verifier, with the one key of all seals. */
static enum arc_cv judge(struct world *w, const struct text *t)
{
        struct zone_signing_set keys;
        struct dkim_key key;
        char record[KEY_RECORD_MAX];
        struct wr r;
        struct looked *l = look(w, t);
        assert_int_equal(zone_keeper_keys(w->keepers[0], &keys), ERR_OK);
        assert_non_null(keys.keys[ZONE_ARC_RSA].key);
        wr_init(&r, record, sizeof record);
        assert_int_equal(key_record_write(keys.keys[ZONE_ARC_RSA].key, &r), ERR_OK);
        struct str text = wr_text(&r);
        dkim_key_from_records(&text, 1, &key);
        bool good = true;
        for (size_t i = 0; good && i < l->arc.count; i++)
                good = arc_verify_check(&l->arc, i, &key);
        enum arc_cv cv = l->arc.chain.verdict.cv;
        dkim_key_drop(&key);
        free(l);
        return cv;
}

static void expect_set(
        struct world *w, const struct text *t, size_t sets, const char *cv, const char *results)
{
        struct looked *l = look(w, t);
        struct str payload = S("");
        assert_int_equal(l->arc.chain.count, sets);
        if (sets > 0) {
                const struct arc_set *newest = &l->arc.chain.sets[sets - 1];
                assert_true(str_eq(newest->seal.cv, str_of_c(cv)));
                assert_true(str_eq_nocase(newest->seal.domain, S(DOMAIN)));
                assert_true(newest->seal.has_time);
                assert_int_equal(
                        arc_results_instance(newest->fields[ARC_FIELD_RESULTS]->body, &payload), sets);
                if (!str_eq(str_trim(payload), str_of_c(results)))
                        fail_msg("%.*s, not %s", STR_ARG(payload), results);
        }
        free(l);
}

/* What the receiver has written becomes the set. */
static void play_first_sets(struct world *w)
{
        static const struct {
                const char *name, *front;
                size_t sets;
                const char *cv, *results;
        } cases[] = {
                {"no results", "", 0, "", ""},
                {"of another receiver", "Authentication-Results: mx.example.com; arc=none\r\n", 0, "", ""},
                {"of one whose name begins alike",
                        "Authentication-Results: mx.example.org.evil.example; arc=none\r\n", 0, "", ""},
                {"malformed", RESULTS " dkim\r\n", 0, "", ""},
                {"without arc=", RESULTS "\r\n spf=pass smtp.mailfrom=a.example\r\n", 1, "none",
                        "mx.example.org;\r\n spf=pass smtp.mailfrom=a.example"},
                {"with it", RESULTS " arc=none; dkim=pass (2048-bit key) header.d=a.example\r\n", 1, "none",
                        "mx.example.org;\r\n arc=none; dkim=pass (2048-bit key) header.d=a.example"},
                {"nothing was looked at", RESULTS " none\r\n", 1, "none", "mx.example.org; none"},
                {"two fields",
                        RESULTS " spf=fail\r\nX: y\r\n" RESULTS " dkim=pass header.d=a.example; arc=none\r\n",
                        1, "none",
                        "mx.example.org;\r\n spf=fail;\r\n dkim=pass header.d=a.example; arc=none"},
                {"a chain is claimed that is not there", RESULTS " arc=pass\r\n", 1, "none",
                        "mx.example.org;\r\n arc=pass"},
        };
        static struct text t;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                print_message("case: %s\n", cases[i].name);
                set(&t, S(PLAIN));
                put_in_front(&t, cases[i].front);
                pass_through(w, &t);
                expect_set(w, &t, cases[i].sets, cases[i].cv, cases[i].results);
                assert_int_equal(judge(w, &t), cases[i].sets > 0 ? ARC_PASS : ARC_NONE);
                assert_int_equal(count(&t, "DKIM-Signature"), 2);
        }
}

/* A message with `sets` of ours, as it arrives at the next list. */
static void begin_chain(struct world *w, struct text *t, size_t sets)
{
        set(t, S(PLAIN));
        for (size_t i = 0; i < sets; i++) {
                arrive(t, i == 0 ? RESULTS " arc=none\r\n" : RESULTS " arc=pass\r\n");
                replace(t, "hello", "list: hello"); /* each list breaks the signatures before it */
                pass_through(w, t);
        }
}

/* The verdict at arrival counts, whatever the list has done since. */
static void play_chains(struct world *w)
{
        static const struct {
                const char *name;
                size_t sets;
                const char *results;   /* as the list's receiver wrote them */
                const char *what, *by; /* what is done to the message, or NULL */
                size_t sets_after;
                const char *cv;
                enum arc_cv judged;
        } cases[] = {
                {"the list rewrote From", 1, RESULTS " arc=pass\r\n", "author@far.example", "list@" DOMAIN, 2,
                        "pass", ARC_PASS},
                {"of two, and the body changed", 2, RESULTS " arc=pass\r\n", "body", "BODY", 3, "pass",
                        ARC_PASS},
                {"it failed at arrival", 1, RESULTS " arc=fail\r\n", NULL, NULL, 2, "fail", ARC_FAIL},
                {"it cannot have been none", 1, RESULTS " arc=none\r\n", "hello", "list: hello", 2, "fail",
                        ARC_FAIL},
                {"two words that differ", 1, RESULTS " arc=pass; arc=fail\r\n", NULL, NULL, 2, "fail",
                        ARC_FAIL},
                {"two fields that differ", 1, RESULTS " arc=pass\r\n" RESULTS " arc=none\r\n", NULL, NULL, 2,
                        "fail", ARC_FAIL},
                {"two that agree", 1, RESULTS " arc=pass\r\n" RESULTS " arc=pass\r\n", NULL, NULL, 2, "pass",
                        ARC_PASS},
                {"a word that is none", 1, RESULTS " arc=perhaps\r\n", NULL, NULL, 2, "fail", ARC_FAIL},
                {"a broken structure", 2, RESULTS " arc=pass\r\n", "ARC-Seal:", "X-Seal:", 3, "fail",
                        ARC_FAIL},
                {"without arc=, as it stands", 1, RESULTS " spf=pass\r\n", NULL, NULL, 2, "pass", ARC_PASS},
                {"without arc=, of two", 2, RESULTS " spf=pass\r\n", NULL, NULL, 3, "pass", ARC_PASS},
                {"without arc=, changed", 1, RESULTS " spf=pass\r\n", "body", "BODY", 2, "fail", ARC_FAIL},
                {"without arc=, a broken structure", 2, RESULTS " spf=pass\r\n", "ARC-Seal:", "X-Seal:", 3,
                        "fail", ARC_FAIL},
                {"no results", 1, "", NULL, NULL, 1, "none", ARC_PASS},
        };
        static struct text t;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                print_message("case: %s\n", cases[i].name);
                begin_chain(w, &t, cases[i].sets);
                arrive(&t, cases[i].results);
                if (cases[i].what)
                        replace(&t, cases[i].what, cases[i].by);
                pass_through(w, &t);
                struct looked *l = look(w, &t);
                assert_int_equal(l->arc.chain.count, cases[i].sets_after);
                assert_true(
                        str_eq(l->arc.chain.sets[cases[i].sets_after - 1].seal.cv, str_of_c(cases[i].cv)));
                free(l);
                assert_int_equal(judge(w, &t), cases[i].judged);
        }
}

/* Behind cv=fail nothing is added; DKIM goes on. */
static void play_ended(struct world *w)
{
        static struct text t;
        begin_chain(w, &t, 1);
        arrive(&t, RESULTS " arc=fail\r\n");
        pass_through(w, &t);
        arrive(&t, RESULTS " arc=fail\r\n");
        replace(&t, "hello", "list: hello");
        size_t signatures = count(&t, "DKIM-Signature");
        pass_through(w, &t);
        assert_int_equal(count(&t, "ARC-Seal"), 2);
        assert_int_equal(count(&t, "DKIM-Signature"), signatures + 2);
}

/* A message that comes by twice is signed once, and sealed once for the same results. */
static void play_twice(struct world *w)
{
        static struct text t;
        set(&t, S(PLAIN));
        arrive(&t, RESULTS " arc=none\r\n");
        for (int i = 0; i < 3; i++)
                pass_through(w, &t);
        assert_int_equal(count(&t, "DKIM-Signature"), 2);
        assert_int_equal(count(&t, "ARC-Seal"), 1);
        assert_int_equal(count(&t, "Received"), 3);
        arrive(&t, RESULTS " arc=pass\r\n"); /* new results are sealed, and the signature is still right */
        pass_through(w, &t);
        assert_int_equal(count(&t, "DKIM-Signature"), 2);
        assert_int_equal(count(&t, "ARC-Seal"), 2);
        replace(&t, "body", "BODY"); /* it is no longer */
        pass_through(w, &t);
        assert_int_equal(count(&t, "DKIM-Signature"), 4);
}

/* Signatures that only look like ours do not spare the message ours. */
static void play_false_own(struct world *w)
{
        static const struct {
                const char *name, *what, *by;
        } cases[] = {
                {"of another domain", "d=" DOMAIN, "d=example.org"},
                {"of another selector", "s=dkim-", "s=mail-"},
                {"of a selector without a number", "s=dkim-", "s=dkim-x"},
                {"of an epoch that is not in the zone", "s=dkim-", "s=dkim-9"},
                {"from the future", "; t=", "; t=9"},
        };
        static struct text t;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                print_message("case: %s\n", cases[i].name);
                set(&t, S(PLAIN));
                pass_through(w, &t);
                replace(&t, cases[i].what, cases[i].by);
                replace(&t, "a=ed25519-sha256", "a=ed25519-sha512"); /* the other one is not to help out */
                pass_through(w, &t);
                assert_int_equal(count(&t, "DKIM-Signature"), 4);
        }
}

/* A right signature by our key of now, with a life of its own. */
static void sign_for(struct world *w, struct text *t, int64_t life_s)
{
        struct zone_signing_set set;
        struct mail_field fields[256];
        struct mail_header header;
        struct body_hash body;
        uint8_t digest[SHA256_SIZE];
        char field[DKIM_FIELD_MAX + 1];
        struct wr out;
        assert_int_equal(zone_keeper_keys(w->keepers[0], &set), ERR_OK);
        const struct zone_signing_key *key = &set.keys[ZONE_DKIM_RSA];
        struct dkim_sign_params params = {.domain = S(DOMAIN),
                .selector = key->selector,
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_RELAXED,
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count,
                .time_s = key->time_s,
                .expiry_s = life_s > 0 ? key->time_s + life_s : 0};
        assert_int_equal(mail_header_index(str_of_text(t), fields, 256, &header), ERR_OK);
        body_hash_init(&body);
        size_t slot = body_hash_want(&body, CANON_RELAXED, BODY_HASH_ALL);
        body_hash_write(&body, str_skip(str_of_text(t), header.body_at));
        body_hash_end(&body);
        assert_int_equal(body_hash_result(&body, slot, digest), ERR_OK);
        body_hash_drop(&body);
        wr_init(&out, field, DKIM_FIELD_MAX);
        assert_int_equal(dkim_sign(&params, &header, digest, key->key, &out), ERR_OK);
        field[out.n] = '\0';
        put_in_front(t, field);
}

/* A signature of ours that would expire while queues hold the message does not spare it a new one. */
static void play_own_that_expires(struct world *w)
{
        static const struct {
                int64_t life_s;
                size_t after;
        } cases[] = {{0, 1}, {6 * 86400, 1}, {4 * 86400, 3}};
        static struct text t;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                set(&t, S(PLAIN));
                sign_for(w, &t, cases[i].life_s);
                pass_through(w, &t);
                assert_int_equal(count(&t, "DKIM-Signature"), cases[i].after);
        }
}

static void silent(struct fake_dns *dns, const struct fake_query *q)
{
        (void)dns;
        (void)q;
}

/* The keys of a chain that has to be validated: a name server that is silent is waited for by the sender, one that
 * refuses to tell costs the set alone. */
static void play_dns(struct world *w)
{
        static struct text t;
        struct fake_dns *dns = &w->primary->dns;
        void (*answer)(struct fake_dns *, const struct fake_query *) = dns->answer;
        begin_chain(w, &t, 1);
        arrive(&t, RESULTS " spf=pass\r\n");
        replace(&t, "hello", "list: hello");
        dns->answer = silent;
        resolver_flush(w->resolver);
        post_str(w, TICKET, str_of_text(&t), 451, "cannot be looked up now");
        dns->answer = answer;
        w->primary->is_broken = true;
        resolver_flush(w->resolver);
        pass_through(w, &t);
        assert_int_equal(count(&t, "ARC-Seal"), 1);
        assert_int_equal(count(&t, "DKIM-Signature"), 4);
        w->primary->is_broken = false;
        resolver_flush(w->resolver);
}

/* The names that a silent server was asked for before it was asked for one again. */
struct asked {
        struct dns_name names[8];
        size_t n;
        bool is_over;
};

static void note_question(struct fake_dns *dns, const struct fake_query *q)
{
        struct asked *asked = dns->arg;
        const struct dns_name *name = &q->summary.question.name;
        for (size_t i = 0; i < asked->n; i++)
                asked->is_over = asked->is_over || dns_name_eq(&asked->names[i], name);
        if (!asked->is_over && asked->n < 8)
                asked->names[asked->n++] = *name;
}

/* All keys of a chain are asked for at once, or fifty sets would cost fifty times the patience. */
static void play_questions(struct world *w)
{
        static struct text t;
        struct fake_dns *dns = &w->primary->dns, before = *dns;
        struct asked asked = {0};
        begin_chain(w, &t, 3);
        arrive(&t, RESULTS " spf=pass\r\n");
        replace(&t, "s=arc-", "s=one-"); /* the newest seal, its message signature, the seal before */
        replace(&t, "s=arc-", "s=two-");
        replace(&t, "s=arc-", "s=three-");
        dns->arg = &asked;
        dns->answer = note_question;
        resolver_flush(w->resolver);
        post_str(w, TICKET, str_of_text(&t), 451, "cannot be looked up now");
        dns->answer = before.answer;
        dns->arg = before.arg;
        assert_true(asked.is_over);
        assert_true(asked.n >= 3);
        resolver_flush(w->resolver);
}

static void test_first_sets(void **state)
{
        wait_ready(*state);
        play_first_sets(*state);
}

static void test_chains(void **state)
{
        play_chains(*state);
}

static void test_ended(void **state)
{
        play_ended(*state);
}

static void test_twice(void **state)
{
        play_twice(*state);
}

static void test_false_own(void **state)
{
        play_false_own(*state);
}

static void test_own_that_expires(void **state)
{
        play_own_that_expires(*state);
}

static void test_dns(void **state)
{
        play_dns(*state);
}

static void test_questions(void **state)
{
        play_questions(*state);
}

static int all_tests(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_sets),
                cmocka_unit_test(test_chains),
                cmocka_unit_test(test_ended),
                cmocka_unit_test(test_twice),
                cmocka_unit_test(test_false_own),
                cmocka_unit_test(test_own_that_expires),
                cmocka_unit_test(test_dns),
                cmocka_unit_test(test_questions),
        };
        return cmocka_run_group_tests(tests, give_world, NULL);
}

int main(void)
{
        return run_in_world(all_tests, false);
}
