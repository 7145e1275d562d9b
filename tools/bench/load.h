/* The load generator's parts: devices, connections, and what a command does with them. */
#ifndef IRONHUB_BENCH_LOAD_H
#define IRONHUB_BENCH_LOAD_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_WINDOW 64      /* publishes of one connection that may wait for their PUBACK */
#define MAX_BODY 4096      /* bytes of a message */
#define INBOX 8192         /* bytes of packets that have not arrived in full */
#define STALL_SECONDS 60.0 /* without any progress: the run is over */

struct device {
    char *client_id, *username, *password, *topic; /* an empty user name or password is not sent */
    X509 *certificate;                             /* NULL: it has none */
    EVP_PKEY *key;
};

enum state { CLOSED, CONNECTING, SHAKING_HANDS, AWAITING_CONNACK, OPEN };

struct connection {
    int fd;
    enum state state;
    SSL *ssl;
    const struct device *device;
    unsigned in_flight;
    uint16_t last_id;
    uint64_t sent_at[MAX_WINDOW]; /* nanoseconds, by packet id; only at a fixed rate */
    unsigned char *unsent;        /* what OpenSSL has not taken yet */
    size_t unsent_size, unsent_from;
    unsigned char inbox[INBOX];
    size_t inbox_size;
};

struct options {
    const char *host, *ca, *devices, *tls;
    int port, connections, window, body, parallel, keep_alive;
    bool clean, joined;
};

/* What a command wants to know of a connection; a NULL is not called. */
struct listener {
    void (*opened)(struct connection *);
    void (*acked)(struct connection *, uint16_t packet_id);
    void (*published)(struct connection *);
    void (*subscribed)(struct connection *);
    void (*drained)(struct connection *); /* all that could be read was read */
};

extern struct options options;
extern struct listener listener;
extern int poller;
extern bool progress;

/* devices.c */
struct device *read_devices(const char *path, size_t *count);

/* connection.c */
void set_up_tls(void);
const char *cipher_of(const struct connection *c);
void begin(struct connection *c, const struct device *device);
void attend(struct connection *c);
void send_publishes(struct connection *c, unsigned count, uint64_t now);
void send_packet(struct connection *c, const void *bytes, size_t size);
void end(struct connection *c);

/* load.c */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
uint64_t nanoseconds(void);

#endif
