/* SPDX-License-Identifier: ISC */
/* What the admin is to know and was told, and which of the admin's mails were obeyed. See store.h for what holds for every
 * call. */
#ifndef STORE_ALARM_H
#define STORE_ALARM_H

#include "store/store.h"

struct store_alarm {
        bool is_on, is_told;
        int64_t since_ms, told_ms;
};
/*   ERR_OK; all zeros when nothing is kept of that name */
MUST_USE enum err store_alarm_get(struct store *s, struct str name, struct store_alarm *out);
MUST_USE enum err store_alarm_put(struct store *s, struct str name, const struct store_alarm *alarm);

#define STORE_ORDER_LIFE_MS (9LL * 24 * 60 * 60 * 1000) /* longer than a mail of the admin is obeyed */
/* A mail of the admin is obeyed now; ids that are older than STORE_ORDER_LIFE_MS go.
 *   ERR_OK, or ERR_EXISTS: it was before */
MUST_USE enum err store_order_add(struct store *s, struct str message_id, int64_t now_ms);

#endif
