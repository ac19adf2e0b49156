/* SPDX-License-Identifier: ISC */
/* From the machine's start to main: memory, the C library's view of a process, randomness, the command line. */
#include <elf.h>

#include "host/guest/entropy.h"
#include "host/guest/inside.h"
#include "host/guest/words.h"

#define WORDS_MAX 512
#define MEMORY_MIN (8 * 1024 * 1024) /* beside the image: for tables, packets and what the C library needs */
#define STATUS_SOFTWARE 70           /* sysexits' EX_SOFTWARE */
#define STATUS_USAGE 64

/* Of the C library. */
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
        void (*fini)(void), void (*loader)(void));
int __set_thread_area(void *at);
int main(int argc, char **argv);

/* Where the linker put the thread's variables. */
extern char image_tls[], image_tls_filled[], image_tls_end[];

/* argv, an empty environment and the auxiliary vector, in a row, as a kernel would leave them. */
struct process {
        char *words[WORDS_MAX + 1]; /* the environment's NULL follows the last word's */
        Elf64_auxv_t auxiliary[8];
};

static char program_name[] = "guest";
static Elf64_Phdr thread_segment;
static struct process process;
static uint64_t secret[2]; /* 16 bytes from which the C library makes its own secrets */

_Noreturn void guest_fail(struct str what)
{
        machine_console(S("guest: "));
        machine_console(what);
        machine_console(S("\n"));
        machine_exit(STATUS_SOFTWARE);
}

void guest_demand_memory(uint64_t image_end, uint64_t memory_end)
{
        if (memory_end < image_end + MEMORY_MIN)
                guest_fail(S("too little memory: give 16M or more"));
}

int __set_thread_area(void *at)
{
        machine_set_thread(at);
        return 0;
}

static void add(Elf64_auxv_t **to, uint64_t type, uint64_t value)
{
        *(*to)++ = (Elf64_auxv_t){.a_type = type, .a_un.a_val = value};
}

/* `at` is behind the environment. */
static void describe(Elf64_auxv_t *at)
{
        thread_segment = (Elf64_Phdr){.p_type = PT_TLS,
                .p_vaddr = (uintptr_t)image_tls,
                .p_filesz = (uint64_t)(image_tls_filled - image_tls),
                .p_memsz = (uint64_t)(image_tls_end - image_tls),
                .p_align = 64};
        add(&at, AT_PAGESZ, 4096);
        add(&at, AT_PHDR, (uintptr_t)&thread_segment);
        add(&at, AT_PHNUM, 1);
        add(&at, AT_PHENT, sizeof thread_segment);
        add(&at, AT_RANDOM, (uintptr_t)secret);
        add(&at, AT_NULL, 0);
}

static int guest_main(int argc, char **argv, char **environment)
{
        (void)environment;
        random_init();
        return main(argc, argv);
}

_Noreturn void guest_start(const struct guest_boot *boot)
{
        size_t count = 0;
        struct entropy_health health = {0};
        enum err err = words_split(boot->line, process.words + 1, WORDS_MAX - 1, &count);
        if (err != ERR_OK) {
                machine_console(err == ERR_LIMIT ? S("guest: too many words on the command line\n")
                                                 : S("guest: a quote on the command line does not end\n"));
                machine_exit(STATUS_USAGE);
        }
        process.words[0] = program_name;
        if (entropy_has_rdrand()) /* else random_init says so */
                (void)entropy_gather(&health, entropy_rdrand, NULL, secret, 2);
        syscall_init(boot->heap, boot->heap_end);
        /* words[count + 1] ends argv, words[count + 2] the environment. */
        describe((Elf64_auxv_t *)&process.words[count + 3]);
        __libc_start_main(guest_main, (int)count + 1, process.words, NULL, NULL, NULL);
        machine_exit(STATUS_SOFTWARE);
}
