/* SPDX-License-Identifier: ISC */
/* Nodes: machines on which a process starts, stops and is killed. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "host/sim/inside.h"

enum {
        OPEN_MAX = 20000,
        UNWIND_MS = 10000,
        CALLS_MAX = 1000000, /* host calls while time stands still */
};

/* Making, finding, freeing. */

struct sim_node *sim_node_add(
        struct sim *sim, const char *name, const struct ip *addresses, size_t count, struct sim_disk *disk)
{
        struct sim_node *node = sim_alloc(sizeof *node);
        struct str id = str_of_c(name);
        CHECK(sim_node_find(sim, id) == NULL);
        *node = (struct sim_node){
                .host = {.ops = &sim_host_ops, .sched = sim->sched, .connections_max = SIM_CONNECTIONS_MAX},
                .sim = sim,
                .name = sim_alloc(id.n + 1),
                .id = sim->node_n,
                .addresses = sim_alloc((count + 1) * sizeof *addresses),
                .address_n = count,
                .disk = disk,
                .bytes = sim_random_of(sim->seed, S("node bytes"), id),
                .ports = sim_random_of(sim->seed, S("node ports"), id),
                .turns = sim_random_of(sim->seed, S("node turns"), id),
                .fate = sim_random_of(sim->seed, S("node fate"), id),
                .is_on = true,
                .crash = SIM_DISK_CRASHES,
                .open_max = OPEN_MAX,
        };
        memcpy(node->name, name, id.n);
        for (size_t i = 0; i < count; i++) {
                node->addresses[i] = addresses[i];
                address_add(node, &addresses[i]);
        }
        sim->nodes = sim_grow(sim->nodes, &sim->node_cap, sim->node_n + 1, sizeof node);
        sim->nodes[sim->node_n++] = node;
        return node;
}

void node_free_all(struct sim *sim)
{
        for (size_t i = 0; i < sim->node_n; i++) {
                struct sim_node *node = sim->nodes[i];
                CHECK(!node->is_running);
                link_free_all(node);
                free(node->addresses);
                free(node->name);
                free(node);
        }
        free(sim->nodes);
}

struct sim_node *sim_node_find(struct sim *sim, struct str name)
{
        for (size_t i = 0; i < sim->node_n; i++)
                if (str_eq(str_of_c(sim->nodes[i]->name), name))
                        return sim->nodes[i];
        return NULL;
}

struct host *sim_node_host(struct sim_node *node)
{
        return &node->host;
}

struct sim_node *sim_node_of(struct host *h)
{
        return node_of(h);
}

struct sim *sim_of(struct host *h)
{
        return node_of(h)->sim;
}

const char *sim_node_name(const struct sim_node *node)
{
        return node->name;
}

size_t sim_node_addresses(const struct sim_node *node, const struct ip **out)
{
        *out = node->addresses;
        return node->address_n;
}

struct sim_disk *sim_node_disk(struct sim_node *node)
{
        return node->disk;
}

/* Its life. */

static void run_process(void *arg)
{
        struct sim_node *node = arg;
        node->status = node->fn(&node->host, node->arg);
}

static void end_process(struct sim_node *node)
{
        struct sim *sim = node->sim;
        event_drop(sim, &node->unwound);
        sim_trace(sim, node, "end", "status %d", node->is_dead ? SIM_STATUS_KILLED : node->status);
        if (node->is_dead)
                node->status = SIM_STATUS_KILLED;
        if (node->counters.open > 0)
                sim_fail(sim, "node %s ended with %zu things open", node->name, node->counters.open);
        node->is_running = node->is_dead = node->is_stopping = false;
        waitq_wake_all(&node->joiners);
}

/* Around the process: its scope, which a kill cancels. */
static void run_node(void *arg)
{
        struct sim_node *node = arg;
        scope_open(&node->scope, node->sim->sched, FIBER_NEVER);
        node->has_scope = true;
        if (node->is_dead)
                scope_cancel(&node->scope);
        else if (scope_spawn(&node->scope, node->name, run_process, node) != ERR_OK)
                node->is_dead = true; /* the simulation has failed meanwhile */
        (void)scope_join(&node->scope);
        node->has_scope = false;
        end_process(node);
}

void sim_node_start(struct sim_node *node, int (*fn)(struct host *h, void *arg), void *arg)
{
        struct sim *sim = node->sim;
        CHECK(!node->is_running && sim->is_open);
        sim_trace(sim, node, "start", "%s", node->is_on ? "process" : "machine");
        node->is_on = node->is_running = true;
        node->is_stopping = node->is_dead = false;
        node->fn = fn;
        node->arg = arg;
        node->status = 0;
        node->counters.starts++;
        if (scope_spawn(&sim->scope, node->name, run_node, node) != ERR_OK) {
                node->is_dead = true;
                end_process(node);
        }
}

void sim_node_stop(struct sim_node *node)
{
        if (!node->is_running || node->is_dead)
                return;
        sim_trace(node->sim, node, "stop", "asked");
        node->is_stopping = true;
        waiter_tell(node->stopper, WAITER_READY);
}

enum err node_wait_stop(struct host *h)
{
        struct sim_node *node = node_of(h);
        enum err err = fiber_check(h->sched);
        while (err == ERR_OK && !node->is_stopping)
                err = node->is_dead ? ERR_CLOSED : waiter_wait(node->sim, &node->stopper, FIBER_NEVER);
        if (err == ERR_OK)
                node->is_stopping = false;
        return err;
}

bool sim_node_is_running(const struct sim_node *node)
{
        return node->is_running;
}

enum err sim_node_join(struct sim_node *node, int64_t deadline_ms, int *status)
{
        enum err err = ERR_OK;
        *status = 0;
        while (err == ERR_OK && node->is_running)
                err = waitq_wait(&node->joiners, node->sim->sched, deadline_ms);
        if (err == ERR_OK)
                *status = node->status;
        return err;
}

/* Kills. */

/* A killed process that is still there. */
static void still_there(struct event *e)
{
        struct sim_node *node = (struct sim_node *)((char *)e - offsetof(struct sim_node, unwound));
        const char *fiber = node->has_scope ? scope_fiber_name(&node->scope) : NULL;
        sim_fail(node->sim, "node %s: fiber %s lives on %d s after the kill", node->name,
                fiber != NULL ? fiber : node->name, UNWIND_MS / 1000);
}

static void power_off(struct sim_node *node)
{
        if (!node->is_on)
                return;
        node->is_on = false;
        net_power_off(node);
        uint64_t how = sim_random_below(&node->fate, SIM_DISK_CRASHES), seed = sim_random_u64(&node->fate);
        if (node->crash != SIM_DISK_CRASHES)
                how = (uint64_t)node->crash;
        if (node->disk != NULL)
                sim_disk_crash(node->disk, (enum sim_disk_crash)how, seed);
        sim_trace(node->sim, node, "power", "off, disk crash %u", (unsigned)how);
}

void sim_node_kill(struct sim_node *node, enum sim_kill how)
{
        bool is_alive = node->is_running && !node->is_dead;
        if (is_alive) {
                sim_trace(node->sim, node, "kill", "%s", how == SIM_KILL_POWER ? "power" : "process");
                node->is_dead = true;
                node->counters.kills++;
                net_kill(node, how);
                socket_kill(node);
                waiter_close(&node->stopper);
                node->unwound.fire = still_there;
                event_set(node->sim, &node->unwound, node->sim->now_ms + UNWIND_MS);
        }
        if (how == SIM_KILL_POWER)
                power_off(node);
        if (is_alive && node->has_scope)
                scope_cancel(&node->scope);
}

void node_kill_all(struct sim *sim)
{
        for (size_t i = 0; i < sim->node_n; i++)
                sim_node_kill(sim->nodes[i], SIM_KILL_PROCESS);
}

void sim_node_kill_at_call(struct sim_node *node, uint64_t n, enum sim_moment moment, enum sim_kill how)
{
        uint64_t call = n > 0 ? node->counters.calls + n : 0;
        node->kill_plan = (struct kill_plan){.call = call, .moment = moment, .how = how};
}

void sim_node_set_crash(struct sim_node *node, int how)
{
        node->crash = how;
}

static bool is_planned(const struct sim_node *node, uint64_t call, enum sim_moment moment)
{
        return node->kill_plan.call == call && node->kill_plan.moment == moment;
}

static void kill_as_planned(struct sim_node *node)
{
        enum sim_kill how = node->kill_plan.how;
        node->kill_plan = (struct kill_plan){0};
        sim_node_kill(node, how);
}

/* Calls. */

uint64_t call_begin(struct sim_node *node)
{
        struct sim *sim = node->sim;
        if (++sim->calls == CALLS_MAX)
                sim_fail(sim, "livelock: node %s makes host calls without end while no time passes",
                        node->name);
        CHECK(sim->calls < 2 * CALLS_MAX);
        if (node->is_dead)
                return 0;
        uint64_t call = ++node->counters.calls;
        if (is_planned(node, call, SIM_BEFORE))
                kill_as_planned(node);
        return node->is_dead ? 0 : call;
}

void call_end(struct sim_node *node, uint64_t call)
{
        if (call != 0 && is_planned(node, call, SIM_AFTER))
                kill_as_planned(node);
}

bool node_has_room(const struct sim_node *node)
{
        return node->counters.open < node->open_max;
}

void node_opened(struct sim_node *node)
{
        struct sim_node_counters *c = &node->counters;
        c->open++;
        if (c->open > c->open_high)
                c->open_high = c->open;
}

void node_closed(struct sim_node *node)
{
        node->counters.open--;
}

void sim_node_set_open_max(struct sim_node *node, size_t most)
{
        node->open_max = most;
}

static size_t count_fibers(const struct scope *scope)
{
        size_t n = scope->count;
        for (const struct scope *child = scope->children; child != NULL; child = child->sibling)
                n += count_fibers(child);
        return n;
}

struct sim_node_counters sim_node_counters(const struct sim_node *node)
{
        struct sim_node_counters c = node->counters;
        c.fibers = node->has_scope ? count_fibers(&node->scope) : 0;
        return c;
}
