/* SPDX-License-Identifier: ISC */
/* A guest that attacks itself in the way its first word names, for tests/system/guest_attack.py. What is to be caught
 * must not come back: then it prints "survived" and ends with 0. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/canon_scan.h"
#include "base/check.h"
#include "base/err.h"
#include "fiber/fiber.h"
#include "host/guest/guest.h"
#include "host/guest/machine.h"

static const char constant[] = "constant";
static const unsigned char instructions[] = {0xc3}; /* ret */
static struct host *host;

/* The compiler must not see what is written where. */
static volatile char *hide(const volatile void *p)
{
        uintptr_t v = (uintptr_t)p;
        __asm__ volatile("" : "+r"(v));
        return (volatile char *)v;
}

static void call(const volatile void *p)
{
        ((void (*)(void))(uintptr_t)hide(p))();
}

static void write_text(void)
{
        *hide((const void *)(uintptr_t)write_text) = 0;
}

static void write_constant(void)
{
        *hide(constant) = 0;
}

static void run_constant(void)
{
        call(instructions);
}

static void run_heap(void)
{
        unsigned char *p = malloc(64);
        memcpy(p, instructions, sizeof instructions);
        call(p);
}

static void run_stack(void)
{
        unsigned char here[64];
        memcpy(here, instructions, sizeof instructions);
        call(hide(here));
}

static void call_null(void)
{
        call(NULL);
}

static void read_null(void)
{
        (void)*hide(NULL);
}

static void write_input(void) /* where a Solo5 tender leaves the command line */
{
        *hide((void *)0x11000) = 0;
}

static void failed_check(void)
{
        CHECK(host == NULL);
}

/* Deeper than a stack, in small steps, as runaway recursion is. */
static int deeper(int n)
{
        volatile char frame[200];
        memset((void *)(uintptr_t)frame, n, sizeof frame);
        return n == 0 ? frame[7] : deeper(n - 1) + frame[3];
}

static void overflow_fiber(void *arg)
{
        *(volatile int *)arg = deeper(MACHINE_STACK / 200 + 40);
        fiber_yield(host->sched); /* where there is no missing page, the canary is looked at */
}

static void overflow(void)
{
        struct scope scope;
        int out;
        scope_open(&scope, host->sched, FIBER_NEVER);
        CHECK(scope_spawn(&scope, "overflow", overflow_fiber, &out) == ERR_OK);
        (void)scope_join(&scope);
}

/* Out of memory is an error that a caller sees, and all of it is there again afterwards. */
static void out_of_memory(void)
{
        struct piece {
                struct piece *next;
        } *first = NULL, *p;
        size_t rounds[2];
        for (unsigned i = 0; i < 2; i++) {
                for (rounds[i] = 0; (p = malloc(100000)) != NULL; rounds[i]++) {
                        memset(p, 0xff, 100000);
                        p->next = first;
                        first = p;
                }
                while ((p = first) != NULL) {
                        first = p->next;
                        free(p);
                }
        }
        printf("out of memory twice, %s\n",
                rounds[0] == rounds[1] && rounds[0] > 50 ? "the same" : "not the same");
}

/* No attack: what this processor scans texts by is chosen at the start, and finds what the plain loop finds. */
static void scan(void)
{
        char text[300];
        canon_scan *best = canon_scan_best();
        memset(text, 'x', sizeof text);
        for (size_t at = 0; at < sizeof text; at++) {
                text[at] = '\t';
                for (size_t from = 0; from <= at; from++) {
                        struct str rest = str_of(text + from, sizeof text - from);
                        CHECK(best(rest) == canon_scan_bytes(rest) && best(rest) == at - from);
                }
                text[at] = 'x';
        }
        printf("scans by %s\n", best == canon_scan_words ? "words" : "AVX2");
}

static const struct {
        const char *name;
        void (*run)(void);
} attacks[] = {{"write-text", write_text}, {"write-constant", write_constant}, {"run-constant", run_constant},
        {"run-heap", run_heap}, {"run-stack", run_stack}, {"call-null", call_null}, {"read-null", read_null},
        {"write-input", write_input}, {"failed-check", failed_check}, {"overflow", overflow},
        {"out-of-memory", out_of_memory}, {"scan", scan}};

static void run(void *arg)
{
        for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
                if (strcmp(attacks[i].name, arg) == 0)
                        attacks[i].run();
        printf("survived\n");
}

int main(int argc, char **argv)
{
        struct guest_options options;
        if (guest_options_take(&options, &argc, argv) != ERR_OK || argc != 2)
                return 64;
        host = guest_host_new(&options, NULL);
        if (host == NULL)
                return 1;
        guest_host_run(host, run, argv[1]);
        return 0;
}
