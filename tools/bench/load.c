/* Load generator: opens connections, then runs the commands that it reads from stdin, one JSON line of answer for each.
 *
 *     connect N SECONDS           N full connections, each until it could send, and its goodbye; --parallel of them at a time
 *     ingest N SECONDS WINDOW     N acknowledged messages; each connection keeps WINDOW of them unacknowledged
 *     rate R SECONDS              R messages a second over all connections, and how long each waits for its acknowledgement
 *     read N SECONDS              N messages, as fast as the readers get them, from the oldest on
 *     follow N SECONDS WINDOW     as ingest, until the readers have all
 *     latency R SECONDS           as rate: how long until a reader has it
 *     reserve                     MQTT: subscribe to everything with QoS 1 and leave: the session stays (--keep-session)
 *     drain SECONDS               MQTT: count what a session was kept, until nothing comes for so long
 *
 * N are fewer when SECONDS are over before. Each answer holds what was done, the seconds it took, and the CPU seconds of
 * the generator itself. Devices speak MQTT, or AMQP with --amqp; readers speak AMQP.
 */
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
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
#define BEAT_MS 15000 /* between two signs of life while there is nothing to do */

struct options options = {.tls = "1.3", .port = 8883, .reader_port = 5671, .window = 1, .body = 100, .parallel = 16,
                          .keep_alive = 1100, .clean = true};
struct listener listener;
int poller, timer;
bool progress;
uint64_t to_send, to_ack, done, ends_at;

static struct device *devices;
static size_t device_count, next_device;

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

uint64_t cpu_nanoseconds(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

const struct device *a_device(void) { return &devices[next_device++ % device_count]; }

/* Attends to whatever is ready; `tick` is called when the timer ran. Returns when `enough` says so. */
void run_until(bool (*enough)(void), void (*tick)(uint64_t times), void (*after)(struct connection *)) {
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
        if (nanoseconds() - moved > STALL_SECONDS * 1e9)
            fail("nothing came from the server for %g s; %llu done", STALL_SECONDS, (unsigned long long)done);
        progress = false;
    }
}

bool all_done(void) { return done >= to_ack; }

bool all_done_in_time(void) {
    if (to_send && nanoseconds() > ends_at) to_ack -= to_send, to_send = 0;
    return all_done();
}

void begin_until(double seconds) { ends_at = nanoseconds() + (uint64_t)(seconds * 1e9); }

void count_one(struct connection *c) {
    (void)c;
    done++;
}

void count_message(struct connection *c, const unsigned char *end) {
    (void)end;
    count_one(c);
}

void answer(const char *event, uint64_t wall, uint64_t cpu, const char *more) {
    printf("{\"event\": \"%s\", \"done\": %llu, \"seconds\": %.6f, \"cpu\": %.6f%s}\n", event, (unsigned long long)done,
           (double)(nanoseconds() - wall) / 1e9, (double)(cpu_nanoseconds() - cpu) / 1e9, more);
    fflush(stdout);
}

static void read_options(int count, char **words) {
    static const struct option known[] = {
        {"host", 1, 0, 'h'},    {"port", 1, 0, 'p'},         {"ca", 1, 0, 'a'},          {"devices", 1, 0, 'd'},
        {"tls", 1, 0, 't'},     {"body", 1, 0, 'b'},         {"connections", 1, 0, 'c'}, {"parallel", 1, 0, 'n'},
        {"joined", 0, 0, 'j'},  {"keep-session", 0, 0, 'k'}, {"amqp", 0, 0, 'q'},        {"readers", 1, 0, 'r'},
        {"reader-port", 1, 0, 'R'}, {0, 0, 0, 0}};
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
        case 'q': options.amqp = true; break;
        case 'r': options.readers = optarg; break;
        case 'R': options.reader_port = atoi(optarg); break;
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
    else if (!strcmp(name, "ingest")) run_ingest((uint64_t)first, second, (int)third, false);
    else if (!strcmp(name, "follow")) run_ingest((uint64_t)first, second, (int)third, true);
    else if (!strcmp(name, "rate")) run_rate((uint64_t)first, second, false);
    else if (!strcmp(name, "latency")) run_rate((uint64_t)first, second, true);
    else if (!strcmp(name, "read")) run_read((uint64_t)first, second);
    else if (!strcmp(name, "reserve")) run_reserve();
    else if (!strcmp(name, "drain")) run_drain(first);
    else fail("no such command: %s", name);
}

/* Waits for a line; a server that hears nothing for long would end the connections. */
static bool next_line(char *line, int size) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    while (!poll(&input, 1, BEAT_MS)) beat_held();
    return fgets(line, size, stdin) != NULL;
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
    while (next_line(line, sizeof line)) obey(line);
    end_held();
    return 0;
}
