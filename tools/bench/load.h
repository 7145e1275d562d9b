/* The load generator's parts: devices, connections, the protocols they speak, and what a command does with them. */
#ifndef IRONHUB_BENCH_LOAD_H
#define IRONHUB_BENCH_LOAD_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_WINDOW 64      /* messages of one connection that may wait for their acknowledgement */
#define MAX_BODY 4096      /* bytes of a message */
#define SMALL_INBOX 8192   /* bytes that have not made a whole packet; of a device */
#define LARGE_INBOX 262144 /* of a reader */
#define STALL_SECONDS 60.0 /* without any progress: the run is over */

struct device {
    char *client_id, *username, *password, *topic; /* an empty user name or password is not sent */
    X509 *certificate;                             /* NULL: it has none */
    EVP_PKEY *key;
};

enum state { CLOSED, CONNECTING, SHAKING_HANDS, GREETING, OPEN };

struct connection;

/* What goes over a connection once TLS is up. */
struct protocol {
    void (*greet)(struct connection *);                                       /* the first bytes; at the end it is OPEN */
    size_t (*take)(struct connection *, const unsigned char *, size_t);       /* returns how much of it was whole */
    void (*send)(struct connection *, unsigned count, uint64_t stamp);        /* messages; a stamp is not 0 */
    unsigned (*room)(const struct connection *);                              /* messages the server would take now */
    void (*beat)(struct connection *);                                        /* a sign of life; may be NULL */
    void (*leave)(struct connection *);
};

/* AMQP: one session, one link besides those for the token. */
struct amqp {
    uint32_t next_id;                    /* of the next transfer and delivery */
    uint32_t credit, window;             /* messages the link, and frames the session may send */
    uint32_t delivery_count;             /* of the link, sent or received */
    uint32_t received;                   /* frames */
    uint32_t token_handle, link_handle;  /* the server's */
    bool token_sent;
};

struct connection {
    int fd;
    enum state state;
    SSL *ssl;
    const struct device *device;
    const struct protocol *protocol;
    const char *start; /* of a reader: where it starts; NULL: it is none */
    unsigned in_flight;
    uint16_t last_id;
    struct amqp amqp;
    uint64_t sent_at[MAX_WINDOW]; /* nanoseconds, by message id; only at a fixed rate */
    unsigned char *unsent;        /* what OpenSSL has not taken yet */
    size_t unsent_size, unsent_from;
    unsigned char *inbox;
    size_t inbox_size, inbox_room;
};

struct options {
    const char *host, *ca, *devices, *readers, *tls;
    int port, reader_port, connections, window, body, parallel, keep_alive;
    bool clean, joined, amqp;
};

/* What a command wants to know of a connection; a NULL is not called. */
struct listener {
    void (*opened)(struct connection *);
    void (*acked)(struct connection *, uint16_t message_id);
    void (*published)(struct connection *, const unsigned char *end); /* the end of its body */
    void (*subscribed)(struct connection *);
    void (*drained)(struct connection *); /* all that could be read was read */
};

extern struct options options;
extern struct listener listener;
extern int poller;
extern bool progress;
extern const struct protocol mqtt, amqp;

/* devices.c */
struct device *read_devices(const char *path, size_t *count);

/* connection.c */
void set_up_tls(void);
const char *cipher_of(const struct connection *c);
void begin(struct connection *c, const struct device *device, const struct protocol *protocol, int port);
void attend(struct connection *c);
void send_packet(struct connection *c, const void *bytes, size_t size);
void end(struct connection *c);
void fill_body(unsigned char *body, uint64_t stamp); /* 0: none */
uint64_t stamp_of(const unsigned char *end);

/* commands.c: what devices do */
void open_held(void);
void end_held(void);
void beat_held(void);
void run_connects(uint64_t count, double seconds);
void run_ingest(uint64_t count, double seconds, int window, bool follow);
void run_rate(uint64_t per_second, double seconds, bool follow);

/* reading.c: what readers do */
void run_reserve(void);
void run_drain(double seconds);
void run_read(uint64_t count, double seconds);
void hold_readers(const char *start);
void release_readers(void);

/* load.c */
extern uint64_t to_send, to_ack, done, ends_at;
extern int timer;
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
uint64_t nanoseconds(void);
uint64_t cpu_nanoseconds(void);
const struct device *a_device(void);
void run_until(bool (*enough)(void), void (*tick)(uint64_t times), void (*after)(struct connection *));
bool all_done(void);
bool all_done_in_time(void); /* those that have begun are awaited; no more begin */
void begin_until(double seconds);
void count_one(struct connection *c);
void count_message(struct connection *c, const unsigned char *end);
void answer(const char *event, uint64_t wall, uint64_t cpu, const char *more);

#endif
