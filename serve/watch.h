/* SPDX-License-Identifier: ISC */
/* One who watches: looks each minute at what could need a person (list/alarm.h), and once a day at the records of our
 * domains. The admin gets a mail when something begins and one when it is over, committed together with the row that says
 * so: neither a death nor a restart makes a second one. Without --admin the log alone tells. */
#ifndef SERVE_WATCH_H
#define SERVE_WATCH_H

#include "serve/lipap.h"

/* A fiber's function: runs until cancelled. `lipap` is a struct lipap. */
void watch_run(void *lipap);

#endif
