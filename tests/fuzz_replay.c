/* SPDX-License-Identifier: ISC */
/* Runs a fuzz target over files and folders of inputs, without libFuzzer: the corpus as a regression test.
 * A target whose corpus folder is missing or empty fails, so that no fuzzer is without inputs. */
#define _POSIX_C_SOURCE 200809L /* fileno */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
        FILE *f = fopen(path, "rb");
        struct stat st;
        if (!f || fstat(fileno(f), &st) != 0) {
                fprintf(stderr, "%s: cannot be read\n", path);
                exit(1);
        }
        size_t n = (size_t)st.st_size;
        uint8_t *data = malloc(
                n ? n : 1); /* exactly the input's size, so that AddressSanitizer sees one byte too far */
        if (!data || fread(data, 1, n, f) != n) {
                fprintf(stderr, "%s: cannot be read\n", path);
                exit(1);
        }
        fclose(f);
        (void)LLVMFuzzerTestOneInput(data, n);
        free(data);
        return 1;
}

static int replay_folder(const char *path)
{
        DIR *d = opendir(path);
        int count = 0;
        if (!d)
                return 0;
        for (struct dirent *e = readdir(d); e; e = readdir(d)) {
                char name[4096];
                if (e->d_name[0] == '.')
                        continue;
                snprintf(name, sizeof name, "%s/%s", path, e->d_name);
                count += replay_file(name);
        }
        closedir(d);
        return count;
}

int main(int argc, char **argv)
{
        int count = 0;
        for (int i = 1; i < argc; i++) {
                struct stat st;
                if (stat(argv[i], &st) == 0)
                        count += S_ISDIR(st.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
        }
        printf("%d inputs replayed\n", count);
        return count > 0 ? 0 : 1;
}
