/* SPDX-License-Identifier: ISC */
/* Brings signed messages to their recipients: every subscriber by the MX hosts of its domain, with a return path of its
 * own (VERP) that carries a MAC. Plain sequential code in fibers: one manager that takes due deliveries from the store,
 * some that look up where domains lead, and workers, each with one connection to one destination.
 *
 * The outcome of a delivery is committed before anything more is said on that connection, so a death costs at most one
 * second copy for each connection that was open. 4yz, a lost connection and a dead domain are tried again with growing
 * pauses, a quarter more or less; 5yz is recorded for that recipient; nothing is given up silently.
 *
 * A destination is a set of mail hosts: all domains that they serve share its connections, whose number follows what it
 * takes (delivery_pace.h), and its rests. What is wrong with one domain (null MX, no such name, a TLS policy that its hosts fail)
 * concerns that domain only.
 *
 * Destinations are kept from harming each other. One that nobody could connect to gets one connection until that
 * works, and when it failed as a whole everything for it waits, longer each time. One that is slow keeps a few jobs in
 * memory when others need the room; the rest of its jobs waits in the store, where that counts as no try. What a person
 * waits for goes before all posts, with room in memory and connections that posts cannot take. */
#ifndef SERVE_DELIVERY_H
#define SERVE_DELIVERY_H

#include "serve/lipap.h"

/* A fiber's function: runs until cancelled; then what is in flight goes back to the queue. `arg` is a struct lipap. */
void delivery_run(void *arg);

#endif
