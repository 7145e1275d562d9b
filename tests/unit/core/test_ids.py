import pytest

from ironhub.core.ids import Identity, InvalidId, device_id, identity, module_id


@pytest.mark.parametrize(
    "text", ["a", "a" * 128, "press-7", "A.b+c%d_e#f*g?h!i(j)k,l:m=n@o$p'q", "$edgeAgent", "..", "0"]
)
def test_an_id_has_up_to_128_of_the_characters_allowed(text: str) -> None:
    assert str(device_id(text)) == text
    assert str(module_id(text)) == text


@pytest.mark.parametrize(
    "text", ["", "a" * 129, "a/b", "a b", "a\n", "\n", "a\x00", "é", "a\\b", "a&b", 'a"b', "a;b", "a<b", "a|b", "٣"]
)
def test_anything_else_is_no_id(text: str) -> None:
    for make in (device_id, module_id):
        with pytest.raises(InvalidId) as caught:
            make(text)
        assert (caught.value.code, caught.value.status) == ("id.invalid", 400)


def test_a_refused_id_is_shown_short_and_in_ascii() -> None:
    with pytest.raises(InvalidId) as caught:
        device_id("é\x1b[31m" + "a" * 500)
    assert str(caught.value).isascii()
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_ids_are_case_sensitive() -> None:
    assert identity("D1") != identity("d1")


def test_an_identity_reads_as_device_slash_module() -> None:
    assert str(identity("d1")) == "d1"
    assert str(identity("d1", "m1")) == "d1/m1"
    assert identity("d1", "m1") == Identity(device_id("d1"), module_id("m1"))


def test_a_module_needs_two_good_ids() -> None:
    for device, module in (("", "m"), ("d", ""), ("d/x", "m"), ("d", "m/x")):
        with pytest.raises(InvalidId):
            identity(device, module)
