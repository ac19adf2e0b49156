/* SPDX-License-Identifier: ISC */
/* Page tables of four levels, addresses as they are: 4 KB pages up to the end of the tables, 2 MB pages above.
 * (AMD64 manual 2, 5.3) */
#include "base/check.h"
#include "host/guest/guest.h"
#include "host/guest/machine.h"
#include "host/guest/x86/layout.h"
#include "host/guest/x86/x86.h"

#define PAGE 4096
#define LARGE (512 * (uint64_t)PAGE)
#define DIRECTORIES 4 /* 4 GB */

_Static_assert(MACHINE_STACK == STACK_PAGES * PAGE && MACHINE_GUARD == PAGE && MACHINE_CHUNK == LARGE,
        "as ring0.S has it");

extern char image_text[], image_constants[], image_data[], image_end[], image_ring0[], image_ring0_end[];
extern uint64_t *ring0_tables, *ring0_directory, *ring0_pages_free, *ring0_pages_end;
extern uint8_t ring0_task[];

struct range {
        uint64_t from, to; /* whole pages */
        uint64_t flags;
};

static uint64_t round_up(uint64_t n, uint64_t to)
{
        return (n + to - 1) & ~(to - 1);
}

/* The entry of the page at `at`: what the last range that has it says, or nothing. */
static uint64_t entry_of(const struct range *ranges, unsigned count, uint64_t at)
{
        uint64_t flags = 0;
        for (unsigned i = 0; i < count; i++)
                if (at >= ranges[i].from && at < ranges[i].to)
                        flags = ranges[i].flags;
        return flags == 0 ? 0 : at | flags;
}

char *tables_build(uint64_t readable_from, uint64_t memory_size)
{
        uint64_t first = (uint64_t)image_end, larges = memory_size / LARGE;
        /* The upper levels, a table for each large page in which small ones are needed now, and one for each other. */
        uint64_t end = first + (2 + DIRECTORIES + larges + 1) * PAGE;
        uint64_t low = round_up(end, LARGE) / LARGE;
        const struct range ranges[] = {
                {readable_from, (uint64_t)image_text, PAGE_PRESENT | PAGE_USER | PAGE_NO_CODE},
                {(uint64_t)image_text, (uint64_t)image_constants, PAGE_PRESENT | PAGE_USER},
                {(uint64_t)image_constants, (uint64_t)image_data, PAGE_PRESENT | PAGE_USER | PAGE_NO_CODE},
                {(uint64_t)image_data, low * LARGE, PAGE_DATA},
                {(uint64_t)image_ring0, (uint64_t)image_ring0_end, PAGE_PRESENT | PAGE_WRITE | PAGE_NO_CODE},
                {first, end, PAGE_PRESENT | PAGE_WRITE | PAGE_NO_CODE},
        };
        uint64_t *top = (uint64_t *)first, *directories = top + 512, *pages = directories + 512,
                 *small = pages + DIRECTORIES * 512;
        CHECK(low < larges && larges <= DIRECTORIES * 512);
        top[0] = (uint64_t)directories | PAGE_TABLE;
        for (unsigned i = 0; i < DIRECTORIES; i++)
                directories[i] = (uint64_t)(pages + i * 512) | PAGE_TABLE;
        for (uint64_t i = 0; i < low * 512; i++)
                small[i] = entry_of(ranges, sizeof ranges / sizeof ranges[0], i * PAGE);
        for (uint64_t i = 0; i < larges; i++)
                pages[i] = i < low ? (uint64_t)(small + i * 512) | PAGE_TABLE
                                   : i * LARGE | PAGE_LARGE | PAGE_DATA;
        ring0_tables = top;
        ring0_directory = pages;
        ring0_pages_free = small + low * 512;
        ring0_pages_end = (uint64_t *)end;
        return (char *)end;
}

void tables_device(uint64_t at)
{
        uint64_t i = at / LARGE;
        CHECK(i < DIRECTORIES * 512 &&
                (ring0_directory[i] == 0 || (ring0_directory[i] & PAGE_UNCACHED) != 0));
        ring0_directory[i] = i * LARGE | PAGE_LARGE | PAGE_DATA | PAGE_UNCACHED;
}

void ports_allow(uint16_t first, uint16_t last)
{
        for (unsigned port = first; port <= last; port++)
                ring0_task[TASK_PORTS_AT + port / 8] &= (uint8_t) ~(1u << port % 8);
}

void x86_seal(void *thread)
{
        (void)ring0_ask(SERVICE_SEAL, thread);
}

bool machine_guard(void *chunk)
{
        return ring0_ask(SERVICE_SPLIT, chunk) == 1;
}
