/* SPDX-License-Identifier: ISC */
#ifndef APP_BLAZE_ARC_H
#define APP_BLAZE_ARC_H

#include "app/blaze_dns.h"
#include "auth/arc_verify.h"

/* Ask for all keys at once and check every signature, when the body's digest is there. */
void blaze_arc_check(struct arc_verify *v, struct blaze_dns *dns);

#endif
