/* Replays a fuzz corpus as an ordinary test: every file of the folders named on the command line
 * goes through LLVMFuzzerTestOneInput once. Prints cmocka's summary line so that ./test counts it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static long replay_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) return 0;
    uint8_t *data = malloc(1 << 21);
    if (data == NULL) abort();
    size_t n = fread(data, 1, 1 << 21, f);
    (void)fclose(f);
    /* An exact-size copy, so that the address sanitizer sees the first byte read beyond the input.
     */
    uint8_t *exact = malloc(n == 0 ? 1 : n);
    if (exact == NULL) abort();
    for (size_t i = 0; i < n; i++) exact[i] = data[i];
    free(data);
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 1;
}

int main(int argc, char **argv) {
    long n = 0;
    for (int i = 1; i < argc; i++) {
        DIR *d = opendir(argv[i]);
        if (d == NULL) {
            n += replay_file(argv[i]);
            continue;
        }
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
            char path[4096];
            if (e->d_name[0] == '.') continue;
            if (snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name) < (int)sizeof path)
                n += replay_file(path);
        }
        (void)closedir(d);
    }
    (void)printf("[==========] replayed %ld inputs\n", n);
    if (n == 0) {
        (void)printf("[  FAILED  ] 1 test(s).\n");
        return 1;
    }
    (void)printf("[  PASSED  ] 1 test(s).\n");
    return 0;
}
