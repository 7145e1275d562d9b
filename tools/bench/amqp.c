/* AMQP 1.0: one session and one link. Who has a user name shows it with the password over SASL PLAIN; who has only a
 * password, a token, puts it to the node $cbs first. `topic` is the address of the link. */
#include "amqp_values.h"
#include "load.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define TRANSFER_ROOM (MAX_BODY + 64) /* bytes of one frame with a message */
#define PREFETCH 5000                 /* messages that a reader lets come */
#define FRAMES 1000000                /* and frames */
#define SMALL 1024                    /* room for a frame without a message */

enum { TOKEN_SENDER, TOKEN_RECEIVER, LINK }; /* our handles */
static const char *const names[] = {"token-sender", "token-receiver", "link"};
static const unsigned char hello_sasl[] = "AMQP\3\1\0", hello[] = "AMQP\0\1\0";

static void greet(struct connection *c) { send_packet(c, hello_sasl, 8); }

static void send_init(struct connection *c) {
    const struct device *d = c->device;
    unsigned char frame[4096], answer[2048] = {0}, *to = open_frame(frame, SASL_INIT);
    size_t user = strlen(d->username), password = strlen(d->password);
    if (user + password > sizeof answer - 2) fail("a credential is too long");
    memcpy(answer + 1, d->username, user);
    memcpy(answer + 2 + user, d->password, password);
    to = put_text8(to, SYMBOL, user ? "PLAIN" : "ANONYMOUS");
    to = put_bytes(to, BINARY, answer, user ? user + password + 2 : 0);
    send_packet(c, frame, (size_t)(close_frame(frame, to, SASL_FRAME, 2) - frame));
}

static unsigned char *put_flow(const struct connection *c, unsigned char *start, uint32_t handle, uint32_t credit) {
    unsigned char *to = open_frame(start, FLOW_);
    to = put_uint(to, c->amqp.received);
    to = put_uint(to, FRAMES);
    to = put_uint(to, c->amqp.next_id);
    to = put_uint(to, FRAMES);
    to = put_uint(to, handle);
    to = put_uint(to, handle == LINK ? c->amqp.delivery_count : 0);
    to = put_uint(to, credit);
    return close_frame(start, to, AMQP_FRAME, 7);
}

/* A source or target: its address, and where a reader starts; "" where the server chooses. */
static unsigned char *put_end(unsigned char *to, uint8_t kind, const char *address, const char *start) {
    unsigned char *list = to = put_kind(to, kind);
    to = put_text8(open_compound(to), STRING, address);
    if (!start || !*start) return close_compound(list, to, LIST, 1);
    char text[64];
    int size = snprintf(text, sizeof text, "amqp.annotation.x-opt-offset > '%s'", start);
    to = put_nulls(to, 6);
    unsigned char *map = to;
    to = put_text8(open_compound(to), SYMBOL, "apache.org:selector-filter:string");
    *to++ = 0;
    to = put_text8(to, SYMBOL, "apache.org:selector-filter:string");
    to = put_bytes(to, STRING, text, (size_t)size);
    to = close_compound(map, to, MAP, 2);
    return close_compound(list, to, LIST, 8);
}

static unsigned char *put_attach(unsigned char *from, uint32_t handle, const char *address, bool receives,
                                 const char *start) {
    unsigned char *to = open_frame(from, ATTACH_);
    to = put_text8(to, STRING, names[handle]);
    to = put_uint(to, handle);
    *to++ = receives ? TRUE_ : FALSE_;
    *to++ = 0x50; /* settled: mixed for senders, by the server before it sends for readers */
    *to++ = start ? 1 : 2;
    *to++ = 0x50;
    *to++ = 0;
    to = put_end(to, 0x28, receives ? address : names[handle], start);
    to = put_end(to, 0x29, receives ? names[handle] : address, NULL);
    if (receives) return close_frame(from, to, AMQP_FRAME, 7);
    to = put_uint(put_nulls(to, 2), 0);
    return close_frame(from, to, AMQP_FRAME, 10);
}

static void attach_link(struct connection *c) {
    unsigned char frames[2 * SMALL], *to;
    to = put_attach(frames, LINK, c->device->topic, c->start != NULL, c->start);
    if (c->start) {
        c->amqp.credit = PREFETCH;
        to = put_flow(c, to, LINK, PREFETCH);
    }
    send_packet(c, frames, (size_t)(to - frames));
}

static bool has_token(const struct device *d) { return *d->password && !*d->username; }

static void open_session(struct connection *c) {
    unsigned char frames[4 * SMALL], *to, *frame;
    frame = (unsigned char *)memcpy(frames, hello, 8) + 8;
    to = put_text8(open_frame(frame, OPEN_), STRING, c->device->client_id);
    to = put_text8(to, STRING, options.host);
    to = put_uint(to, (uint32_t)(c->inbox_room / 2));
    frame = close_frame(frame, to, AMQP_FRAME, 3);
    to = put_nulls(open_frame(frame, BEGIN_), 1);
    to = put_uint(to, 0);
    to = put_uint(to, FRAMES);
    to = put_uint(to, FRAMES);
    to = close_frame(frame, to, AMQP_FRAME, 4);
    if (has_token(c->device)) {
        to = put_attach(to, TOKEN_SENDER, "$cbs", false, NULL);
        to = put_attach(to, TOKEN_RECEIVER, "$cbs", true, NULL);
        to = put_flow(c, to, TOKEN_RECEIVER, 10);
    }
    send_packet(c, frames, (size_t)(to - frames));
    if (!has_token(c->device)) attach_link(c);
}

static unsigned char *put_transfer(struct connection *c, unsigned char *from, uint32_t handle) {
    unsigned char *to = open_frame(from, TRANSFER_), tag[4];
    put_big(tag, c->amqp.next_id, 4);
    to = put_uint(to, handle);
    to = put_uint(to, c->amqp.next_id++);
    to = put_bytes(to, BINARY, tag, sizeof tag);
    *to++ = 0x43; /* message format 0 */
    *to++ = FALSE_;
    c->amqp.window--;
    return close_frame(from, to, AMQP_FRAME, 5);
}

static unsigned char *put_property(unsigned char *to, const char *name, const char *text, size_t size) {
    return put_bytes(put_text8(to, STRING, name), STRING, text, size);
}

/* The audience is the one that the token names. */
static void send_token(struct connection *c) {
    const char *token = c->device->password, *audience = strstr(token, "sr=");
    if (!audience) fail("device %s: its token names no audience", c->device->client_id);
    audience += 3;
    unsigned char frame[4096], *to = put_transfer(c, frame, TOKEN_SENDER), *list;
    list = to = put_kind(to, 0x73); /* properties */
    to = put_text8(open_compound(to), STRING, "1");
    to = close_compound(list, to, LIST, 1);
    list = to = put_kind(to, 0x74); /* application properties */
    to = put_property(open_compound(to), "operation", "put-token", 9);
    to = put_property(to, "type", "servicebus.windows.net:sastoken", 31);
    to = put_property(to, "name", audience, strcspn(audience, "&"));
    to = close_compound(list, to, MAP, 6);
    to = put_text8(put_kind(to, 0x77), STRING, token);
    set_frame_size(frame, to);
    send_packet(c, frame, (size_t)(to - frame));
    c->amqp.token_sent = true;
}

static void take_token_answer(struct connection *c, const unsigned char *at, const unsigned char *end) {
    for (struct value section, items[16]; at < end;) {
        at = get_value(at, end, &section);
        if (section.kind != 0x74) continue;
        unsigned count = get_items(&section, items, 16);
        for (unsigned i = 0; i + 1 < count; i += 2) {
            if (items[i].size != 11 || memcmp(items[i].at, "status-code", 11)) continue;
            if (number_of(&items[i + 1]) / 100 != 2) fail("device %s: its token is refused", c->device->client_id);
            attach_link(c);
            return;
        }
    }
    fail("device %s: the answer to its token has no status", c->device->client_id);
}

static void take_ready(struct connection *c) {
    if (c->state == OPEN) return;
    c->state = OPEN;
    if (listener.opened) listener.opened(c);
}

static void take_attach(struct connection *c, const struct value *field) {
    uint32_t handle = (uint32_t)number_of(&field[1]);
    if (field[0].size == strlen(names[LINK]) && !memcmp(field[0].at, names[LINK], field[0].size)) {
        c->amqp.link_handle = handle;
        if (c->start && !is_null(&field[5])) take_ready(c);
    } else if (is_true(&field[2])) { /* the server receives: what we send tokens on */
        c->amqp.token_handle = handle;
    }
}

static void take_flow(struct connection *c, const struct value *field) {
    struct amqp *a = &c->amqp;
    a->window = (uint32_t)(number_of(&field[0]) + number_of(&field[1])) - a->next_id;
    if (is_null(&field[4]) || is_null(&field[6])) return;
    uint32_t handle = (uint32_t)number_of(&field[4]), credit = (uint32_t)number_of(&field[6]);
    if (has_token(c->device) && !a->token_sent && handle == a->token_handle && credit) {
        send_token(c);
    } else if (!c->start && handle == a->link_handle && (a->token_sent || !has_token(c->device))) {
        a->credit = (uint32_t)number_of(&field[5]) + credit - a->delivery_count;
        if (a->credit) take_ready(c);
    }
}

static void take_transfer(struct connection *c, const struct value *field, const unsigned char *at,
                          const unsigned char *end) {
    struct amqp *a = &c->amqp;
    a->received++;
    if (c->state != OPEN) {
        take_token_answer(c, at, end);
        return;
    }
    if (!is_true(&field[4])) fail("reader %s: a message is not settled", c->device->client_id);
    if (is_true(&field[5])) fail("reader %s: a message of several frames", c->device->client_id);
    a->delivery_count++;
    if (--a->credit <= PREFETCH / 2) {
        unsigned char flow[SMALL];
        a->credit = PREFETCH;
        send_packet(c, flow, (size_t)(put_flow(c, flow, LINK, PREFETCH) - flow));
    }
    if (listener.published) listener.published(c, end);
}

static void take_disposition(struct connection *c, const struct value *field) {
    uint32_t first = (uint32_t)number_of(&field[1]);
    uint32_t last = is_null(&field[2]) ? first : (uint32_t)number_of(&field[2]);
    if (!is_true(&field[0])) return;
    if (field[4].kind != ACCEPTED) fail("device %s: a message is not accepted", c->device->client_id);
    for (uint32_t id = first; id != last + 1; id++) {
        if (!id && has_token(c->device)) continue;
        c->in_flight--;
        if (listener.acked) listener.acked(c, (uint16_t)id);
    }
}

static void take_end(struct connection *c, const struct value *error) {
    struct value part[2];
    char condition[160] = "no reason";
    if (!is_null(error) && get_items(error, part, 2))
        snprintf(condition, sizeof condition, "%.*s %.*s", (int)part[0].size, (const char *)part[0].at,
                 is_null(&part[1]) ? 0 : (int)part[1].size, (const char *)part[1].at);
    fail("device %s: the server ends it: %s", c->device->client_id, condition);
}

static void take_frame(struct connection *c, const unsigned char *frame, size_t size) {
    const unsigned char *at = frame + 4 * frame[4], *end = frame + size;
    struct value performative, field[8];
    if (at >= end) return; /* a sign of life */
    at = get_value(at, end, &performative);
    get_items(&performative, field, 8);
    switch (performative.kind) {
    case SASL_MECHANISMS: send_init(c); break;
    case SASL_OUTCOME:
        if (number_of(&field[0])) fail("device %s: SASL refuses it", c->device->client_id);
        open_session(c);
        break;
    case BEGIN_: c->amqp.window = (uint32_t)number_of(&field[2]); break;
    case ATTACH_: take_attach(c, field); break;
    case FLOW_: take_flow(c, field); break;
    case TRANSFER_: take_transfer(c, field, at, end); break;
    case DISPOSITION_: take_disposition(c, field); break;
    case DETACH_: take_end(c, &field[2]); break;
    case END_:
    case CLOSE_: take_end(c, &field[0]); break;
    default: break;
    }
}

static size_t take(struct connection *c, const unsigned char *from, size_t size) {
    size_t used = 0;
    while (c->state != CLOSED && size - used >= 8) {
        const unsigned char *at = from + used;
        size_t length = !memcmp(at, "AMQP", 4) ? 8 : (size_t)at[0] << 24 | (size_t)at[1] << 16 | at[2] << 8 | at[3];
        if (size - used < length) break;
        if (memcmp(at, "AMQP", 4)) take_frame(c, at, length);
        used += length;
    }
    return used;
}

static size_t put_message(struct connection *c, unsigned char *from, uint64_t stamp) {
    static const unsigned char header[] = {0, 0x53, 0x70, 0xC0, 2, 1, TRUE_}; /* durable */
    unsigned char *to = put_transfer(c, from, LINK);
    to = (unsigned char *)memcpy(to, header, sizeof header) + sizeof header;
    to = put_kind(to, 0x75);
    *to++ = BINARY + 0x10;
    to = put_big(to, (uint64_t)options.body, 4);
    fill_body(to, stamp);
    set_frame_size(from, to + options.body);
    return (size_t)(to - from) + (size_t)options.body;
}

static void send_messages(struct connection *c, unsigned count, uint64_t stamp) {
    static unsigned char frames[MAX_WINDOW * TRANSFER_ROOM];
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        c->sent_at[c->amqp.next_id % MAX_WINDOW] = stamp;
        size += put_message(c, frames + size, stamp);
        if (options.joined && i + 1 < count) continue;
        send_packet(c, frames, size);
        size = 0;
    }
    c->amqp.credit -= count;
    c->amqp.delivery_count += count;
    c->in_flight += count;
}

static unsigned room(const struct connection *c) {
    uint32_t most = c->amqp.credit < c->amqp.window ? c->amqp.credit : c->amqp.window;
    return most > MAX_WINDOW - c->in_flight ? MAX_WINDOW - c->in_flight : most;
}

static void beat(struct connection *c) {
    static const unsigned char empty[] = {0, 0, 0, 8, 2, 0, 0, 0};
    if (c->state == OPEN) send_packet(c, empty, sizeof empty);
}

static void leave(struct connection *c) {
    unsigned char frame[SMALL];
    send_packet(c, frame, (size_t)(close_frame(frame, open_frame(frame, CLOSE_), AMQP_FRAME, 0) - frame));
}

const struct protocol amqp = {greet, take, send_messages, room, beat, leave};
