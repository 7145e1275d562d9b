/* One MQTT 3.1.1 connection over TLS, never resumed, on a non-blocking socket that is polled edge-triggered. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PUBLISH_ROOM (MAX_BODY + 512) /* bytes of one PUBLISH, topic included */

static SSL_CTX *tls;
static struct sockaddr_in server;

void set_up_tls(void) {
    int version = strcmp(options.tls, "1.2") ? TLS1_3_VERSION : TLS1_2_VERSION;
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(tls, version);
    SSL_CTX_set_max_proto_version(tls, version);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(tls, 1);
    if (!SSL_CTX_load_verify_locations(tls, options.ca, NULL)) fail("%s holds no CA certificate", options.ca);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    if (!inet_aton(options.host, &server.sin_addr)) fail("%s is no IPv4 address", options.host);
}

const char *cipher_of(const struct connection *c) { return SSL_get_cipher_name(c->ssl); }

static void broken(struct connection *c, const char *what) {
    unsigned long error = ERR_get_error();
    fail("device %s: %s: %s", c->device->client_id, what,
         error ? ERR_reason_error_string(error) : errno ? strerror(errno) : "closed by the server");
}

void begin(struct connection *c, const struct device *device) {
    c->device = device;
    c->in_flight = 0;
    c->inbox_size = c->unsent_size = c->unsent_from = 0;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) broken(c, "no socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) broken(c, "connect");
    c->ssl = SSL_new(tls);
    if (device->certificate &&
        (!SSL_use_certificate(c->ssl, device->certificate) || !SSL_use_PrivateKey(c->ssl, device->key)))
        broken(c, "its certificate");
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    c->state = CONNECTING;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event)) broken(c, "epoll");
}

void end(struct connection *c) {
    static const unsigned char disconnect[] = {0xE0, 0};
    send_packet(c, disconnect, sizeof disconnect);
    SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(c->fd);
    free(c->unsent);
    c->unsent = NULL;
    c->state = CLOSED;
}

static size_t flush_some(struct connection *c, const unsigned char *bytes, size_t size) {
    size_t sent = 0, step;
    while (sent < size) {
        ERR_clear_error();
        if (SSL_write_ex(c->ssl, bytes + sent, size - sent, &step)) {
            sent += step;
        } else {
            if (SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_WRITE) broken(c, "writing");
            break;
        }
    }
    return sent;
}

void send_packet(struct connection *c, const void *bytes, size_t size) {
    size_t sent = c->unsent_size ? 0 : flush_some(c, bytes, size);
    if (sent == size) return;
    c->unsent = realloc(c->unsent, c->unsent_size + size - sent);
    memcpy(c->unsent + c->unsent_size, (const unsigned char *)bytes + sent, size - sent);
    c->unsent_size += size - sent;
}

static void send_unsent(struct connection *c) {
    c->unsent_from += flush_some(c, c->unsent + c->unsent_from, c->unsent_size - c->unsent_from);
    if (c->unsent_from == c->unsent_size) c->unsent_from = c->unsent_size = 0;
}

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
    c->state = AWAITING_CONNACK;
}

static size_t put_publish(struct connection *c, unsigned char *to) {
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
    memset(to, 'x', (size_t)options.body);
    return (size_t)(to - from) + (size_t)options.body;
}

void send_publishes(struct connection *c, unsigned count, uint64_t now) {
    static unsigned char packets[MAX_WINDOW * PUBLISH_ROOM];
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        size += put_publish(c, packets + size);
        c->sent_at[c->last_id % MAX_WINDOW] = now;
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
        if (listener.published) listener.published(c);
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

/* Returns how many bytes of `from` were whole packets. */
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

static void read_all(struct connection *c) {
    size_t got;
    while (c->state != CLOSED) {
        ERR_clear_error();
        errno = 0;
        if (!SSL_read_ex(c->ssl, c->inbox + c->inbox_size, INBOX - c->inbox_size, &got)) {
            if (SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_READ) broken(c, "reading");
            break;
        }
        progress = true;
        c->inbox_size += got;
        size_t used = take_packets(c, c->inbox, c->inbox_size);
        memmove(c->inbox, c->inbox + used, c->inbox_size -= used);
    }
    if (c->state == OPEN && listener.drained) listener.drained(c);
}

static void shake_hands(struct connection *c) {
    ERR_clear_error();
    int done = SSL_connect(c->ssl);
    if (done == 1) {
        progress = true;
        send_connect(c);
        return;
    }
    int error = SSL_get_error(c->ssl, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) broken(c, "TLS handshake");
}

void attend(struct connection *c) {
    if (c->state == CONNECTING) {
        socklen_t size = sizeof errno;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &errno, &size);
        if (errno) broken(c, "connect");
        c->state = SHAKING_HANDS;
    }
    if (c->state == SHAKING_HANDS) shake_hands(c);
    if (c->state == AWAITING_CONNACK || c->state == OPEN) {
        if (c->unsent_size) send_unsent(c);
        read_all(c);
    }
}
