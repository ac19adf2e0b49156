/* SPDX-License-Identifier: ISC */
/* The node's handle of its disk. */
#include <stdlib.h>

#include "host/sim/inside.h"

/* What the node holds; a struct host_block is the disk's own. */
struct block {
        struct sim_node *node;
        struct host_block *inner;
};

static const struct block *block_of(const struct host_block *b)
{
        return (const struct block *)b;
}

enum err block_open(struct sim_node *node, struct host_block **out)
{
        struct host_block *inner;
        if (node->disk == NULL)
                return ERR_NOT_FOUND;
        enum err err = sim_disk_open(node->disk, node->sim->sched, &inner);
        if (err != ERR_OK)
                return err;
        struct block *b = sim_alloc(sizeof *b);
        *b = (struct block){.node = node, .inner = inner};
        node_opened(node);
        *out = (struct host_block *)b;
        return ERR_OK;
}

struct sim_node *block_node(const struct host_block *b)
{
        return block_of(b)->node;
}

struct host_block *block_inner(const struct host_block *b)
{
        return block_of(b)->inner;
}

void block_close(struct host_block *b)
{
        node_closed(block_node(b));
        sim_block_close(block_inner(b));
        free((struct block *)b);
}
