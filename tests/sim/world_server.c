/* SPDX-License-Identifier: ISC */
#include "tests/sim/world_inside.h"

#include <stdlib.h>

#include "app/lipap.h"
#include "app/nec.h"
#include "base/check.h"
#include "tests/sim/image.h"

#define BACK_MS SERVER_BACK_MS    /* between a death and the start, when nothing else is said */
#define END_MS (10LL * 60 * 1000) /* that an end in order may take */

/* ---- what runs on the nodes ---- */

static int run_lipap(struct host *h, void *arg)
{
        struct machine *m = arg;
        struct lipap_options *o = calloc(1, sizeof *o);
        CHECK(o);
        int status = lipap_options_read(o, m->argc, m->argv);
        if (status == -1)
                status = lipap_run(h, o);
        lipap_options_wipe(o);
        free(o);
        return status;
}

static int run_nec(struct host *h, void *arg)
{
        struct machine *m = arg;
        struct nec_options *o = calloc(1, sizeof *o);
        CHECK(o);
        int status = nec_options_read(o, m->argc, m->argv);
        if (status == -1)
                status = nec_run(h, o);
        nec_options_wipe(o);
        free(o);
        return status;
}

static int run_make(struct host *h, void *arg)
{
        struct machine *m = arg;
        enum err e = image_make(h, m->world->s);
        if (e != ERR_OK)
                world_broken(m->world, "image", "cannot be made: %s", err_text(e));
        return e != ERR_OK;
}

/* The operator's tool: what waits to be changed, as far as it comes. */
static int run_change(struct host *h, void *arg)
{
        struct machine *m = arg;
        struct world *w = m->world;
        while (w->change_count > 0) {
                const struct change c = w->changes[0];
                uint32_t list = ledger_list(w->ledger, c.list, LEDGER_LIST);
                enum err e = image_change(h, c.list, c.email, c.joins);
                if (e != ERR_OK)
                        return 1;
                ledger_member(w->ledger, list, c.email, c.joins ? LEDGER_IN : LEDGER_OUT);
                for (size_t i = 1; i < w->change_count; i++)
                        w->changes[i - 1] = w->changes[i];
                w->change_count--;
        }
        return 0;
}

void server_make_image(struct world *w)
{
        int status;
        sim_node_start(w->lipap->node, run_make, w->lipap);
        (void)(sim_node_join(w->lipap->node, FIBER_NEVER, &status) == ERR_OK);
}

/* ---- their lives ---- */

/* A new disk with what the old one held: whoever had it open has met the fault, or ends. */
void server_mend_disk(struct machine *m)
{
        m->disk->faults.write_at = m->disk->faults.flush_at = SIM_DISK_NEVER;
        m->is_disk_bad = false;
        ledger_disk_mended(m->world->ledger);
}

static bool is_lipap(const struct machine *m)
{
        return m->said->verb == VERB_LIPAP;
}

/* Signers have no connection to a mail host. */
static void tell_fault(struct machine *m, const char *what)
{
        if (is_lipap(m))
                ledger_fault(m->world->ledger, NULL, world_text(m->world, "%s %s", m->name, what));
}

static void judge_end(struct machine *m, int status)
{
        struct world *w = m->world;
        bool was_asked = m->stops > 0, was_bad = m->is_disk_bad;
        int64_t now_ms = sim_now(w->sim);
        m->stops = 0;
        m->is_clean = status == 0;
        if (was_bad)
                server_mend_disk(m);
        tell_fault(m, "has ended"); /* a slow host has yet to see it */
        bool was_killed = status == SIM_STATUS_KILLED;
        if (status != 0 && !was_killed && !was_bad)
                world_broken(w, "run", "%s ended by itself with status %d", m->name, status);
        else if (status == 0 && !was_asked)
                world_broken(w, "run", "%s ended though nobody had asked it to", m->name);
        if (status != 0 && m->back_ms <= now_ms) /* by a counted call, or by itself */
                m->back_ms = now_ms + m->pause_ms;
        if (is_lipap(m) && status != 0) {
                w->out->crashes++;
                look_at_image(w, false, "after a death");
        }
}

static bool wait_for_start(struct machine *m)
{
        struct world *w = m->world;
        while (!w->is_ending && sim_now(w->sim) < m->back_ms) {
                int64_t next_ms = sim_now(w->sim) + BACK_MS; /* looks whether the world ends */
                if (fiber_sleep_until(world_sched(w), next_ms < m->back_ms ? next_ms : m->back_ms) != ERR_OK)
                        return false;
        }
        return !w->is_ending;
}

static enum err one_life(struct machine *m, int (*fn)(struct host *h, void *arg))
{
        int status;
        if (fn == run_lipap && m->world->change_count > 0)
                m->stops++; /* only to bring the image in order */
        sim_node_start(m->node, fn, m);
        if (m->stops > 0)
                sim_node_stop(m->node);
        enum err e = sim_node_join(m->node, FIBER_NEVER, &status);
        if (e != ERR_OK)
                return e;
        if (fn == run_change && status != SIM_STATUS_KILLED)
                m->is_clean = status == 0; /* else lipap has to run first */
        else
                judge_end(m, status);
        return ERR_OK;
}

void server_run(void *machine)
{
        struct machine *m = machine;
        struct world *w = m->world;
        enum err e = ERR_OK;
        m->pause_ms = BACK_MS;
        while (e == ERR_OK && wait_for_start(m)) {
                bool has_changes = is_lipap(m) && w->change_count > 0;
                if (has_changes && m->is_clean)
                        e = one_life(m, run_change);
                else
                        e = one_life(m, is_lipap(m) ? run_lipap : run_nec);
        }
}

void server_stop(struct machine *m, int64_t back_ms)
{
        struct world *w = m->world;
        m->back_ms = sim_now(w->sim) + back_ms;
        if (!sim_node_is_running(m->node))
                return;
        m->stops++;
        tell_fault(m, "is stopped");
        sim_node_stop(m->node);
}

void server_kill(struct machine *m, enum sim_kill how, int64_t back_ms)
{
        m->back_ms = sim_now(m->world->sim) + back_ms;
        tell_fault(m, "is killed");
        sim_node_kill(m->node, how);
}

void server_join(struct machine *m)
{
        struct world *w = m->world;
        int64_t late_ms = sim_now(w->sim) + END_MS;
        int status;
        m->stops++;
        sim_node_stop(m->node);
        if (sim_node_join(m->node, late_ms, &status) == ERR_TIMEOUT)
                sim_fail(w->sim, "%s does not end when it is asked to", m->name);
}
