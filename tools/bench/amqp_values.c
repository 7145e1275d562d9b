#include "amqp_values.h"

#include "load.h"

#include <string.h>

unsigned char *put_big(unsigned char *to, uint64_t number, unsigned bytes) {
    while (bytes) *to++ = (unsigned char)(number >> 8 * --bytes);
    return to;
}

unsigned char *put_uint(unsigned char *to, uint32_t number) {
    *to++ = 0x70;
    return put_big(to, number, 4);
}

unsigned char *put_bytes(unsigned char *to, uint8_t code, const void *bytes, size_t size) {
    *to++ = size < 256 ? code : code + 0x10;
    to = put_big(to, size, size < 256 ? 1 : 4);
    return (unsigned char *)memcpy(to, bytes, size) + size;
}

unsigned char *put_text8(unsigned char *to, uint8_t code, const char *text) {
    return put_bytes(to, code, text, strlen(text));
}

unsigned char *put_nulls(unsigned char *to, unsigned count) { return (unsigned char *)memset(to, NONE, count) + count; }

unsigned char *put_kind(unsigned char *to, uint8_t kind) {
    *to++ = 0;
    *to++ = 0x53;
    *to++ = kind;
    return to;
}

unsigned char *open_compound(unsigned char *to) { return to + 9; }

unsigned char *close_compound(unsigned char *start, unsigned char *to, uint8_t code, uint32_t count) {
    *start = code;
    put_big(start + 1, (uint64_t)(to - start) - 5, 4);
    put_big(start + 5, count, 4);
    return to;
}

unsigned char *open_frame(unsigned char *to, uint8_t kind) { return open_compound(put_kind(to + 8, kind)); }

unsigned char *close_frame(unsigned char *start, unsigned char *to, uint8_t type, uint32_t fields) {
    close_compound(start + 11, to, LIST, fields);
    put_big(start + 4, (uint64_t)(0x02000000 | type << 16), 4);
    set_frame_size(start, to);
    return to;
}

void set_frame_size(unsigned char *start, const unsigned char *end) { put_big(start, (uint64_t)(end - start), 4); }

static uint64_t big(const unsigned char *at, size_t bytes) {
    uint64_t number = 0;
    while (bytes--) number = number << 8 | *at++;
    return number;
}

const unsigned char *get_value(const unsigned char *at, const unsigned char *end, struct value *found) {
    static const uint8_t fixed[] = {0, 1, 2, 4, 8, 16};
    found->kind = 0;
    if (at < end && !*at) {
        struct value kind;
        at = get_value(at + 1, end, &kind);
        found->kind = number_of(&kind);
    }
    if (at >= end) fail("the server sent half a value");
    found->code = *at++;
    unsigned family = found->code >> 4;
    if (family >= 4 && family <= 9) {
        found->size = fixed[family - 4];
    } else if (family >= 0xA) {
        size_t width = family & 1 ? 4 : 1;
        if (at + width > end) fail("the server sent half a value");
        found->size = (size_t)big(at, width);
        at += width;
    } else {
        fail("the server sent no value");
    }
    if (found->size > (size_t)(end - at)) fail("the server sent half a value");
    found->at = at;
    return at + found->size;
}

unsigned get_items(const struct value *list, struct value *items, unsigned most) {
    memset(items, 0, most * sizeof *items);
    if (list->code == 0x45) return 0;
    size_t width = list->code & 0x10 ? 4 : 1;
    const unsigned char *at = list->at + width, *end = list->at + list->size;
    unsigned count = (unsigned)big(list->at, width), i = 0;
    for (; i < count && i < most; i++) at = get_value(at, end, &items[i]);
    return i;
}

uint64_t number_of(const struct value *v) { return big(v->at, v->size); }

bool is_null(const struct value *v) { return !v->code || v->code == NONE; }

bool is_true(const struct value *v) { return v->code == TRUE_ || (v->code == 0x56 && *v->at); }
