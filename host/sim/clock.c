/* SPDX-License-Identifier: ISC */
#include "host/sim/inside.h"

int64_t sim_now(const struct sim *sim)
{
        return sim->now_ms;
}

int64_t node_wall_ms(struct host *h)
{
        const struct sim_node *node = node_of(h);
        return SIM_EPOCH_MS + (node->sim->now_ms - SIM_START_MS) + node->clock_ms;
}

void sim_node_set_clock(struct sim_node *node, int64_t offset_ms)
{
        sim_trace(node->sim, node, "clock", "%lld ms", (long long)offset_ms);
        node->clock_ms = offset_ms;
}

int64_t sim_node_clock(const struct sim_node *node)
{
        return node->clock_ms;
}
