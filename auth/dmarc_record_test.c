/* SPDX-License-Identifier: ISC */
#include "auth/dmarc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/exact.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

/* "p sp np", a "!" when it is not usable, and what else is not the default */
static const char *show(const struct dmarc_record *r, char out[128])
{
        static const char letters[] = "nqr";
        snprintf(out, 128, "%c%c%c%s%s%s%s%s%s%s", letters[r->p], letters[r->sp], letters[r->np],
                r->has_sp ? " sp" : "", r->has_np ? " np" : "", r->is_usable ? "" : " !",
                r->strict_dkim ? " adkim" : "", r->strict_spf ? " aspf" : "", r->testing ? " t" : "",
                r->psd == DMARC_PSD_YES  ? " psd"
                : r->psd == DMARC_PSD_NO ? " org"
                                         : "");
        return out;
}

static const struct {
        const char *text, *want; /* NULL: not a DMARC record */
} cases[] = {
        {"v=DMARC1; p=reject", "rrr"},
        {"v=DMARC1;p=quarantine;", "qqq"},
        {"v=DMARC1 ; p=none ;; ", "nnn"},
        {" v = DMARC1\t;\tp = reject", "rrr"},
        {"V=DMARC1; p=REJECT; sp=None; np=Quarantine", "rnq sp np"},
        {"v=DMARC1; p=reject; np=none", "rrn np"},
        {"v=DMARC1; p=none; sp=reject", "nrr sp"},
        {"v=DMARC1; p=reject; p=none", "rrr"},
        {"v=DMARC1; adkim=s; p=none; aspf=S; t=y; psd=y", "nnn adkim aspf t psd"},
        {"v=DMARC1; p=none; adkim=x; aspf=; t=yes; psd=u", "nnn"},
        {"v=DMARC1; p=none; psd=N", "nnn org"},
        {"v=DMARC1; p=none; pct=0; x=y; noise; =z; x\x01=y", "nnn"},
        {"v=DMARC1", "nnn !"},
        {"v=DMARC1; P=reject", "nnn !"},
        {"v=DMARC1; p=rejected; sp=reject", "nnn !"},
        {"v=DMARC1; p=reject; sp=x", "nnn !"},
        {"v=DMARC1; p=reject; np=x", "nnn !"},
        {"v=DMARC1; p=reject; np=x; rua=mailto:a@b", "nnn"},
        {"v=DMARC1; rua=mailto:a@b", "nnn"},
        {"v=DMARC1; rua=x, mailto:a@b!10m", "nnn"},
        {"v=DMARC1; rua=https://example.org/a?b=%20", "nnn"},
        {"v=DMARC1; rua=mailto:a", "nnn !"},
        {"v=DMARC1; rua=mailto:a@!10m", "nnn !"},
        {"v=DMARC1; rua=mailto:@b", "nnn !"},
        {"v=DMARC1; rua=mailto:a@?subject=b", "nnn !"},
        {"v=DMARC1; rua=mailto:a b@c", "nnn !"},
        {"v=DMARC1; rua=a@b", "nnn !"},
        {"v=DMARC1; rua=1a:b@c", "nnn !"},
        {"v=DMARC1; rua=x%y:b", "nnn !"},
        {"v=DMARC1; rua=x:%4", "nnn !"},
        {"v=DMARC1; rua=,,", "nnn !"},
        {"", NULL},
        {"v", NULL},
        {"v=", NULL},
        {"v=dmarc1; p=none", NULL},
        {"v=DMARC1x; p=none", NULL},
        {"v=DMARC1 p=none", NULL},
        {"v=DMARC2; p=none", NULL},
        {"p=none; v=DMARC1", NULL},
        {";v=DMARC1; p=none", NULL},
        {"x v=DMARC1; p=none", NULL},
        {"v=spf1 -all", NULL},
        {"\r\nv=DMARC1; p=none", NULL},
};

static void test_records(void **state)
{
        (void)state;
        for (size_t i = 0; i < CASES(cases); i++) {
                struct str whole = str_of_c(cases[i].text);
                struct dmarc_record r;
                char got[128];
                for (size_t n = 0; n <= whole.n; n++) {
                        struct str text = exact(str_take(whole, n));
                        enum err e = dmarc_record_parse(text, &r);
                        assert_true(e == ERR_OK || (e == ERR_NOT_FOUND && !r.is_usable));
                        if (n == whole.n && cases[i].want && e == ERR_OK)
                                assert_string_equal(show(&r, got), cases[i].want);
                        if (n == whole.n && (e == ERR_OK) != (cases[i].want != NULL))
                                fail_msg("%s", cases[i].text);
                        exact_free(text);
                }
        }
}

static void test_addresses_keep_their_case(void **state)
{
        (void)state;
        struct dmarc_record r;
        assert_int_equal(dmarc_record_parse(S("v=DMARC1; p=none; rua= mailto:A@B ; ruf=x"), &r), ERR_OK);
        assert_true(str_eq(r.rua, S("mailto:A@B")) && str_eq(r.ruf, S("x")));
}

static void test_every_fault_has_a_text(void **state)
{
        (void)state;
        for (enum dmarc_fault f = DMARC_OK; f < DMARC_FAULT_COUNT; f++) {
                char out[DMARC_REASON_MAX];
                struct dmarc_verdict v = {.fault = f};
                struct wr w;
                wr_init(&w, out, sizeof out);
                dns_name_set_root(&v.name);
                dmarc_reason_write(&w, &v);
                assert_true(!w.full && w.n == dmarc_fault_text(f).n + 3);
                assert_true(dmarc_result_text(dmarc_fault_result(f)).n > 0);
                assert_int_equal(dmarc_fault_result(f) == DMARC_PASS, f == DMARC_OK);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_records),
                cmocka_unit_test(test_addresses_keep_their_case),
                cmocka_unit_test(test_every_fault_has_a_text),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
