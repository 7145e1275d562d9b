/* MQTT 3.1.1. */
#include "load.h"

#include <string.h>

#define PUBLISH_ROOM (MAX_BODY + 512) /* bytes of one PUBLISH, topic included */

static unsigned char *put_text(unsigned char *to, const char *text, size_t size) {
    *to++ = (unsigned char)(size >> 8);
    *to++ = (unsigned char)size;
    return (unsigned char *)memcpy(to, text, size) + size;
}

/* The remaining length always takes three bytes: legal, and the same work for every server. */
static void send_with_length(struct connection *c, unsigned char *packet, const unsigned char *end) {
    size_t rest = (size_t)(end - packet) - 4;
    packet[1] = (unsigned char)(rest & 127) | 128;
    packet[2] = (unsigned char)(rest >> 7 & 127) | 128;
    packet[3] = (unsigned char)(rest >> 14);
    send_packet(c, packet, (size_t)(end - packet));
}

static void send_connect(struct connection *c) {
    const struct device *d = c->device;
    unsigned char packet[4096], *to = packet + 4;
    if (strlen(d->client_id) + strlen(d->username) + strlen(d->password) > 4000) fail("a credential is too long");
    packet[0] = 0x10;
    to = put_text(to, "MQTT", 4);
    *to++ = 4;
    *to++ = (unsigned char)((*d->username ? 0x80 : 0) | (*d->password ? 0x40 : 0) | (options.clean ? 2 : 0));
    *to++ = (unsigned char)(options.keep_alive >> 8);
    *to++ = (unsigned char)options.keep_alive;
    to = put_text(to, d->client_id, strlen(d->client_id));
    if (*d->username) to = put_text(to, d->username, strlen(d->username));
    if (*d->password) to = put_text(to, d->password, strlen(d->password));
    send_with_length(c, packet, to);
}

static size_t put_publish(struct connection *c, unsigned char *to, uint64_t stamp) {
    size_t topic = strlen(c->device->topic), rest = 2 + topic + 2 + (size_t)options.body;
    unsigned char *from = to;
    if (!++c->last_id) c->last_id = 1;
    *to++ = 0x32; /* PUBLISH, QoS 1 */
    if (rest < 128) {
        *to++ = (unsigned char)rest;
    } else {
        *to++ = (unsigned char)(rest & 127) | 128;
        *to++ = (unsigned char)(rest >> 7);
    }
    to = put_text(to, c->device->topic, topic);
    *to++ = (unsigned char)(c->last_id >> 8);
    *to++ = (unsigned char)c->last_id;
    fill_body(to, stamp);
    return (size_t)(to - from) + (size_t)options.body;
}

static void send_publishes(struct connection *c, unsigned count, uint64_t stamp) {
    static unsigned char packets[MAX_WINDOW * PUBLISH_ROOM];
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        size += put_publish(c, packets + size, stamp);
        c->sent_at[c->last_id % MAX_WINDOW] = stamp;
        if (options.joined && i + 1 < count) continue;
        send_packet(c, packets, size);
        size = 0;
    }
    c->in_flight += count;
}

static void take_packet(struct connection *c, const unsigned char *packet, const unsigned char *body, size_t size) {
    switch (packet[0] >> 4) {
    case 2: /* CONNACK */
        if (size != 2 || body[1]) fail("device %s: CONNACK says %d", c->device->client_id, size == 2 ? body[1] : -1);
        c->state = OPEN;
        if (listener.opened) listener.opened(c);
        break;
    case 3: { /* PUBLISH, to the reader only */
        size_t topic = (size_t)body[0] << 8 | body[1];
        unsigned char ack[] = {0x40, 2, body[2 + topic], body[3 + topic]};
        if ((packet[0] >> 1 & 3) == 1) send_packet(c, ack, sizeof ack);
        if (listener.published) listener.published(c, body + size);
        break;
    }
    case 4: /* PUBACK */
        c->in_flight--;
        if (listener.acked) listener.acked(c, (uint16_t)(body[0] << 8 | body[1]));
        break;
    case 9: /* SUBACK */
        if (body[2] > 2) fail("the subscription was refused");
        if (listener.subscribed) listener.subscribed(c);
        break;
    default:
        break;
    }
}

static size_t take_packets(struct connection *c, const unsigned char *from, size_t size) {
    size_t used = 0;
    while (c->state != CLOSED && size - used >= 2) {
        const unsigned char *packet = from + used;
        size_t rest = packet[1] & 127, header = 2;
        if (packet[1] & 128) {
            if (size - used < 3) break;
            rest |= (size_t)packet[2] << 7;
            header = 3;
        }
        if (size - used < header + rest) break;
        take_packet(c, packet, packet + header, rest);
        used += header + rest;
    }
    return used;
}

static unsigned room(const struct connection *c) { return MAX_WINDOW - c->in_flight; }

static void leave(struct connection *c) {
    static const unsigned char disconnect[] = {0xE0, 0};
    send_packet(c, disconnect, sizeof disconnect);
}

const struct protocol mqtt = {send_connect, take_packets, send_publishes, room, NULL, leave};
