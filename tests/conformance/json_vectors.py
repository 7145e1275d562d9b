"""Texts that are JSON, are not, or may be either way: one for each thing that parsers get wrong.

Source: RFC 8259; where it leaves a choice, RFC 7493 (I-JSON) and `ironhub.core.strict_json`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What must become of a text."""

    TAKEN = "taken"
    """It is JSON: whatever else is wrong with it, that is not."""
    REFUSED = "refused"
    """It is none."""
    EITHER = "either"
    """The grammar allows it, and a reader may refuse it: it must be answered, and cost nothing."""


@dataclass(frozen=True)
class JsonVector:
    """One text."""

    name: str
    text: bytes
    verdict: Verdict


def _all(verdict: Verdict, **texts: bytes) -> list[JsonVector]:
    return [JsonVector(name.replace("_", " "), text, verdict) for name, text in texts.items()]


VECTORS: Final = [
    *_all(
        Verdict.TAKEN,
        empty_object=b"{}",
        empty_array=b"[]",
        null=b"null",
        lone_string=b'"x"',
        lone_number=b"-0",
        lone_true=b"true",
        space_around=b" \t\r\n{ \t}\r\n ",
        escapes=rb'{"a":"\"\\\/\b\f\n\r\t\u0041"}',
        surrogate_pair=rb'{"a":"\ud83d\ude00"}',
        escaped_nul=rb'{"a":"\u0000"}',
        raw_delete=b'{"a":"\x7f"}',
        noncharacter="\uffff".join(('{"a":"', '"}')).encode(),
        line_separators='{"a":"\u2028\u2029"}'.encode(),
        four_byte_text='{"a":"\U0001f600"}'.encode(),
        empty_key=b'{"":1}',
        key_that_looks_like_an_operator=b'{"$gt":{"$ne":null}}',
        prototype_key=b'{"__proto__":{"admin":true},"constructor":1}',
        small_numbers=b'{"a":[0,-0,1e1,1E+2,1e-2,0.5,-1.5e3]}',
        nested_a_little=b"[" * 20 + b"]" * 20,
        long_string=b'{"a":"' + b"x" * 2000 + b'"}',
        escaped_slash_key=rb'{"\u0061":1}',
    ),
    *_all(
        Verdict.REFUSED,
        open_object=b"{",
        open_array=b"[",
        open_string=b'{"a":"x',
        open_escape=b'{"a":"\\',
        open_key=b'{"a',
        no_value=b'{"a":}',
        no_colon=b'{"a" 1}',
        two_colons=b'{"a"::1}',
        no_comma=b'{"a":1 "b":2}',
        two_commas=b"[1,,2]",
        leading_comma=b"[,1]",
        trailing_comma_in_array=b"[1,]",
        trailing_comma_in_object=b'{"a":1,}',
        wrong_bracket=b"[1}",
        closed_twice=b"{}}",
        second_value=b"{} {}",
        garbage_behind=b'{"a":1}#',
        only_a_comma=b",",
        number_as_key=b"{1:1}",
        word_as_key=b"{a:1}",
        single_quotes=b"{'a':1}",
        unquoted_word=b'{"a":b}',
        capital_true=b'{"a":True}',
        cut_true=b'{"a":tru}',
        cut_null=b"nul",
        not_a_number=b'{"a":NaN}',
        infinity=b'{"a":Infinity}',
        minus_infinity=b'{"a":-Infinity}',
        plus_sign=b'{"a":+1}',
        leading_zero=b'{"a":01}',
        leading_zero_of_negative=b'{"a":-012}',
        hexadecimal=b'{"a":0x1}',
        no_digits_before_the_point=b'{"a":.5}',
        no_digits_behind_the_point=b'{"a":1.}',
        no_exponent=b'{"a":1e}',
        sign_without_exponent=b'{"a":1e+}',
        lone_minus=b'{"a":-}',
        space_in_number=b'{"a":1 2}',
        underscore_in_number=b'{"a":1_000}',
        full_width_digit='{"a":\uff11}'.encode(),
        comment=b'{"a":1/**/}',
        line_comment=b'{"a":1}//x\n',
        hash_comment=b"#x\n{}",
        unknown_escape=rb'{"a":"\x41"}',
        capital_u_escape=rb'{"a":"\U0041"}',
        cut_escape=rb'{"a":"\u00"}',
        bad_digit_in_escape=rb'{"a":"\u00zz"}',
        raw_newline_in_string=b'{"a":"\n"}',
        raw_tab_in_string=b'{"a":"\t"}',
        raw_nul_in_string=b'{"a":"\x00"}',
        raw_nul_behind=b"{}\x00",
        form_feed_as_space=b"{}\x0c",
        no_break_space_as_space=b"{\xc2\xa0}",
        byte_order_mark=b"\xef\xbb\xbf{}",
        lone_byte_order_mark=b"\xef\xbb\xbf",
        utf16_with_mark="{}".encode("utf-16"),
        utf16_without_mark='{"a":1}'.encode("utf-16-le"),
        utf32='{"a":1}'.encode("utf-32-be"),
        latin_1=b'{"a":"\xe9"}',
        overlong_slash=b'{"a":"\xc0\xaf"}',
        overlong_nul=b'{"a":"\xe0\x80\x80"}',
        raw_surrogate=b'{"a":"\xed\xa0\x80"}',
        beyond_unicode=b'{"a":"\xf4\xbf\xbf\xbf"}',
        cut_character=b'{"a":"\xe2\x82"}',
        lone_continuation=b'{"a":"\x80"}',
        invalid_byte_outside_string=b"{\xff}",
        same_key_twice=b'{"a":1,"a":2}',
        same_key_twice_escaped=rb'{"a":1,"\u0061":2}',
        same_key_twice_below=b'[{"a":{"b":1,"b":1}}]',
        high_surrogate_alone=rb'{"a":"\ud800"}',
        low_surrogate_alone=rb'{"a":"\udc00"}',
        surrogates_reversed=rb'{"a":"\ude00\ud83d"}',
        surrogate_key=rb'{"\ud800":1}',
        deep_array=b"[" * 65 + b"]" * 65,
        very_deep_array=b"[" * 100_000,
        very_deep_object=b'{"a":' * 50_000,
        deep_and_closed=b"[" * 50_000 + b"]" * 50_000,
        number_beyond_doubles=b'{"a":1e400}',
        number_of_many_digits=b'{"a":' + b"9" * 100_000 + b"}",
        fraction_of_many_digits=b'{"a":0.' + b"1" * 100_000 + b"}",
    ),
    *_all(
        Verdict.EITHER,
        no_text=b"",
        nothing_but_space=b" \n",
        number_that_underflows=b'{"a":1e-400}',
        number_near_the_end=b'{"a":1.7976931348623157e308}',
        integer_beyond_64_bits=b'{"a":18446744073709551616}',
        integer_beyond_53_bits=b'{"a":9007199254740993}',
        many_keys=b"{" + b",".join(b'"k%d":1' % number for number in range(5000)) + b"}",
        many_empty_arrays=b"[" + b",".join([b"[]"] * 20_000) + b"]",
        long_key=b'{"' + b"k" * 100_000 + b'":1}',
    ),
]
