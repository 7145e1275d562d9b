/* What readers do: over AMQP, each on the link that its line names; over MQTT, a session that keeps messages. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

static struct device *readers;
static size_t reader_count;
static struct connection *reading;

static void begin_readers(const char *start) {
    if (!readers) {
        if (!options.readers) fail("--readers is needed");
        readers = read_devices(options.readers, &reader_count);
        reading = calloc(reader_count, sizeof *reading);
    }
    for (size_t i = 0; i < reader_count; i++) {
        reading[i].start = strstr(readers[i].topic, "ConsumerGroups") ? start : "";
        begin(&reading[i], &readers[i], &amqp, options.reader_port);
    }
}

void hold_readers(const char *start) {
    done = 0;
    begin_readers(start);
    to_ack = reader_count;
    listener = (struct listener){.opened = count_one};
    run_until(all_done, NULL, NULL);
}

void release_readers(void) {
    for (size_t i = 0; i < reader_count; i++) end(&reading[i]);
}

static bool read_in_time(void) { return done >= to_ack || nanoseconds() > ends_at; }

void run_read(uint64_t count, double seconds) {
    uint64_t wall = nanoseconds(), cpu = cpu_nanoseconds();
    listener = (struct listener){.published = count_message};
    done = 0;
    to_ack = count;
    begin_until(seconds);
    begin_readers("-1");
    run_until(read_in_time, NULL, NULL);
    answer("read", wall, cpu, "");
    release_readers();
}

/* -- MQTT ---------------------------------------------------------------------------------------------------------- */

static void subscribe(struct connection *c) {
    static const unsigned char packet[] = {0x82, 6, 0, 1, 0, 1, '#', 1};
    send_packet(c, packet, sizeof packet);
}

static void leave(struct connection *c) {
    done++;
    end(c);
}

void run_reserve(void) {
    struct connection *c = calloc(1, sizeof *c);
    listener = (struct listener){.opened = subscribe, .subscribed = leave};
    done = 0;
    to_ack = 1;
    uint64_t wall = nanoseconds(), cpu = cpu_nanoseconds();
    begin(c, a_device(), &mqtt, options.port);
    run_until(all_done, NULL, NULL);
    answer("reserve", wall, cpu, "");
    free(c->inbox);
    free(c);
}

static uint64_t quiet, seen, seen_at;

static bool nothing_comes(void) {
    if (seen != done) seen = done, seen_at = nanoseconds();
    return nanoseconds() - seen_at > quiet;
}

void run_drain(double seconds) {
    struct connection *c = calloc(1, sizeof *c);
    listener = (struct listener){.published = count_message};
    done = seen = 0;
    quiet = (uint64_t)(seconds * 1e9);
    seen_at = nanoseconds();
    uint64_t wall = seen_at, cpu = cpu_nanoseconds();
    begin(c, a_device(), &mqtt, options.port);
    run_until(nothing_comes, NULL, NULL);
    answer("drain", wall, cpu, "");
    end(c);
    free(c->inbox);
    free(c);
}
