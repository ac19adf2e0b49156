/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "app/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct option_spec specs[] = {
        {"domain", 0, "D", true, "a domain"},
        {"listen", 'l', "IP", false, "where"},
        {"quiet", 'q', NULL, false, "say less"},
        {NULL, 0, NULL, false, NULL},
};

static enum err parse(struct options *o, int count, ...)
{
        char *argv[16] = {"program"};
        va_list list;
        va_start(list, count);
        for (int i = 0; i < count; i++)
                argv[i + 1] = va_arg(list, char *);
        va_end(list);
        return options_parse(specs, count + 1, argv, o);
}

static void test_forms(void **state)
{
        (void)state;
        struct options o;
        struct str v;
        assert_int_equal(
                parse(&o, 8, "--domain", "a", "--domain=b=c", "-q", "-l1", "x", "-", "--domain"), ERR_SYNTAX);
        assert_int_equal(parse(&o, 7, "--domain", "a", "--domain=b=c", "-q", "-l1", "x", "-"), ERR_OK);
        assert_true(options_nth(&o, "domain", 0, &v) && str_eq(v, S("a")));
        assert_true(options_nth(&o, "domain", 1, &v) && str_eq(v, S("b=c")));
        assert_false(options_nth(&o, "domain", 2, &v));
        assert_true(options_has(&o, "quiet"));
        assert_true(options_value(&o, "listen", &v) && str_eq(v, S("1")));
        assert_int_equal(o.arguments_count, 2);
        assert_int_equal(parse(&o, 3, "--", "--domain", "-q"), ERR_OK);
        assert_int_equal(o.arguments_count, 2);
        assert_false(options_has(&o, "quiet"));
}

static void test_faults_are_named(void **state)
{
        (void)state;
        struct options o;
        assert_int_equal(parse(&o, 1, "--bogus=1"), ERR_SYNTAX);
        assert_string_equal(o.message, "unknown option: --bogus");
        assert_int_equal(parse(&o, 1, "-z"), ERR_SYNTAX);
        assert_string_equal(o.message, "unknown option: -z");
        assert_int_equal(parse(&o, 1, "--listen"), ERR_SYNTAX);
        assert_string_equal(o.message, "option needs a value: --listen");
        assert_int_equal(parse(&o, 1, "--quiet=yes"), ERR_SYNTAX);
        assert_string_equal(o.message, "option takes no value: --quiet");
        assert_int_equal(parse(&o, 4, "--listen", "a", "-l", "b"), ERR_SYNTAX);
        assert_string_equal(o.message, "option given twice: -l");
}

static void test_too_many(void **state)
{
        (void)state;
        static struct options o;
        static char *argv[OPTIONS_MAX + 3];
        for (size_t i = 0; i < OPTIONS_MAX + 2; i++)
                argv[i] = "x";
        assert_int_equal(options_parse(specs, OPTIONS_MAX + 1, argv, &o), ERR_OK);
        assert_int_equal(options_parse(specs, OPTIONS_MAX + 2, argv, &o), ERR_LIMIT);
}

/* What was read of a file that is too large is no secret that anybody will wipe. */
static void test_secret_too_large(void **state)
{
        (void)state;
        char path[] = "/tmp/ptt-options-XXXXXX", buffer[16];
        struct str secret;
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, " sixteen bytes!\n", 16), 16);
        assert_int_equal(options_file_read(str_of_c(path), buffer, sizeof buffer, &secret), ERR_OK);
        assert_true(str_eq(secret, S("sixteen bytes!")));
        assert_int_equal(write(fd, "x", 1), 1);
        assert_int_equal(options_file_read(str_of_c(path), buffer, sizeof buffer, &secret), ERR_SPACE);
        for (size_t i = 0; i < sizeof buffer; i++)
                assert_int_equal(buffer[i], 0);
        close(fd);
        unlink(path);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forms),
                cmocka_unit_test(test_faults_are_named),
                cmocka_unit_test(test_too_many),
                cmocka_unit_test(test_secret_too_large),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
