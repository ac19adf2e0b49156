/* SPDX-License-Identifier: ISC */
/* CHECK: an assertion that stays in release builds. It is for our own faults only; a peer's fault returns an err.
 * A failed CHECK writes file, line and condition to standard error and aborts. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

_Noreturn void check_failed(const char *file, int line, const char *condition);

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#endif
