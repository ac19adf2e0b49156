/* SPDX-License-Identifier: ISC */
/* A trap is a fault of ours or an attack: it is told, and the guest ends. */
#include "base/wr.h"
#include "host/guest/machine.h"
#include "host/guest/x86/layout.h"
#include "host/guest/x86/x86.h"

#define STATUS_TRAP 139 /* what a shell makes of a process that a signal ended (SIGSEGV) */

static const char *const names[TRAPS] = {[0] = "division",
        [3] = "breakpoint",
        [6] = "invalid instruction",
        [8] = "double fault",
        [12] = "stack",
        [13] = "protection",
        [14] = "page fault",
        [16] = "x87",
        [17] = "alignment",
        [19] = "SIMD"};

static void write_hex(struct wr *w, const char *name, uint64_t v)
{
        wr_byte(w, ' ');
        wr_str(w, str_of_c(name));
        wr_byte(w, '=');
        for (int shift = 60; shift >= 0; shift -= 4)
                wr_byte(w, "0123456789abcdef"[v >> shift & 15]);
}

static void write_registers(struct wr *w, const struct trap *t, uint64_t address)
{
        const struct {
                const char *name;
                uint64_t value;
        } all[] = {{"rip", t->rip}, {"address", address}, {"error", t->error}, {"rsp", t->rsp},
                {"rflags", t->rflags}, {"rax", t->rax}, {"rbx", t->rbx}, {"rcx", t->rcx}, {"rdx", t->rdx},
                {"rsi", t->rsi}, {"rdi", t->rdi}, {"rbp", t->rbp}, {"r8", t->r8}, {"r9", t->r9},
                {"r10", t->r10}, {"r11", t->r11}, {"r12", t->r12}, {"r13", t->r13}, {"r14", t->r14},
                {"r15", t->r15}};
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
                if (i % 5 == 0)
                        wr_str(w, S("\nguest:"));
                write_hex(w, all[i].name, all[i].value);
        }
}

_Noreturn void trap_report(const struct trap *t, uint64_t address)
{
        static bool is_reporting;
        char text[1024];
        struct wr w;
        if (is_reporting) /* a trap while one is told */
                machine_exit(STATUS_TRAP);
        is_reporting = true;
        wr_init(&w, text, sizeof text);
        wr_str(&w, S("guest: trap "));
        wr_u64(&w, t->vector);
        if (t->vector < TRAPS && names[t->vector] != NULL) {
                wr_str(&w, S(", "));
                wr_str(&w, str_of_c(names[t->vector]));
        }
        write_registers(&w, t, address);
        wr_byte(&w, '\n');
        machine_console(wr_text(&w));
        machine_exit(STATUS_TRAP);
}
