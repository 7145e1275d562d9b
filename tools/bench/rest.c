/* Load generator for HTTPS/1.1: keeps connections open and sends prepared requests, one at a time on each.
 *
 *     requests N SECONDS    N requests in the order of the file, over and over; fewer when SECONDS are over before
 *
 * The file holds requests as they go over the wire, each behind its length (four bytes, big endian). A response must have
 * a Content-Length (or none for 204) and a status of 200 to 299; anything else is the end. Each command is answered with
 * one JSON line: what was done, the seconds it took, the CPU seconds of the generator itself, and how long answers took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256
#define MAX_RESPONSE (8u << 20)
#define STALL_SECONDS 60.0

struct request {
    const unsigned char *bytes;
    size_t size;
};

struct connection {
    int fd;
    SSL *ssl;
    bool open;
    const struct request *request; /* NULL: none is under way */
    size_t sent;
    uint64_t begun_at;
    char *inbox;
    size_t inbox_size, inbox_room, expected; /* expected: bytes of the whole response; 0: not known yet */
};

static const char *host, *ca, *file;
static int port = 443, connections = 1;
static struct request *requests;
static size_t request_count, next_request;
static struct connection *held;
static SSL_CTX *tls;
static struct sockaddr_in server;
static int poller;
static uint64_t to_send, done, opened, ends_at, moved, received;
static uint32_t *waited;

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...) {
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

static uint64_t nanoseconds(void) { return clock_ns(CLOCK_MONOTONIC); }

static void broken(const char *what) {
    unsigned long error = ERR_get_error();
    fail("%s: %s", what, error ? ERR_reason_error_string(error) : errno ? strerror(errno) : "closed by the server");
}

static void read_requests(void) {
    FILE *from = fopen(file, "rb");
    if (!from) fail("%s cannot be read", file);
    unsigned char length[4];
    size_t room = 0;
    while (fread(length, 1, 4, from) == 4) {
        size_t size = (size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 | length[3];
        unsigned char *bytes = malloc(size);
        if (fread(bytes, 1, size, from) != size) fail("%s ends within a request", file);
        if (request_count == room) requests = realloc(requests, (room = room ? 2 * room : 1024) * sizeof *requests);
        requests[request_count++] = (struct request){bytes, size};
    }
    fclose(from);
    if (!request_count) fail("%s holds no request", file);
}

static void set_up_tls(void) {
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(tls, 1);
    if (!SSL_CTX_load_verify_locations(tls, ca, NULL)) fail("%s holds no CA certificate", ca);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (!inet_aton(host, &server.sin_addr)) fail("%s is no IPv4 address", host);
}

static void begin(struct connection *c) {
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) broken("no socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) broken("connect");
    c->ssl = SSL_new(tls);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event)) broken("epoll");
}

static void send_on(struct connection *c) {
    while (c->request && c->sent < c->request->size) {
        size_t step;
        ERR_clear_error();
        if (!SSL_write_ex(c->ssl, c->request->bytes + c->sent, c->request->size - c->sent, &step)) {
            if (SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_WRITE) broken("writing");
            return;
        }
        c->sent += step;
    }
}

static void send_next(struct connection *c) {
    if (!to_send || nanoseconds() > ends_at) return;
    to_send--;
    c->request = &requests[next_request++ % request_count];
    c->sent = 0;
    c->begun_at = nanoseconds();
    send_on(c);
}

/* Returns the bytes of the whole response once its head is there, else 0. */
static size_t length_of(struct connection *c) {
    c->inbox[c->inbox_size] = 0;
    char *end = strstr(c->inbox, "\r\n\r\n");
    if (!end) return 0;
    int status = c->inbox_size > 12 ? atoi(c->inbox + 9) : 0;
    if (status < 200 || status > 299) fail("a response is not good: %.300s", c->inbox);
    char *length = strcasestr(c->inbox, "\r\ncontent-length:");
    if (length && length > end) length = NULL;
    if (!length && status != 204) fail("a response does not say how long it is: %.300s", c->inbox);
    return (size_t)(end - c->inbox) + 4 + (length ? strtoul(length + 17, NULL, 10) : 0);
}

static void take_response(struct connection *c) {
    if (!c->expected) c->expected = length_of(c);
    if (!c->expected || c->inbox_size < c->expected) return;
    if (c->inbox_size > c->expected || !c->request) fail("the server says more than it was asked: %.200s", c->inbox);
    waited[done++] = (uint32_t)((nanoseconds() - c->begun_at) / 1000);
    received += c->inbox_size;
    c->inbox_size = c->expected = 0;
    c->request = NULL;
    send_next(c);
}

static void read_all(struct connection *c) {
    size_t got;
    for (;;) {
        if (c->inbox_room < c->inbox_size + 16384) {
            if (c->inbox_room > MAX_RESPONSE) fail("a response is too long");
            c->inbox = realloc(c->inbox, (c->inbox_room = 2 * c->inbox_room + 32768) + 1);
        }
        ERR_clear_error();
        errno = 0;
        if (!SSL_read_ex(c->ssl, c->inbox + c->inbox_size, c->inbox_room - c->inbox_size, &got)) {
            if (SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_READ) broken("reading");
            return;
        }
        moved = nanoseconds();
        c->inbox_size += got;
        take_response(c);
    }
}

static void attend(struct connection *c) {
    if (!c->open) {
        ERR_clear_error();
        int result = SSL_connect(c->ssl);
        if (result != 1) {
            int error = SSL_get_error(c->ssl, result);
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) broken("TLS handshake");
            return;
        }
        c->open = true;
        opened++;
        moved = nanoseconds();
    }
    send_on(c);
    read_all(c);
}

static bool all_open(void) { return opened == (uint64_t)connections; }

static bool all_idle(void) {
    for (int i = 0; i < connections; i++)
        if (held[i].request) return false;
    return true;
}

static void run_until(bool (*enough)(void)) {
    struct epoll_event events[EVENTS];
    moved = nanoseconds();
    while (!enough()) {
        int ready = epoll_wait(poller, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) attend(events[i].data.ptr);
        if (nanoseconds() - moved > STALL_SECONDS * 1e9) fail("nothing came from the server for %g s", STALL_SECONDS);
    }
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void answer(const char *event, uint64_t wall, uint64_t cpu, const char *more) {
    printf("{\"event\": \"%s\", \"done\": %llu, \"seconds\": %.6f, \"cpu\": %.6f%s}\n", event, (unsigned long long)done,
           (double)(nanoseconds() - wall) / 1e9, (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9, more);
    fflush(stdout);
}

static void run_requests(uint64_t count, double seconds) {
    uint64_t wall = nanoseconds(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    done = received = 0;
    to_send = count;
    ends_at = wall + (uint64_t)(seconds * 1e9);
    waited = malloc((count + 1) * sizeof *waited);
    for (int i = 0; i < connections; i++) send_next(&held[i]);
    run_until(all_idle);
    qsort(waited, done, sizeof *waited, by_size);
    char more[160];
    snprintf(more, sizeof more, ", \"p50_us\": %u, \"p99_us\": %u, \"bytes\": %llu", done ? waited[done / 2] : 0,
             done ? waited[done - 1 - done / 100] : 0, (unsigned long long)received);
    answer("requests", wall, cpu, more);
    free(waited);
}

static void read_options(int count, char **words) {
    static const struct option known[] = {{"host", 1, 0, 'h'}, {"port", 1, 0, 'p'},        {"ca", 1, 0, 'a'},
                                          {"file", 1, 0, 'f'}, {"connections", 1, 0, 'c'}, {0, 0, 0, 0}};
    for (int which; (which = getopt_long(count, words, "", known, NULL)) != -1;) {
        switch (which) {
        case 'h': host = optarg; break;
        case 'p': port = atoi(optarg); break;
        case 'a': ca = optarg; break;
        case 'f': file = optarg; break;
        case 'c': connections = atoi(optarg); break;
        default: fail("no such option");
        }
    }
    if (!host || !ca || !file || connections < 1) fail("--host, --ca and --file are needed");
}

int main(int count, char **words) {
    read_options(count, words);
    read_requests();
    set_up_tls();
    poller = epoll_create1(0);
    held = calloc((size_t)connections, sizeof *held);
    uint64_t wall = nanoseconds(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < connections; i++) begin(&held[i]);
    run_until(all_open);
    done = opened;
    answer("open", wall, cpu, "");
    char line[128], name[16];
    double first, second;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%15s %lf %lf", name, &first, &second) != 3 || strcmp(name, "requests")) fail("no such command");
        run_requests((uint64_t)first, second);
    }
    for (int i = 0; i < connections; i++) SSL_shutdown(held[i].ssl);
    return 0;
}
