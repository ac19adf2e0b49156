/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/check.h"
#include "fat/bytes.h"
#include "fat/directory.h"

#define CLUSTER_SIZE 4096
#define CLUSTERS_MIN 65525u /* with fewer, other systems take it for FAT16 */

/* Sectors of each FAT and clusters that follow from a cluster size; the data area starts at a multiple of a cluster, so
 * that a page of a database never lies across two blocks of the disk below. */
static void lay_out(struct fat_boot *b)
{
        uint64_t fat_sectors = 1;
        for (;;) {
                uint64_t data = b->reserved + 2 * fat_sectors;
                while (data % b->cluster_sectors != 0)
                        data = b->reserved + 2 * ++fat_sectors;
                uint64_t clusters = b->sectors > data ? (b->sectors - data) / b->cluster_sectors : 0;
                uint64_t need = ((clusters + 2) * 4 + b->sector_size - 1) / b->sector_size;
                b->fat_sectors = (uint32_t)fat_sectors;
                b->data = (uint32_t)data;
                b->clusters = (uint32_t)clusters;
                if (need <= fat_sectors)
                        return;
                fat_sectors = fat_sectors + (need - fat_sectors + 1) / 2;
        }
}

static enum err plan(const struct fat_device *device, const struct fat_format *what, struct fat_boot *b)
{
        uint64_t size = what->size != 0 ? what->size : device->size;
        *b = (struct fat_boot){.sector_size = device->sector_size,
                .reserved = FAT_RESERVED_SECTORS,
                .fats = 2,
                .root = FAT_FIRST_CLUSTER,
                .info = FAT_INFO_SECTOR,
                .backup = FAT_BACKUP_SECTOR,
                .serial = what->serial,
                .cluster_sectors = CLUSTER_SIZE / device->sector_size};
        memcpy(b->label, "NO NAME    ", sizeof b->label);
        if (size < FAT_VOLUME_MIN || size > FAT_VOLUME_MAX || size > device->size)
                return ERR_LIMIT;
        b->sectors = (uint32_t)(size / device->sector_size);
        lay_out(b);
        while (b->clusters < CLUSTERS_MIN && b->cluster_sectors > 1) {
                b->cluster_sectors /= 2;
                lay_out(b);
        }
        return b->clusters < CLUSTERS_MIN ? ERR_LIMIT : ERR_OK;
}

static enum err take_label(struct fat_boot *b, struct str label)
{
        if (label.n > sizeof b->label)
                return ERR_LIMIT;
        if (label.n > 0)
                memset(b->label, ' ', sizeof b->label);
        for (size_t i = 0; i < label.n; i++) {
                char c = label.p[i];
                if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                            (c == ' ' && i > 0)))
                        return ERR_SYNTAX;
                b->label[i] = c;
        }
        return ERR_OK;
}

/* A volume that is only used to write through. */
struct making {
        const struct fat_device *device;
        const struct fat_boot *b;
        uint8_t sector[4096];
        enum err err;
};

static void put(struct making *m, uint32_t sector)
{
        if (m->err == ERR_OK)
                m->err = m->device->write(
                        m->device->ctx, (uint64_t)sector * m->b->sector_size, m->sector, m->b->sector_size);
        memset(m->sector, 0, sizeof m->sector);
}

static void flush(struct making *m)
{
        if (m->err == ERR_OK)
                m->err = m->device->flush(m->device->ctx);
}

static void put_zeros(struct making *m, uint32_t end)
{
        memset(m->sector, 0, sizeof m->sector);
        for (uint32_t s = 1; s < end; s++)
                put(m, s);
}

static void put_tables(struct making *m)
{
        for (uint32_t copy = 0; copy < m->b->fats; copy++) {
                fat_put32(m->sector, 0x0ffffff8);
                fat_put32(m->sector + 4, FAT_CHAIN_END);
                fat_put32(m->sector + 8, FAT_CHAIN_END); /* the root directory */
                put(m, m->b->reserved + copy * m->b->fat_sectors);
        }
}

static void put_boot(struct making *m, uint32_t sector)
{
        fat_boot_encode(m->b, m->sector);
        put(m, sector);
}

static void put_label(struct making *m, int64_t now_s)
{
        memcpy(m->sector, m->b->label, FAT_SHORT_SIZE);
        m->sector[11] = FAT_IS_LABEL;
        fat_slot_set_written(m->sector, now_s);
        fat_put16(m->sector + 18, 0); /* a label has no date of access */
        put(m, m->b->data);
}

enum err fat_format(const struct fat_device *device, const struct fat_format *what)
{
        struct fat_boot b;
        enum err err = plan(device, what, &b);
        if (err == ERR_OK)
                err = take_label(&b, what->label);
        if (err != ERR_OK)
                return err;
        struct making m = {.device = device, .b = &b};
        put(&m, 0);
        flush(&m);
        if (!what->is_blank)
                put_zeros(&m, b.data + b.cluster_sectors);
        put_tables(&m);
        if (what->label.n > 0)
                put_label(&m, what->now_s);
        put_boot(&m, FAT_BACKUP_SECTOR);
        fat_info_encode(m.sector);
        put(&m, FAT_BACKUP_SECTOR + 1);
        fat_info_encode(m.sector);
        put(&m, FAT_INFO_SECTOR);
        fat_redo_mark_encode(b.serial, 0, m.sector);
        put(&m, FAT_REDO_SECTOR);
        flush(&m);
        put_boot(&m, 0);
        flush(&m);
        return m.err == ERR_OK ? ERR_OK : ERR_IO;
}
