/* SPDX-License-Identifier: ISC */
/* For tests: calls on a volume as a table. */
#ifndef FAT_TEST_STEPS_H
#define FAT_TEST_STEPS_H

#include "fat/test_tree.h"

#define NOW 1763836800

/* A sanitizer slows all down tenfold: then fewer points are played. */
static inline bool test_is_slow(void)
{
#if defined(__SANITIZE_ADDRESS__)
        return true;
#elif defined(__has_feature)
        return __has_feature(address_sanitizer);
#else
        return false;
#endif
}

struct step {
        enum { CREATE, MKDIR, APPEND, OVERWRITE, PREALLOCATE, TRUNCATE, RENAME, REMOVE, RMDIR, TOUCH } what;
        const char *path, *to;
        uint32_t at, n; /* APPEND and OVERWRITE: n bytes at `at`; PREALLOCATE and TRUNCATE: to n */
};

static inline enum err in_file(struct fat *f, const struct step *s)
{
        static uint8_t bytes[3 << 20];
        struct fat_file file;
        enum err err = fat_file_open(f, &file, str_of_c(s->path), FAT_OPEN_CREATE, NOW);
        if (err != ERR_OK)
                return err;
        for (uint32_t i = 0; i < s->n && i < sizeof bytes; i++)
                bytes[i] = (uint8_t)(s->at + s->n + i * 7 + i / 251);
        if (s->what == APPEND || s->what == OVERWRITE)
                err = fat_write(&file, s->at, bytes, s->n, NOW + 2);
        else if (s->what == PREALLOCATE)
                err = fat_preallocate(&file, s->n, NOW + 4);
        else if (s->what == TRUNCATE)
                err = fat_truncate(&file, s->n, NOW + 6);
        else if (s->what == TOUCH)
                err = fat_touch(&file, NOW + 8);
        if (err == ERR_OK && s->what == OVERWRITE)
                err = fat_flush(f);
        fat_file_close(&file);
        return err;
}

static inline enum err play(struct fat *f, const struct step *s)
{
        switch (s->what) {
        case MKDIR:
                return fat_mkdir(f, str_of_c(s->path), NOW);
        case RENAME:
                return fat_rename(f, str_of_c(s->path), str_of_c(s->to));
        case REMOVE:
                return fat_remove(f, str_of_c(s->path));
        case RMDIR:
                return fat_rmdir(f, str_of_c(s->path));
        default:
                return in_file(f, s);
        }
}

#endif
