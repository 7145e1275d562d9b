/* Reads who connects: one device a line, tab-separated: client id, user name, password, topic, certificate, key.
 * Certificate (DER) and key (PKCS#8, DER) are base64; all but the client id and the topic may be empty. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 6

static unsigned char *from_base64(const char *text, long *size) {
    size_t length = strlen(text);
    unsigned char *bytes = malloc(length + 1);
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    if (decoded < 0) fail("a device's certificate or key is not base64");
    *size = decoded - (text[length - 1] == '=') - (text[length - 2] == '=');
    return bytes;
}

static void read_certificate(struct device *d, const char *certificate, const char *key) {
    if (!*certificate) return;
    long size;
    unsigned char *bytes = from_base64(certificate, &size);
    const unsigned char *from = bytes;
    d->certificate = d2i_X509(NULL, &from, size);
    free(bytes);
    bytes = from_base64(key, &size);
    from = bytes;
    d->key = d2i_AutoPrivateKey(NULL, &from, size);
    free(bytes);
    if (!d->certificate || !d->key) fail("device %s: its certificate or key cannot be read", d->client_id);
}

struct device *read_devices(const char *path, size_t *count) {
    FILE *file = fopen(path, "r");
    if (!file) fail("%s cannot be read", path);
    struct device *devices = NULL;
    char *line = NULL;
    size_t room = 0, used = 0, length = 0;
    while (getline(&line, &length, file) > 0) {
        char *fields[FIELDS], *rest = line;
        line[strcspn(line, "\n")] = 0;
        for (int i = 0; i < FIELDS; i++)
            if (!(fields[i] = strsep(&rest, "\t"))) fail("%s: a line has not %d fields", path, FIELDS);
        if (used == room) devices = realloc(devices, (room = room ? 2 * room : 1024) * sizeof *devices);
        struct device *d = &devices[used++];
        *d = (struct device){strdup(fields[0]), strdup(fields[1]), strdup(fields[2]), strdup(fields[3]), NULL, NULL};
        read_certificate(d, fields[4], fields[5]);
    }
    free(line);
    fclose(file);
    if (!used) fail("%s names no device", path);
    *count = used;
    return devices;
}
