/* SPDX-License-Identifier: ISC */
#include "store/volume.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define SECTOR 512u

/* The reserved sector before the redo area says who has mounted the volume. While it is dirty that tells a tool's death,
 * after which nothing can still have it open, from a guest that runs. */
#define NOTE_AT (15ull * SECTOR)
static const struct str note_head = {"ptt volume, mounted by ", 23};

enum err volume_read(struct volume *v, uint64_t at, void *into, size_t n)
{
        enum err err = v->overlay.host != NULL ? overlay_read(&v->overlay, at, into, n)
                                               : host_block_read(v->host, v->block, at, into, n);
        return err == ERR_OK ? ERR_OK : ERR_IO;
}

enum err volume_write(struct volume *v, uint64_t at, struct str bytes)
{
        if (v->overlay.host != NULL)
                return overlay_write(&v->overlay, at, bytes);
        enum err err = host_block_write(v->host, v->block, at, bytes);
        return err == ERR_OK || err == ERR_FULL ? err : ERR_IO;
}

static enum err device_read(void *ctx, uint64_t at, void *into, size_t n)
{
        return volume_read(ctx, at, into, n);
}

static enum err device_write(void *ctx, uint64_t at, const void *from, size_t n)
{
        enum err err = volume_write(ctx, at, str_of(from, n));
        return err == ERR_MEMORY ? ERR_IO : err;
}

static enum err device_flush(void *ctx)
{
        return volume_flush(ctx);
}

enum err volume_flush(struct volume *v)
{
        struct sched *s = v->host->sched;
        if (v->overlay.host != NULL)
                return ERR_OK;
        bool is_fiber = sched_current(s) != NULL;
        if (is_fiber)
                fiber_shield(s, true);
        enum err err = host_block_flush(v->host, v->block);
        if (is_fiber)
                fiber_shield(s, false);
        return err == ERR_OK ? ERR_OK : ERR_IO;
}

uint32_t volume_sector(const struct volume *v)
{
        return v->device.sector_size;
}

int64_t volume_now_s(const struct volume *v)
{
        return host_wall_ms(v->host) / 1000;
}

static enum err note_write(struct volume *v, char who)
{
        char sector[SECTOR] = {0};
        memcpy(sector, note_head.p, note_head.n);
        sector[note_head.n] = who;
        enum err err = device_write(v, NOTE_AT, sector, sizeof sector);
        return err == ERR_OK ? volume_flush(v) : err;
}

static bool note_is(struct volume *v, char who)
{
        char sector[SECTOR];
        return v->device.size >= NOTE_AT + SECTOR &&
               device_read(v, NOTE_AT, sector, sizeof sector) == ERR_OK &&
               str_has_prefix(str_of(sector, sizeof sector), note_head) && sector[note_head.n] == who;
}

static enum err take(struct volume *v, struct host *h, struct str path)
{
        memset(v, 0, sizeof *v);
        v->host = h;
        v->state = FAT_FAILED;
        v->fat = malloc(sizeof *v->fat);
        if (v->fat == NULL)
                return ERR_MEMORY;
        enum err err = host_block_open(h, path, false, &v->block);
        if (err == ERR_OK)
                v->device = (struct fat_device){device_read, device_write, device_flush, v,
                        host_block_size(h, v->block) / SECTOR * SECTOR, SECTOR};
        return err;
}

static enum err mount(struct volume *v, enum fat_mode mode)
{
        enum fat_state state;
        enum err err = fat_mount(v->fat, &v->device, mode, &state);
        v->is_mounted = err == ERR_OK;
        v->state = state;
        return err;
}

/* May this user have it? `v` is mounted for reading. */
static enum err judge(struct volume *v, enum volume_user user)
{
        struct fat_info info;
        enum err err = fat_info(v->fat, &info);
        if (err != ERR_OK)
                return err;
        bool is_dirty = v->state != FAT_CLEAN && info.has_redo;
        if (user == VOLUME_READER || user == VOLUME_TOOL || user == VOLUME_CHECK)
                return is_dirty && !note_is(v, 'T') ? ERR_SEQUENCE : ERR_OK;
        return ERR_OK;
}

/* The note first: a volume that is dirty says whose doing that is. */
static enum err mount_to_write(struct volume *v, enum volume_user user)
{
        enum fat_state found = v->state;
        struct fat_info info;
        enum err err = fat_info(v->fat, &info);
        v->is_mounted = false;
        enum err left = fat_unmount(v->fat);
        if (err == ERR_OK)
                err = left;
        if (err == ERR_OK && info.has_redo)
                err = note_write(v, user == VOLUME_SERVER ? 'S' : 'T');
        if (err == ERR_OK)
                err = mount(v, FAT_WRITE);
        if (err == ERR_OK)
                v->state = found;
        return err;
}

enum err volume_open(struct volume *v, struct host *h, struct str path, enum volume_user user)
{
        enum err err = take(v, h, path);
        if (err == ERR_OK && user == VOLUME_CHECK)
                overlay_init(&v->overlay, h, v->block);
        if (err == ERR_OK)
                err = mount(v, FAT_READ);
        if (err == ERR_OK)
                err = judge(v, user);
        return err != ERR_OK || user == VOLUME_READER ? err : mount_to_write(v, user);
}

enum err volume_make(struct volume *v, struct host *h, struct str path)
{
        enum err err = take(v, h, path);
        if (err != ERR_OK)
                return err;
        struct fat_format how = {.now_s = volume_now_s(v), .is_blank = true};
        host_random(h, &how.serial, sizeof how.serial);
        err = fat_format(&v->device, &how);
        if (err == ERR_OK)
                err = note_write(v, 'T');
        return err == ERR_OK ? mount(v, FAT_WRITE) : err;
}

enum err volume_close(struct volume *v)
{
        enum err err = v->is_mounted ? fat_unmount(v->fat) : ERR_OK;
        overlay_close(&v->overlay);
        if (v->block != NULL)
                host_block_close(v->host, v->block);
        free(v->fat);
        memset(v, 0, sizeof *v);
        return err;
}
