/* SPDX-License-Identifier: ISC */
/* What lipap needs for TLS, from its options and its image. */
#ifndef APP_LIPAP_TLS_H
#define APP_LIPAP_TLS_H

#include "app/lipap.h"

/* With the store open and before anybody serves, fill in of the node:
 *   tls_client  with the roots of --ca-file, else of tls/roots.pem in the image; without either MTA-STS is off, which is logged
 *   identity    the certificate of --tls-cert and --tls-key, else of tls/cert.pem and tls/key.pem in the image, else one of its
 *               own making; files that were named are read again each hour
 *   ERR_OK
 *   other  logged: what was given is used, or is a reason not to start */
MUST_USE enum err lipap_tls_prepare(struct host *h, struct lipap_options *o);
/* With the resolver: policies of MTA-STS, if there are roots.
 *   ERR_OK, ERR_MEMORY */
MUST_USE enum err lipap_tls_start(struct lipap *node);
void lipap_tls_drop(struct lipap *node); /* harmless when nothing was prepared */

#endif
