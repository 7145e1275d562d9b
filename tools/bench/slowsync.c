/* Preloaded into a server: each fsync and fdatasync takes SLOWSYNC_MS (5) milliseconds longer, as on a real disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_like_a_disk(void) {
    const char *given = getenv("SLOWSYNC_MS");
    long delay = 1000000 * (given ? atol(given) : 5);
    nanosleep(&(struct timespec){delay / 1000000000, delay % 1000000000}, NULL);
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_like_a_disk();
    return real(file);
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_like_a_disk();
    return real(file);
}
