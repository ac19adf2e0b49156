/* SPDX-License-Identifier: ISC */
#include "tests/sim/world_inside.h"

#include "base/check.h"
#include "tests/sim/image.h"

struct looking {
        struct world *w;
        bool with_queue;
        const char *when;
        enum err e;
};

static void tell_fault(void *ctx, struct str what)
{
        struct looking *l = ctx;
        world_broken(l->w, "image", "%s: %.*s", l->when, STR_ARG(what));
}

static void tell_queued(void *ctx, struct str message_id, struct str address)
{
        struct looking *l = ctx;
        if (l->with_queue)
                ledger_queued(l->w->ledger, message_id, address);
}

static void tell_failed(void *ctx, struct str message_id, struct str address)
{
        struct looking *l = ctx;
        ledger_failed(l->w->ledger, message_id, address);
}

static void tell_member(void *ctx, struct str list, struct str address)
{
        struct looking *l = ctx;
        buffer_print(&l->w->members, "%.*s %.*s\n", STR_ARG(list), STR_ARG(address));
}

static int run_look(struct host *h, void *arg)
{
        struct looking *l = arg;
        struct image_watch watch = {tell_fault, tell_queued, tell_failed, tell_member, l};
        l->e = image_look(h, &watch);
        return l->e != ERR_OK;
}

/* One at a time: the copy is one. */
void look_at_image(struct world *w, bool with_queue, const char *when)
{
        struct looking *l = world_alloc(w, sizeof *l); /* outlives us, should the run end now */
        int status;
        *l = (struct looking){.w = w, .with_queue = with_queue, .when = when};
        while (w->is_desk_taken)
                if (fiber_sleep(world_sched(w), 1) != ERR_OK)
                        return;
        w->is_desk_taken = true;
        w->members.n = 0;
        sim_disk_copy(w->copy, w->lipap->disk);
        sim_node_start(w->desk, run_look, l);
        if (sim_node_join(w->desk, FIBER_NEVER, &status) == ERR_OK && l->e != ERR_OK)
                world_broken(w, "image", "%s: cannot be opened: %s", when, err_text(l->e));
        w->is_desk_taken = false;
}
