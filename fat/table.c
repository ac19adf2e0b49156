/* SPDX-License-Identifier: ISC */
/* The FAT and the counts of its free clusters, kept by groups of sectors so that memory is bounded. */
#include "base/check.h"
#include "fat/bytes.h"
#include "fat/volume.h"

bool fat_is_cluster(const struct fat *f, uint32_t cluster)
{
        return cluster >= FAT_FIRST_CLUSTER && cluster - FAT_FIRST_CLUSTER < f->clusters;
}

uint32_t fat_cluster_sector(const struct fat *f, uint32_t cluster)
{
        CHECK(fat_is_cluster(f, cluster));
        return f->data + (cluster - FAT_FIRST_CLUSTER) * f->cluster_sectors;
}

uint64_t fat_cluster_at(const struct fat *f, uint32_t cluster)
{
        return (uint64_t)fat_cluster_sector(f, cluster) * f->sector_size;
}

uint32_t fat_entry_sector(const struct fat *f, uint32_t cluster)
{
        return f->reserved + f->active_fat * f->fat_sectors + cluster / (f->sector_size / 4);
}

static uint32_t *group_of(struct fat *f, uint32_t cluster)
{
        return &f->group_free[cluster / (f->sector_size / 4) / f->group_sectors];
}

enum err fat_entry_get(struct fat *f, uint32_t cluster, uint32_t *out)
{
        CHECK(cluster < f->clusters + FAT_FIRST_CLUSTER);
        const uint8_t *bytes;
        enum err err = fat_sector_read(f, fat_entry_sector(f, cluster), &bytes);
        *out = err == ERR_OK ? fat_le32(bytes + cluster % (f->sector_size / 4) * 4) & 0x0fffffff : 0;
        return err;
}

enum err fat_entries_look(struct fat *f, uint32_t cluster, const uint8_t **entries, uint32_t *count)
{
        uint32_t each = f->sector_size / 4, end = f->clusters + FAT_FIRST_CLUSTER;
        CHECK(cluster < end);
        enum err err = fat_sector_read(f, fat_entry_sector(f, cluster), entries);
        *entries += (size_t)(cluster % each) * 4;
        *count = each - cluster % each;
        if (*count > end - cluster)
                *count = end - cluster;
        return err;
}

enum err fat_entry_set(struct fat *f, uint32_t cluster, uint32_t value)
{
        CHECK(cluster < f->clusters + FAT_FIRST_CLUSTER);
        uint8_t *bytes;
        enum err err = fat_sector_edit(f, fat_entry_sector(f, cluster), &bytes);
        if (err != ERR_OK)
                return err;
        uint8_t *entry = bytes + cluster % (f->sector_size / 4) * 4;
        uint32_t old = fat_le32(entry);
        fat_put32(entry, (old & 0xf0000000) | value); /* the upper four bits are not ours to change */
        uint32_t *group = group_of(f, cluster);
        if (*group != FAT_GROUP_UNKNOWN)
                *group += (uint32_t)(value == 0) - (uint32_t)((old & 0x0fffffff) == 0);
        return ERR_OK;
}

enum err fat_chain_next(struct fat *f, uint32_t cluster, uint32_t *next)
{
        uint32_t value;
        enum err err = fat_entry_get(f, cluster, &value);
        *next = value > FAT_CLUSTER_BAD ? FAT_CHAIN_END : value;
        if (err != ERR_OK)
                return err;
        return *next == FAT_CHAIN_END || fat_is_cluster(f, *next) ? ERR_OK : ERR_CORRUPT;
}

void fat_groups_init(struct fat *f)
{
        f->group_sectors = (f->fat_sectors + FAT_GROUPS_MAX - 1) / FAT_GROUPS_MAX;
        uint32_t group_clusters = f->group_sectors * (f->sector_size / 4);
        f->groups = (f->clusters + FAT_FIRST_CLUSTER + group_clusters - 1) / group_clusters;
        CHECK(f->groups <= FAT_GROUPS_MAX);
        for (uint32_t i = 0; i < f->groups; i++)
                f->group_free[i] = FAT_GROUP_UNKNOWN;
        f->hint = FAT_FIRST_CLUSTER;
}

void fat_group_forget(struct fat *f, uint32_t sector)
{
        if (sector >= f->reserved && sector < f->reserved + f->fat_sectors) {
                uint32_t group = (sector - f->reserved) / f->group_sectors;
                if (group < f->groups)
                        f->group_free[group] = FAT_GROUP_UNKNOWN;
        }
}

static enum err group_count(struct fat *f, uint32_t group)
{
        uint32_t each = f->group_sectors * (f->sector_size / 4);
        uint32_t from = group * each, end = f->clusters + FAT_FIRST_CLUSTER;
        uint32_t to = end - from < each ? end : from + each;
        uint32_t count = 0, n;
        for (uint32_t c = from < FAT_FIRST_CLUSTER ? FAT_FIRST_CLUSTER : from; c < to; c += n) {
                const uint8_t *entries;
                enum err err = fat_entries_look(f, c, &entries, &n);
                if (err != ERR_OK)
                        return err;
                for (uint32_t i = 0; i < n; i++)
                        count += (fat_le32(entries + (size_t)i * 4) & 0x0fffffff) == 0;
        }
        f->group_free[group] = count;
        return ERR_OK;
}

static enum err count_up_to(struct fat *f, uint64_t enough, uint32_t *out)
{
        *out = 0;
        for (uint32_t i = 0; i < f->groups && *out < enough; i++) {
                enum err err = f->group_free[i] == FAT_GROUP_UNKNOWN ? group_count(f, i) : ERR_OK;
                if (err != ERR_OK)
                        return err;
                *out += f->group_free[i];
        }
        return ERR_OK;
}

enum err fat_need_free(struct fat *f, uint64_t need)
{
        uint32_t count;
        enum err err = count_up_to(f, need, &count);
        return err == ERR_OK && count < need ? ERR_FULL : err;
}

enum err fat_count_free(struct fat *f, uint32_t *out)
{
        return count_up_to(f, UINT64_MAX, out);
}
