/* AMQP 1.0 values and frames, as much of them as a client needs. OASIS AMQP 1.0, parts 1 and 2. */
#ifndef IRONHUB_BENCH_AMQP_VALUES_H
#define IRONHUB_BENCH_AMQP_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPEN_ = 0x10, BEGIN_, ATTACH_, FLOW_, TRANSFER_, DISPOSITION_, DETACH_, END_, CLOSE_ };
enum { SASL_MECHANISMS = 0x40, SASL_INIT, SASL_OUTCOME = 0x44, ACCEPTED = 0x24 };
enum { AMQP_FRAME, SASL_FRAME };

/* A value in place: `code` is its constructor's, `at` and `size` what follows it; `kind`: its descriptor, 0 for none. */
struct value {
    uint8_t code;
    uint64_t kind;
    const unsigned char *at;
    size_t size;
};

unsigned char *put_big(unsigned char *to, uint64_t number, unsigned bytes);
unsigned char *put_uint(unsigned char *to, uint32_t number);
unsigned char *put_bytes(unsigned char *to, uint8_t code, const void *bytes, size_t size); /* code: of the 8-bit form */
unsigned char *put_text8(unsigned char *to, uint8_t code, const char *text);
unsigned char *put_nulls(unsigned char *to, unsigned count);
unsigned char *put_kind(unsigned char *to, uint8_t kind);
unsigned char *open_compound(unsigned char *to);                                       /* a list or a map */
unsigned char *close_compound(unsigned char *start, unsigned char *to, uint8_t code, uint32_t count);
unsigned char *open_frame(unsigned char *to, uint8_t kind);                            /* its performative's list */
unsigned char *close_frame(unsigned char *start, unsigned char *to, uint8_t type, uint32_t fields);
void set_frame_size(unsigned char *start, const unsigned char *end);                   /* with what follows the list */

const unsigned char *get_value(const unsigned char *at, const unsigned char *end, struct value *found);
unsigned get_items(const struct value *list, struct value *items, unsigned most); /* returns how many */
uint64_t number_of(const struct value *v);
bool is_null(const struct value *v);
bool is_true(const struct value *v);

enum { LIST = 0xD0, MAP = 0xD1, SYMBOL = 0xA3, STRING = 0xA1, BINARY = 0xA0, NONE = 0x40, TRUE_ = 0x41, FALSE_ = 0x42 };

#endif
