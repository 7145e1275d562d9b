/* Load generator: opens connections, then runs the commands that it reads from stdin, one JSON line of answer for each.
 *
 *     connect N SECONDS           N full handshakes with CONNECT, CONNACK and DISCONNECT; --parallel of them at a time
 *     ingest N SECONDS WINDOW     N publishes with QoS 1; each connection keeps WINDOW of them unacknowledged
 *     rate R SECONDS              R publishes a second over all connections, and how long each waits for its PUBACK
 *     reserve                     subscribe to everything with QoS 1 and leave: the session stays (--keep-session)
 *     drain SECONDS               count what a session was kept, until nothing comes for so long
 *
 * N are fewer when SECONDS are over before. Each answer holds what was done, the seconds it took, and the CPU seconds of the generator itself.
 */
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512

struct options options = {.tls = "1.3", .port = 8883, .window = 1, .body = 100, .parallel = 16, .keep_alive = 1100,
                          .clean = true};
struct listener listener;
int poller;
bool progress;

static struct device *devices;
static size_t device_count, next_device;
static struct connection *held;
static uint64_t to_send, to_ack, done, late, ends_at;
static uint32_t *waited; /* microseconds */
static int timer = -1;

void fail(const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    char text[512];
    vsnprintf(text, sizeof text, format, rest);
    for (char *c = text; *c; c++)
        if (*c == '"' || *c == '\\' || *c < ' ') *c = '\'';
    printf("{\"error\": \"%s\"}\n", text);
    exit(1);
}

static uint64_t clock_ns(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t nanoseconds(void) { return clock_ns(CLOCK_MONOTONIC); }

static const struct device *a_device(void) { return &devices[next_device++ % device_count]; }

/* Attends to whatever is ready; `tick` is called when the timer ran. Returns when `enough` says so. */
static void run_until(bool (*enough)(void), void (*tick)(uint64_t times), void (*after)(struct connection *)) {
    struct epoll_event events[EVENTS];
    uint64_t moved = nanoseconds();
    while (!enough()) {
        int ready = epoll_wait(poller, events, EVENTS, 0);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            uint64_t times;
            if (c) {
                attend(c);
                if (after) after(c);
            } else if (read(timer, &times, sizeof times) == sizeof times && tick) {
                tick(times);
            }
        }
        if (progress) moved = nanoseconds();
        if (nanoseconds() - moved > STALL_SECONDS * 1e9) fail("nothing came from the server for %g s", STALL_SECONDS);
        progress = false;
    }
}

static bool all_done(void) { return done >= to_ack; }

/* Those that have begun are awaited; no more begin. */
static bool all_done_in_time(void) {
    if (to_send && nanoseconds() > ends_at) to_ack -= to_send, to_send = 0;
    return all_done();
}

static void begin_until(double seconds) { ends_at = nanoseconds() + (uint64_t)(seconds * 1e9); }

static void answer(const char *event, uint64_t wall, uint64_t cpu, const char *more) {
    printf("{\"event\": \"%s\", \"done\": %llu, \"seconds\": %.6f, \"cpu\": %.6f%s}\n", event, (unsigned long long)done,
           (double)(nanoseconds() - wall) / 1e9, (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9, more);
    fflush(stdout);
}

/* -- opening what is held ------------------------------------------------------------------------------------------ */

static void count_one(struct connection *c) {
    (void)c;
    done++;
}

static void hold_next(struct connection *c) {
    (void)c;
    uint64_t begun = (uint64_t)options.connections - to_send;
    if (!to_send || begun - done >= (uint64_t)options.parallel) return;
    to_send--;
    begin(&held[begun], a_device());
}

static void open_held(void) {
    uint64_t wall = nanoseconds(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    held = calloc((size_t)options.connections + 1, sizeof *held);
    done = 0;
    to_ack = to_send = (uint64_t)options.connections;
    listener = (struct listener){.opened = count_one};
    for (int i = 0; i < options.parallel; i++) hold_next(NULL);
    run_until(all_done, NULL, hold_next);
    char more[128] = "";
    if (options.connections) snprintf(more, sizeof more, ", \"cipher\": \"%s\"", cipher_of(held));
    answer("open", wall, cpu, more);
}

/* -- connect ------------------------------------------------------------------------------------------------------- */

static void leave(struct connection *c) {
    done++;
    end(c);
}

static void connect_next(struct connection *c) {
    if (c->state == CLOSED && to_send) {
        to_send--;
        begin(c, a_device());
    }
}

static void run_connects(uint64_t count, double seconds) {
    uint64_t wall = nanoseconds(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    struct connection *slots = calloc((size_t)options.parallel, sizeof *slots);
    listener = (struct listener){.opened = leave};
    done = 0;
    to_ack = to_send = count;
    begin_until(seconds);
    for (int i = 0; i < options.parallel; i++) connect_next(&slots[i]);
    run_until(all_done_in_time, NULL, connect_next);
    answer("connect", wall, cpu, "");
    free(slots);
}

/* -- ingest -------------------------------------------------------------------------------------------------------- */

static void count_ack(struct connection *c, uint16_t id) {
    (void)c, (void)id;
    done++;
}

static void fill_window(struct connection *c) {
    uint64_t room = (uint64_t)options.window - c->in_flight;
    if (room > to_send) room = to_send;
    if (!room) return;
    to_send -= room;
    send_publishes(c, (unsigned)room, 0);
}

static void run_ingest(uint64_t count, double seconds, int window) {
    if (window < 1 || window > MAX_WINDOW) fail("a window is 1 to %d", MAX_WINDOW);
    options.window = window;
    listener = (struct listener){.acked = count_ack, .drained = fill_window};
    done = 0;
    to_ack = to_send = count;
    uint64_t wall = nanoseconds(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    begin_until(seconds);
    for (int i = 0; i < options.connections; i++) fill_window(&held[i]);
    run_until(all_done_in_time, NULL, NULL);
    answer("ingest", wall, cpu, "");
}

/* -- a fixed rate: whoever is late is timed from when it should have been sent --------------------------------------- */

static uint64_t rate_began, rate_interval, rate_sent;

static void time_ack(struct connection *c, uint16_t id) {
    waited[done++] = (uint32_t)((nanoseconds() - c->sent_at[id % MAX_WINDOW]) / 1000);
}

static void send_due(uint64_t times) {
    for (; times && to_send; times--, to_send--) {
        struct connection *c = &held[rate_sent % (uint64_t)options.connections];
        uint64_t due = rate_began + ++rate_sent * rate_interval;
        if (c->in_flight >= MAX_WINDOW) fail("device %s waits for %d acknowledgements", c->device->client_id, MAX_WINDOW);
        late += nanoseconds() > due + 1000000;
        send_publishes(c, 1, due);
    }
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t percentile(double share) { return waited[(size_t)(share * (double)(done - 1))]; }

static void run_rate(uint64_t per_second, double seconds) {
    done = late = rate_sent = 0;
    to_ack = to_send = (uint64_t)((double)per_second * seconds);
    waited = malloc(to_ack * sizeof *waited);
    listener = (struct listener){.acked = time_ack};
    rate_interval = 1000000000u / per_second;
    uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    rate_began = nanoseconds();
    uint64_t first = rate_began + rate_interval;
    struct itimerspec when = {{0, (long)rate_interval}, {(time_t)(first / 1000000000u), (long)(first % 1000000000u)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
    run_until(all_done, send_due, NULL);
    timerfd_settime(timer, 0, &(struct itimerspec){0}, NULL);
    qsort(waited, done, sizeof *waited, by_size);
    char more[256];
    snprintf(more, sizeof more, ", \"p50_us\": %u, \"p99_us\": %u, \"p999_us\": %u, \"max_us\": %u, \"late\": %llu",
             percentile(0.5), percentile(0.99), percentile(0.999), waited[done - 1], (unsigned long long)late);
    answer("rate", rate_began, cpu, more);
    free(waited);
}

/* -- a session that keeps messages ---------------------------------------------------------------------------------- */

static void subscribe(struct connection *c) {
    static const unsigned char packet[] = {0x82, 6, 0, 1, 0, 1, '#', 1};
    send_packet(c, packet, sizeof packet);
}

static void run_reserve(void) {
    struct connection *c = calloc(1, sizeof *c);
    listener = (struct listener){.opened = subscribe, .subscribed = leave};
    done = 0;
    to_ack = 1;
    uint64_t wall = nanoseconds(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    begin(c, a_device());
    run_until(all_done, NULL, NULL);
    answer("reserve", wall, cpu, "");
    free(c);
}

static uint64_t quiet, seen, seen_at;

static bool nothing_comes(void) {
    if (seen != done) seen = done, seen_at = nanoseconds();
    return nanoseconds() - seen_at > quiet;
}

static void run_drain(double seconds) {
    struct connection *c = calloc(1, sizeof *c);
    listener = (struct listener){.published = count_one};
    done = seen = 0;
    quiet = (uint64_t)(seconds * 1e9);
    seen_at = nanoseconds();
    uint64_t wall = seen_at, cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    begin(c, a_device());
    run_until(nothing_comes, NULL, NULL);
    answer("drain", wall, cpu, "");
    end(c);
    free(c);
}

/* -- options and commands ------------------------------------------------------------------------------------------- */

static void read_options(int count, char **words) {
    static const struct option known[] = {
        {"host", 1, 0, 'h'},    {"port", 1, 0, 'p'},   {"ca", 1, 0, 'a'},       {"devices", 1, 0, 'd'},
        {"tls", 1, 0, 't'},  {"body", 1, 0, 'b'},   {"connections", 1, 0, 'c'},  {"parallel", 1, 0, 'n'},
        {"joined", 0, 0, 'j'}, {"keep-session", 0, 0, 'k'}, {0, 0, 0, 0}};
    for (int which; (which = getopt_long(count, words, "", known, NULL)) != -1;) {
        switch (which) {
        case 'h': options.host = optarg; break;
        case 'p': options.port = atoi(optarg); break;
        case 'a': options.ca = optarg; break;
        case 'd': options.devices = optarg; break;
        case 't': options.tls = optarg; break;
        case 'b': options.body = atoi(optarg); break;
        case 'c': options.connections = atoi(optarg); break;
        case 'n': options.parallel = atoi(optarg); break;
        case 'j': options.joined = true; break;
        case 'k': options.clean = false; break;
        default: fail("no such option");
        }
    }
    if (!options.host || !options.ca || !options.devices) fail("--host, --ca and --devices are needed");
    if (options.body < 0 || options.body > MAX_BODY) fail("--body is 0 to %d", MAX_BODY);
}

static void obey(const char *line) {
    char name[16] = "";
    double first = 0, second = 0, third = 0;
    sscanf(line, "%15s %lf %lf %lf", name, &first, &second, &third);
    if (!strcmp(name, "connect")) run_connects((uint64_t)first, second);
    else if (!strcmp(name, "ingest")) run_ingest((uint64_t)first, second, (int)third);
    else if (!strcmp(name, "rate")) run_rate((uint64_t)first, second);
    else if (!strcmp(name, "reserve")) run_reserve();
    else if (!strcmp(name, "drain")) run_drain(first);
    else fail("no such command: %s", name);
}

int main(int count, char **words) {
    read_options(count, words);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    devices = read_devices(options.devices, &device_count);
    set_up_tls();
    poller = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN});
    open_held();
    char line[128];
    while (fgets(line, sizeof line, stdin)) obey(line);
    for (int i = 0; i < options.connections; i++) end(&held[i]);
    return 0;
}
