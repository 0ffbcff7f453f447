"""A picture's URL has one reading, or none."""
# ruff: noqa: RUF001  look-alike characters are what half of this is about

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.errors import AddressNotAllowed, DownloadFailed, InvalidParameter
from recognizer.fetch.urls import MAX_URL_CHARS, Target, follow, parse


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://example.com", Target("http", "example.com", 80, "/")),
        ("HTTPS://Example.COM/A.jpg", Target("https", "example.com", 443, "/A.jpg")),
        ("http://example.com./a", Target("http", "example.com", 80, "/a")),
        ("http://example.com:/a", Target("http", "example.com", 80, "/a")),
        ("http://example.com:0443/a", Target("http", "example.com", 443, "/a")),
        ("https://example.com:8443?x=1#top", Target("https", "example.com", 8443, "/?x=1")),
        ("http://bücher.example/", Target("http", "xn--bcher-kva.example", 80, "/")),
        ("http://BÜCHER.example./", Target("http", "xn--bcher-kva.example", 80, "/")),
        ("http://日本。jp/", Target("http", "xn--wgv71a.jp", 80, "/")),
        ("http://xn--bcher-kva.example/", Target("http", "xn--bcher-kva.example", 80, "/")),
        ("http://my_bucket.s3.example/", Target("http", "my_bucket.s3.example", 80, "/")),
        ("http://123.example/", Target("http", "123.example", 80, "/")),
        ("http://[2606:4700:0:0::1111]/", Target("http", "2606:4700::1111", 80, "/")),
        ("http://a.test/my cat.jpg", Target("http", "a.test", 80, "/my%20cat.jpg")),
        ("http://a.test/my%20cat.jpg", Target("http", "a.test", 80, "/my%20cat.jpg")),
        ("http://a.test/100%.jpg", Target("http", "a.test", 80, "/100%25.jpg")),
        ("http://a.test/ü?q=ü", Target("http", "a.test", 80, "/%C3%BC?q=%C3%BC")),
        ("http://a.test/a/../b?c=/../d", Target("http", "a.test", 80, "/b?c=/../d")),
        ("http://a.test?u=http://b.test:1/@c", Target("http", "a.test", 80, "/?u=http://b.test:1/@c")),
        ("http://a.test#@b.test/", Target("http", "a.test", 80, "/")),
        ("http://a.test/\\@b.test/", Target("http", "a.test", 80, "/%5C@b.test/")),
        ("  http://a.test/  ", Target("http", "a.test", 80, "/")),
    ],
)
def test_reads_urls_into_one_canonical_form(url, target):
    assert parse(url) == target
    assert parse(target.url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "cat.jpg",
        "/etc/passwd",
        "//example.com/a",
        "example.com/a",
        "localhost:8000/a",
        "http:example.com",
        "http:/example.com",
        "http:///example.com",
        "http://",
        "http://?a",
        "http://#a",
        "http://:80/",
        "http://./",
        "http://a..b/",
        "http://.a.test/",
        "http://a.test../",
        "http://*.a.test/",
        "http://a b.test/",
        "http://a.test /",
        "http://a,b.test/",
        "http://a.test:port/",
        "http://a.test:-1/",
        "http://a.test:+80/",
        "http://a.test:8 0/",
        "http://a.test:８０/",
        "http://a.test:0/",
        "http://a.test:65536/",
        "http://a.test:80:80/",
        "http://a.test:99999999999999999999/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://1.1.1.256/",
        "http://1.256.1/",
        "http://4294967296/",
        "http://0x100000000/",
        "http://08.1.1.1/",
        "http://a.0x7f/",
        "http://1..1/",
        "http://[::1/",
        "http://::1/",
        "http://[]/",
        "http://[127.0.0.1]/",
        "http://[::1]a/",
        "http://[::g]/",
        "http://[[::1]]/",
        "http://[v1.fe80::a]/",
        "http://user@a.test/",
        "http://user:password@a.test/",
        "http://@a.test/",
        "http://a@b:80@c/",
        "http://a.test:80@127.0.0.1/",
        "http://a.test\\@127.0.0.1/",
        "http://a.test\\.b.test/",
        "http://127.0.0.1\\a.test/",
        "http:\\\\a.test/",
        "http://a.test\t/",
        "http://a.test/\n",
        "http://a.test/\r\nHost: b.test",
        "http://a.test/\x00",
        "http://a.test/\x7f",
        "http://a.test/\x85",
        "http://a.test/\ud800",
        "\thttp://a.test/",
        "http://a%00.test/",
        "http://a%2fb.test/",
        "http://a%40b.test/",
        "http://a%zz.test/",
        "http://%ff.test/",
        "http://a／b.test/",
        "http://a＠b.test/",
        "http://☃.test/",
        f"http://{'a' * 64}.test/",
        f"http://{'a.' * 127}test/",
        f"http://a.test/{'a' * MAX_URL_CHARS}",
        "file:///etc/passwd",
        "ftp://a.test/a.png",
        "gopher://127.0.0.1:6379/_",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "httpx://a.test/",
        "http+unix://a.test/",
    ],
)
def test_malformed_urls_and_other_schemes_are_invalid(url):
    with pytest.raises(InvalidParameter) as refusal:
        parse(url)

    assert refusal.value.status == 400
    assert refusal.value.parameter == "url"


def test_other_schemes_are_told_what_works():
    with pytest.raises(InvalidParameter, match="http:// or https://"):
        parse("ftp://a.test/a.png")


@pytest.mark.parametrize("spelling", ["134744072", "0x8.8.8.8", "8.8.2056", "010.8.8.8", "８.８.８.８"])
def test_public_addresses_may_be_spelled_freely_too(spelling):
    assert parse(f"http://{spelling}/a.png").url == "http://8.8.8.8/a.png"


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("example.com/cat.jpg", "https://example.com/cat.jpg"),
        (" //example.com/my cat.jpg", "https://example.com/my%20cat.jpg"),
        ("www.example.com:8443/cat?size=large#top", "https://www.example.com:8443/cat?size=large"),
        ("BÜCHER.example/cat.jpg", "https://xn--bcher-kva.example/cat.jpg"),
        ("example.com?from=http://a.test/", "https://example.com/?from=http://a.test/"),
    ],
)
def test_a_url_without_its_scheme_is_told_the_whole(url, meant):
    with pytest.raises(InvalidParameter) as refusal:
        parse(url)

    assert refusal.value.public_message == f"The URL must begin with http:// or https://: try {meant}"


def test_the_log_does_not_learn_a_path_from_a_url_without_its_scheme():
    with pytest.raises(InvalidParameter) as refusal:
        parse("example.com/secret/cat.jpg?signature=x")

    assert "example.com" not in refusal.value.log_message
    assert refusal.value.log_message.startswith("The URL must begin with http:// or https://")


@pytest.mark.parametrize(
    "url",
    [
        "cat.jpg",
        "photos/cat.jpg",
        "/var/photos.d/cat.jpg",
        "C:\\photos\\cat.jpg",
        "example.com",
        "localhost:8000/cat.jpg",
        "127.0.0.1/cat.jpg",
        "user@example.com/cat.jpg",
        "mailto:user@example.com/cat.jpg",
        "ftp://example.com/cat.jpg",
        "data:image/png;base64,AAAA",
        "example.com:port/cat.jpg",
        f"example.com/{'a' * (MAX_URL_CHARS - 15)}",
    ],
)
def test_what_is_no_web_address_is_not_made_one(url):
    with pytest.raises(
        InvalidParameter, match="must begin with http:// or https://; nothing else can be fetched"
    ) as no:
        parse(url)

    assert no.value.log_message == no.value.public_message


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b.png", "http://a.test:8080/b.png"),
        ("b.png", "http://a.test:8080/x/b.png"),
        ("../b.png", "http://a.test:8080/b.png"),
        ("?b", "http://a.test:8080/x/y?b"),
        ("//b.test/c", "http://b.test/c"),
        ("https://b.test/c", "https://b.test/c"),
        ("HTTP://0x7f.1/", "http://127.0.0.1/"),
        (" /b c.png ", "http://a.test:8080/b%20c.png"),
        ("/b.png#fragment", "http://a.test:8080/b.png"),
    ],
)
def test_follows_redirects_as_browsers_do(location, url):
    assert follow(parse("http://a.test:8080/x/y"), location).url == url


@pytest.mark.parametrize("location", ["file:///etc/passwd", "FILE:/etc/passwd", "ftp://a.test/", "data:,a", "gopher:x"])
def test_refuses_redirects_to_other_schemes(location):
    with pytest.raises(AddressNotAllowed):
        follow(parse("http://a.test/"), location)


@pytest.mark.parametrize(
    "location",
    ["https://", "http://[::1/", "http://a.test:99999/", "http://user:pw@a.test/", "/a\tb", "\x00/", "http://a\\@b/"],
)
def test_redirects_to_malformed_urls_are_failed_downloads(location):
    with pytest.raises(DownloadFailed):
        follow(parse("http://a.test/"), location)


@given(st.ip_addresses(v=4), st.data())
def test_every_spelling_of_an_address_is_the_same_host(address, data):
    number = int(address)
    parts = data.draw(st.integers(1, 4))
    numbers = [number >> 8 * (3 - place) & 0xFF for place in range(parts - 1)]
    numbers.append(number & (1 << 8 * (5 - parts)) - 1)
    spelled = ".".join(data.draw(st.sampled_from(["{:d}", "0x{:x}", "0X{:X}", "0{:o}"])).format(n) for n in numbers)
    if data.draw(st.booleans()):
        spelled = spelled.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})

    assert parse(f"http://{spelled}/").host == str(address)


@given(st.text(st.characters(min_codepoint=1, max_codepoint=0x2FFF), max_size=40), st.sampled_from(["", "http://"]))
def test_any_text_is_either_refused_or_canonical(text, prefix):
    try:
        target = parse(prefix + text)
    except (InvalidParameter, AddressNotAllowed):
        return
    assert parse(target.url) == target
    assert target.url.isascii()
