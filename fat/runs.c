/* SPDX-License-Identifier: ISC */
/* What is known of a file's chain: runs in order of their index. When there are too many every second one goes and the
 * distance between those kept doubles, so that any place is near one of them. */
#include <string.h>

#include "base/check.h"
#include "fat/file.h"

void fat_runs_init(struct fat_file *file)
{
        file->run_count = 0;
        file->spacing = 1;
        if (file->first != 0)
                file->runs[file->run_count++] =
                        (struct fat_run){.index = 0, .cluster = file->first, .count = 1};
}

/* The last one whose index is at most `index`; there is one for 0. */
static uint32_t find(const struct fat_file *file, uint32_t index)
{
        uint32_t low = 0, high = file->run_count;
        while (high - low > 1) {
                uint32_t middle = low + (high - low) / 2;
                if (file->runs[middle].index <= index)
                        low = middle;
                else
                        high = middle;
        }
        return low;
}

static void thin(struct fat_file *file)
{
        uint32_t kept = 0;
        for (uint32_t i = 0; i < file->run_count; i += 2)
                file->runs[kept++] = file->runs[i];
        file->run_count = kept;
        file->spacing *= 2;
}

static void save(struct fat_file *file, const struct fat_run *run)
{
        uint32_t at = find(file, run->index);
        if (file->runs[at].index == run->index) {
                if (file->runs[at].count < run->count)
                        file->runs[at].count = run->count;
                return;
        }
        while (file->run_count == FAT_FILE_RUNS)
                thin(file);
        at = find(file, run->index);
        if (run->index - file->runs[at].index < file->spacing)
                return;
        memmove(file->runs + at + 2, file->runs + at + 1, (file->run_count - at - 1) * sizeof *run);
        file->runs[at + 1] = *run;
        file->run_count++;
}

enum err fat_runs_locate(struct fat_file *file, uint32_t index, uint32_t want, struct fat_run *out)
{
        *out = (struct fat_run){0};
        if (file->run_count == 0 || index >= file->f->clusters)
                return ERR_CORRUPT; /* longer than the volume: a circle */
        if (want > file->f->clusters - index)
                want = file->f->clusters - index;
        struct fat_run now = file->runs[find(file, index)];
        while (now.index + now.count - index < want || now.index + now.count <= index) {
                bool is_enough = now.index + now.count > index;
                uint32_t next;
                enum err err = fat_chain_next(file->f, now.cluster + now.count - 1, &next);
                if (is_enough && (err != ERR_OK || next != now.cluster + now.count))
                        break; /* the next piece, or damage, is met when somebody asks for it */
                if (err != ERR_OK || next == FAT_CHAIN_END)
                        return err == ERR_OK ? ERR_CORRUPT : err;
                if (next == now.cluster + now.count) {
                        now.count++;
                        continue;
                }
                save(file, &now);
                now = (struct fat_run){.index = now.index + now.count, .cluster = next, .count = 1};
        }
        save(file, &now);
        *out = now;
        return ERR_OK;
}

void fat_runs_cut(struct fat_file *file, uint32_t clusters)
{
        while (file->run_count > 0 && file->runs[file->run_count - 1].index >= clusters)
                file->run_count--;
        if (file->run_count == 0)
                return;
        struct fat_run *last = &file->runs[file->run_count - 1];
        if (last->index + last->count > clusters)
                last->count = clusters - last->index;
}
