/* One connection over TLS, never resumed, on a non-blocking socket that is polled edge-triggered. */
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
    server = (struct sockaddr_in){.sin_family = AF_INET};
    if (!inet_aton(options.host, &server.sin_addr)) fail("%s is no IPv4 address", options.host);
}

const char *cipher_of(const struct connection *c) { return SSL_get_cipher_name(c->ssl); }

static void broken(struct connection *c, const char *what) {
    unsigned long error = ERR_get_error();
    fail("device %s: %s: %s", c->device->client_id, what,
         error ? ERR_reason_error_string(error) : errno ? strerror(errno) : "closed by the server");
}

void begin(struct connection *c, const struct device *device, const struct protocol *protocol, int port) {
    c->device = device;
    c->protocol = protocol;
    c->in_flight = 0;
    c->amqp = (struct amqp){0};
    c->inbox_size = c->unsent_size = c->unsent_from = 0;
    c->inbox_room = c->start ? LARGE_INBOX : SMALL_INBOX;
    c->inbox = realloc(c->inbox, c->inbox_room);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) broken(c, "no socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    server.sin_port = htons((uint16_t)port);
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
    c->protocol->leave(c);
    SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(c->fd);
    free(c->unsent);
    c->unsent = NULL;
    c->unsent_size = 0;
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

/* A stamp tells the reader when the message was due. */
void fill_body(unsigned char *body, uint64_t stamp) {
    memset(body, 'x', (size_t)options.body);
    if (stamp && (size_t)options.body >= sizeof stamp) memcpy(body, &stamp, sizeof stamp);
}

uint64_t stamp_of(const unsigned char *end) {
    uint64_t stamp;
    memcpy(&stamp, end - options.body, sizeof stamp);
    return stamp;
}

static void read_all(struct connection *c) {
    size_t got;
    while (c->state != CLOSED) {
        ERR_clear_error();
        errno = 0;
        if (c->inbox_size == c->inbox_room) fail("device %s: a packet is too large", c->device->client_id);
        if (!SSL_read_ex(c->ssl, c->inbox + c->inbox_size, c->inbox_room - c->inbox_size, &got)) {
            if (SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_READ) broken(c, "reading");
            break;
        }
        progress = true;
        c->inbox_size += got;
        size_t used = c->protocol->take(c, c->inbox, c->inbox_size);
        memmove(c->inbox, c->inbox + used, c->inbox_size -= used);
    }
    if (c->state == OPEN && listener.drained) listener.drained(c);
}

static void shake_hands(struct connection *c) {
    ERR_clear_error();
    int done = SSL_connect(c->ssl);
    if (done == 1) {
        progress = true;
        c->state = GREETING;
        c->protocol->greet(c);
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
    if (c->state == GREETING || c->state == OPEN) {
        if (c->unsent_size) send_unsent(c);
        read_all(c);
    }
}
