/* SPDX-License-Identifier: ISC */
#include "store/gather.h"

#include <stdlib.h>
#include <string.h>

enum err gather_init(struct gather *g, const struct area *area)
{
        *g = (struct gather){.area = area, .bytes = malloc(GATHER_MAX)};
        return g->bytes == NULL ? ERR_MEMORY : ERR_OK;
}

void gather_close(struct gather *g)
{
        free(g->bytes);
        *g = (struct gather){0};
}

enum err gather_out(struct gather *g)
{
        struct str bytes = str_of(g->bytes, g->n);
        g->n = 0;
        return bytes.n == 0 ? ERR_OK : area_write(g->area, g->at, bytes);
}

enum err gather_write(struct gather *g, uint64_t at, struct str bytes)
{
        enum err err = ERR_OK;
        if (at != g->at + g->n || bytes.n > GATHER_MAX - g->n)
                err = gather_out(g);
        if (err != ERR_OK)
                return err;
        if (bytes.n > GATHER_MAX)
                return area_write(g->area, at, bytes);
        if (g->n == 0)
                g->at = at;
        if (bytes.n > 0)
                memcpy(g->bytes + g->n, bytes.p, bytes.n);
        g->n += bytes.n;
        return ERR_OK;
}
