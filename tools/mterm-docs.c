// SPDX-License-Identifier: Apache-2.0
// Host program: brings the command reference inside a Markdown page up to date. usage: mterm-docs PAGE
#include "tests/unit/mterm/reference.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX (1 << 20)

static char *page_read(const char *path)
{
    char *text = calloc(1, PAGE_MAX);
    FILE *file = fopen(path, "r");

    if (file == NULL || text == NULL) {
        perror(path);
        exit(1);
    }
    (void)!fread(text, 1, PAGE_MAX - 1, file);
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    char *old, *page;
    size_t size;
    FILE *out;

    if (argc != 2) {
        fprintf(stderr, "usage: mterm-docs PAGE\n");
        return 1;
    }
    old = page_read(argv[1]);
    out = open_memstream(&page, &size);
    if (out == NULL || reference_write(old, out) < 0) {
        fprintf(stderr, "%s: the marks around the generated part are missing\n", argv[1]);
        return 1;
    }
    fclose(out);
    if (strcmp(page, old) != 0) {
        out = fopen(argv[1], "w");
        if (out == NULL || fwrite(page, 1, size, out) != size || fclose(out) != 0) {
            perror(argv[1]);
            return 1;
        }
    }
    free(page);
    free(old);
    return 0;
}
