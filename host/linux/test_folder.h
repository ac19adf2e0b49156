/* SPDX-License-Identifier: ISC */
/* For tests: a new folder for what they write, in $TMPDIR or else in /tmp. Whoever includes this has mkdtemp
 * (_DEFAULT_SOURCE or _GNU_SOURCE) and removes the folder. */
#ifndef HOST_LINUX_TEST_FOLDER_H
#define HOST_LINUX_TEST_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define TEST_FOLDER_MAX 96

/* `name` tells in the folder's own name whose it is. A $TMPDIR that is missing or too long fails the test. */
static inline void test_folder_make(char folder[TEST_FOLDER_MAX], const char *name)
{
        const char *parent = getenv("TMPDIR");
        int n = snprintf(folder, TEST_FOLDER_MAX, "%s/ptt-%s-XXXXXX", parent != NULL ? parent : "/tmp", name);
        assert_in_range(n, 1, TEST_FOLDER_MAX - 1);
        assert_non_null(mkdtemp(folder));
}

#endif
