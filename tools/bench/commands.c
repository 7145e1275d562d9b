/* What devices do: connect, send as fast as they are acknowledged, send at a fixed rate. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>

static struct connection *held;

/* -- connections -------------------------------------------------------------------------------------------------- */

static void begin_device(struct connection *c) {
    begin(c, a_device(), options.amqp ? &amqp : &mqtt, options.port);
}

static void hold_next(struct connection *c) {
    (void)c;
    uint64_t begun = (uint64_t)options.connections - to_send;
    if (!to_send || begun - done >= (uint64_t)options.parallel) return;
    to_send--;
    begin_device(&held[begun]);
}

void open_held(void) {
    uint64_t wall = nanoseconds(), cpu = cpu_nanoseconds();
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

void end_held(void) {
    for (int i = 0; i < options.connections; i++) end(&held[i]);
}

void beat_held(void) {
    for (int i = 0; i < options.connections; i++)
        if (held[i].protocol->beat) held[i].protocol->beat(&held[i]);
}

static void leave(struct connection *c) {
    done++;
    end(c);
}

static void connect_next(struct connection *c) {
    if (c->state == CLOSED && to_send) {
        to_send--;
        begin_device(c);
    }
}

void run_connects(uint64_t count, double seconds) {
    uint64_t wall = nanoseconds(), cpu = cpu_nanoseconds();
    struct connection *slots = calloc((size_t)options.parallel, sizeof *slots);
    listener = (struct listener){.opened = leave};
    done = 0;
    to_ack = to_send = count;
    begin_until(seconds);
    for (int i = 0; i < options.parallel; i++) connect_next(&slots[i]);
    run_until(all_done_in_time, NULL, connect_next);
    answer("connect", wall, cpu, "");
    for (int i = 0; i < options.parallel; i++) free(slots[i].inbox);
    free(slots);
}

/* -- as fast as they are acknowledged ------------------------------------------------------------------------------ */

static void count_ack(struct connection *c, uint16_t id) {
    (void)id;
    count_one(c);
}

static void fill_window(struct connection *c) {
    if (c->start) return; /* a reader */
    uint64_t room = c->in_flight < (unsigned)options.window ? (uint64_t)options.window - c->in_flight : 0;
    if (room > c->protocol->room(c)) room = c->protocol->room(c);
    if (room > to_send) room = to_send;
    if (!room) return;
    to_send -= room;
    c->protocol->send(c, (unsigned)room, 0);
}

void run_ingest(uint64_t count, double seconds, int window, bool follow) {
    if (window < 1 || window > MAX_WINDOW) fail("a window is 1 to %d", MAX_WINDOW);
    options.window = window;
    if (follow) hold_readers("@latest");
    listener = (struct listener){.drained = fill_window};
    if (follow) listener.published = count_message;
    else listener.acked = count_ack;
    done = 0;
    to_ack = to_send = count;
    uint64_t wall = nanoseconds(), cpu = cpu_nanoseconds();
    begin_until(seconds);
    for (int i = 0; i < options.connections; i++) fill_window(&held[i]);
    run_until(all_done_in_time, NULL, NULL);
    answer(follow ? "follow" : "ingest", wall, cpu, "");
    if (follow) release_readers();
}

/* -- a fixed rate: whoever is late is timed from when it should have been sent -------------------------------------- */

static uint64_t rate_began, rate_interval, rate_sent, late;
static uint32_t *waited; /* microseconds */

static void note(uint64_t since) {
    if (done >= to_ack) fail("more came than was sent");
    waited[done++] = (uint32_t)((nanoseconds() - since) / 1000);
}

static void time_ack(struct connection *c, uint16_t id) { note(c->sent_at[id % MAX_WINDOW]); }

static void time_message(struct connection *c, const unsigned char *end) {
    (void)c;
    note(stamp_of(end));
}

static void send_due(uint64_t times) {
    for (; times && to_send; times--, to_send--) {
        struct connection *c = &held[rate_sent % (uint64_t)options.connections];
        uint64_t due = rate_began + ++rate_sent * rate_interval;
        if (!c->protocol->room(c)) fail("device %s may not send: %u unacknowledged", c->device->client_id, c->in_flight);
        late += nanoseconds() > due + 1000000;
        c->protocol->send(c, 1, due);
    }
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t percentile(double share) { return waited[(size_t)(share * (double)(done - 1))]; }

static void send_at_rate(uint64_t per_second) {
    rate_interval = 1000000000u / per_second;
    rate_began = nanoseconds();
    uint64_t first = rate_began + rate_interval;
    struct itimerspec when = {{0, (long)rate_interval}, {(time_t)(first / 1000000000u), (long)(first % 1000000000u)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
    run_until(all_done, send_due, NULL);
    timerfd_settime(timer, 0, &(struct itimerspec){0}, NULL);
}

void run_rate(uint64_t per_second, double seconds, bool follow) {
    if (follow && options.body < (int)sizeof(uint64_t)) fail("a message of %d bytes has no room for a stamp", options.body);
    if (follow) hold_readers("@latest");
    done = late = rate_sent = 0;
    to_ack = to_send = (uint64_t)((double)per_second * seconds);
    waited = malloc(to_ack * sizeof *waited);
    listener = (struct listener){0};
    if (follow) listener.published = time_message;
    else listener.acked = time_ack;
    uint64_t cpu = cpu_nanoseconds();
    send_at_rate(per_second);
    qsort(waited, done, sizeof *waited, by_size);
    char more[256];
    snprintf(more, sizeof more, ", \"p50_us\": %u, \"p99_us\": %u, \"p999_us\": %u, \"max_us\": %u, \"late\": %llu",
             percentile(0.5), percentile(0.99), percentile(0.999), waited[done - 1], (unsigned long long)late);
    answer(follow ? "latency" : "rate", rate_began, cpu, more);
    free(waited);
    if (follow) release_readers();
}
