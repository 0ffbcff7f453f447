"""One spelling for each host, and for what an operator allows."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.fetch.hosts import canonical, literal, pattern


@pytest.mark.parametrize(
    ("entry", "form"),
    [
        ("Pictures.Example.", "pictures.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("my_bucket.s3.example", "my_bucket.s3.example"),
        ("localhost", "localhost"),
        ("*.Example.COM", "*.example.com"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("8.8.8.8", "8.8.8.8"),
        ("0x8.8.8.8", "8.8.8.8"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::1", "::1"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
    ],
)
def test_an_allowed_host_has_the_form_of_a_targets_host(entry, form):
    assert pattern(entry) == (str(ipaddress.ip_address(form)) if literal(form) else form)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("https://example.com", "without a scheme"),
        ("https://*.example.com/", "without a scheme"),
        ("http://[2001:db8::1]:80/", "without a scheme"),
        ("example.com/photos", "without a path"),
        ("example.com/", "without a path"),
        ("10.0.0.0/8", "without a path"),
        ("example.com?a", "without a path"),
        ("example.com#a", "without a path"),
        ("example.com:8080", "without a port"),
        ("example.com:", "without a port"),
        ("example.com:*", "without a port"),
        ("*.example.com:443", "without a port"),
        ("8.8.8.8:80", "without a port"),
        ("[2001:db8::1]:443", "without a port"),
        ("fe80::1%eth0", "without a zone"),
        ("[fe80::1%25eth0]", "without a zone"),
        ("*.8.8.8.8", "before a name"),
        ("*.[2001:db8::1]", "before a name"),
        ("", "a host name, an address"),
        ("*", "a host name, an address"),
        ("*.", "a host name, an address"),
        ("*.*.example.com", "a host name, an address"),
        ("example.*", "a host name, an address"),
        ("*example.com", "a host name, an address"),
        ("a b", "a host name, an address"),
        ("user@example.com", "a host name, an address"),
        ("256.0.0.1", "a host name, an address"),
        ("[::1", "a host name, an address"),
        ("2001:db8::g", "a host name, an address"),
        ("[8.8.8.8]", "a host name, an address"),
    ],
)
def test_what_is_no_host_is_refused_with_the_reason(entry, reason):
    with pytest.raises(ValueError, match=reason):
        pattern(entry)


@given(st.ip_addresses())
def test_every_address_can_be_allowed_as_urls_have_it(address):
    url_host = f"[{address}]" if address.version == 6 else str(address)

    assert pattern(str(address)) == pattern(url_host) == canonical(url_host)


@given(st.text(max_size=30))
def test_any_text_is_either_refused_or_stays_what_it_became(entry):
    try:
        form = pattern(entry)
    except ValueError:
        return
    assert pattern(form) == form
    assert form.isascii()
