/* SPDX-License-Identifier: ISC */
/* What SQLite asks of a platform at its start (SQLITE_OS_OTHER): nothing, since store/vfs.c registers the only VFS. */
int sqlite3_os_init(void);
int sqlite3_os_end(void);

int sqlite3_os_init(void)
{
        return 0;
}

int sqlite3_os_end(void)
{
        return 0;
}
