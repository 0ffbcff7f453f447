"""URLs that one reader takes for one host and another reader for another, and names that lie: lists for the suite."""
# ruff: noqa: RUF001  look-alike characters are what half of this is about

from __future__ import annotations

from typing import Final

FORBIDDEN: Final = ["127.0.0.1", "169.254.169.254", "[::1]", "localhost"]
"""Hosts to be smuggled in, as they stand in a URL."""

_SMUGGLED = [
    # userinfo
    *("http://public.test@{host}/", "http://public.test:80@{host}/", "http://user:password@{host}/", "http://@{host}/"),
    *("http://:@{host}/", "http://public.test@@{host}/", "http://{host}@public.test/", "http://{host}:80@public.test/"),
    *("http://public.test:80@{host}:80/", "http://a@public.test@{host}/", "http://public.test%40{host}/"),
    *("http://{host}%40public.test/", "http://public.test＠{host}/", "http://{host}＠public.test/"),
    *("http://public.test%2540{host}/", "http://public.test﹫{host}/", "http://http://{host}@public.test:80@{host}/"),
    # backslashes, and slashes in disguise
    *("http://public.test\\@{host}/", "http://{host}\\@public.test/", "http://{host}\\.public.test/"),
    *("http://public.test\\.{host}/", "http://{host}%5c.public.test/", "http://{host}%2f.public.test/"),
    *("http://{host}%2f@public.test/", "http://{host}／.public.test/", "http://{host}⁄.public.test/"),
    *("http://{host}∕.public.test/", "http://{host}＼.public.test/", "http://public.test%5c%5c@{host}/"),
    # delimiters encoded or in disguise
    *("http://{host}%23.public.test/", "http://{host}%3f.public.test/", "http://{host}?@public.test@{host}:0/"),
    *("http://{host}＃.public.test/", "http://{host}？.public.test/", "http://{host}%3a80/", "http://{host}：80/"),
    *("http://{host};.public.test/", "http://{host},public.test/", "http://{host}&public.test/", "http://{host}*/"),
    *("http://{host}!.public.test/", "http://{host}$.public.test/", "http://{host}|.public.test/", "http://{host}^/"),
    *("http://{host}'/", 'http://{host}"/', "http://{host}`/", "http://{{{host}}}/", "http://<{host}>/"),
    *("http://{host}=/", "http://{host}~.public.test/", "http://({host})/", "http://{host}+public.test/"),
    # white space and control characters
    *("http://public.test {host}/", "http://{host} .public.test/", "http://{host}%20.public.test/", "http:// {host}/"),
    *("http://{host}%00.public.test/", "http://public.test%00{host}/", "http://{host}%0a.public.test/"),
    *("http://{host}%0d%0a.public.test/", "http://{host}%09/", "http://{host}\t/", "http://pub\tlic.test@{host}/"),
    *("http://{host}\x00.public.test/", "http://{host}\x0b/", "http://{host}\x1f/", "http://{host}\x7f/"),
    *("http://{host}\n/", "http://{host}\r\nHost: public.test/", "http://public.test\r\n@{host}/", "ht\ntp://{host}/"),
    *(
        "http://{host}\u3000/",
        "http://{host}\u2028/",
        "http://\ufeff@{host}/",
        "\thttp://{host}/",
        "http://{host}\x85/",
    ),
    # ports
    *("http://{host}:80:80/", "http://{host}:0/", "http://{host}:65536/", "http://{host}:99999999999/"),
    *("http://{host}:-80/", "http://{host}:+80/", "http://{host}:8 0/", "http://{host}:80a/", "http://{host}:0x50/"),
    *("http://{host}:８０/", "http://{host}:٨٠/", "http://{host}:80.0/", "http://{host}:80\\@public.test/"),
    *(
        "http://{host}:80%40public.test/",
        "http://public.test:80{host}/",
        "http://public.test:{host}/",
        "http://:{host}/",
    ),
    # brackets
    *("http://[{host}]/", "http://[{host}/", "http://{host}]/", "http://[[{host}]]/", "http://[{host}].public.test/"),
    *("http://[public.test]@{host}/", "http://[::1]{host}/", "http://[v1.{host}]/", "http://%5b{host}%5d/"),
    *("http://［{host}］/", "http://[::{host}%25]/", "http://[::1]@{host}/", "http://[public.test@{host}]/"),
    # dots
    *("http://.{host}/", "http://..{host}/", "http://{host}../", "http://{host}。。/", "http://./{host}@/../{host}:0/"),
    # encoded twice
    *("http://%2531%2532%2537.0.0.1/{host}", "http://%{host}/", "http://%ff{host}/", "http://%zz{host}/"),
    *("http://%c0%ae{host}/", "http://%25{host}/"),
]
_BROKEN = [
    *("http://1.2.3.4.5/", "http://256.0.0.1/", "http://127.0.0.256/", "http://127.256.1/", "http://127.0.65536/"),
    *("http://127.16777216/", "http://4294967296/", "http://0x100000000/", "http://040000000000/", "http://08.0.0.1/"),
    *("http://127.0.0.08/", "http://127.0.0.0x7g/", "http://0xg/", "http://127..1/", "http://127.0.0.1e0/0x"),
    *("http://-1/", "http://-2130706433/", "http://127.0.0.-1/", "http://+127.0.0.1/", "http://127.0.0.1.1/"),
    *("http://0b1111111.0.0.1/x:0", "http://0o177.0.0.1:0/", "http://1_27.0.0.1/", "http://٣.0.0.1:0/"),
    *("http://[::ffff:127.0.0.01]/", "http://[::ffff:127.1]/", "http://[::ffff:0x7f.0.0.1]/", "http://[::1::]/"),
    *("http://[::12345]/", "http://[1:2:3:4:5:6:7]/", "http://[1:2:3:4:5:6:7:8:9]/", "http://[:1]/", "http://[]/"),
    *("http://[::ffff:256.0.0.1]/", "http://[::１]/", "http://[::1]:80:80/", "http://::1/", "http://::ffff:7f00:1/"),
    *("http://xn--/", "http://xn--127-0-0-1-/\x00", "http://xn--a.127.0.0.1/", "http://127.0.0.xn--1-/\t"),
    *("http://127.0.0.1%/", "http://127.0.0.%31%/", "http://%/", "http://☃.test/", "http://a..test/", "http://*/"),
    *(f"http://{'a' * 64}.test/", f"http://{'a.' * 127}test/", f"http://127.0.0.1/{'a' * 4096}"),
    f"http://{'0' * 5000}177.0.0.1/",
]
TRICKS: Final = [trick.format(host=host) for trick in _SMUGGLED for host in FORBIDDEN] + _BROKEN
"""URLs with two readings or none."""

_RELATIVE = [
    *("//{host}/", "///{host}/", "////{host}/", "/\\{host}/", "\\\\{host}/", "\\/{host}/", "/\t/{host}/", "/ /{host}/"),
    *("http:{host}/", "http:/{host}/", "http:///{host}/", "http:\\\\{host}/", "http:/\\{host}/", "http:////{host}/"),
    *("HTTP:{host}", "http:@{host}/", "http:?@{host}", "{host}", "{host}/", "{host}:80/", "@{host}/", ":80@{host}/"),
    *(".{host}/", "/.//{host}/", "/..//{host}/", "./..//{host}/", "?//{host}/", "#//{host}/", ";//{host}/"),
    *("%2f%2f{host}/", "/%2f{host}/", "//public.test@{host}/", "//public.test\\@{host}/", "//{host}:0/", "//", "http:"),
    *("http://", "http:////", "https:{host}/", "https:/{host}/", "//{host}\\@public.test/", " //{host}/ "),
]
RELATIVE: Final = [trick.format(host=host) for trick in _RELATIVE for host in FORBIDDEN]
"""References that are no URL of their own, and lead somewhere as the target of a redirect at most."""

_SCHEMES = [
    *("file", "ftp", "ftps", "sftp", "tftp", "gopher", "dict", "ldap", "ldaps", "imap", "smtp", "telnet", "ssh", "jar"),
    *(
        "netdoc",
        "php",
        "phar",
        "expect",
        "glob",
        "zip",
        "ogg",
        "rsync",
        "svn",
        "git",
        "rtsp",
        "ws",
        "wss",
        "smb",
        "cifs",
    ),
    *("data", "javascript", "blob", "about", "view-source", "mailto", "unix", "http+unix", "httpx", "httpss", "hxxp"),
    *("http2", "h2c", "x-http", "ｈttp", "http%73", "h\u0442tp", "ht\u00adtp", "urn", "chrome", "res"),
]
SCHEMES: Final = [
    f"{scheme}:{slashes}{host}/"
    for scheme in _SCHEMES
    for slashes in ("", "//", "http://")
    for host in ("127.0.0.1", "public.test")
]

PORTS: Final = [
    *(1, 7, 9, 19, 20, 21, 22, 23, 25, 53, 69, 79, 81, 88, 110, 111, 123, 135, 139, 143, 161, 389, 442, 444, 445, 465),
    *(514, 587, 631, 873, 993, 1099, 1433, 1521, 2049, 2375, 2379, 3000, 3128, 3306, 3389, 4243, 5000, 5432, 5601),
    *(5672, 5900, 5984, 6000, 6379, 6443, 7001, 8000, 8008, 8080, 8443, 8500, 8888, 9000, 9001, 9090, 9200, 9300),
    *(10250, 11211, 15672, 27017, 50070, 65535),
]
AT_PORTS: Final = [
    f"{scheme}://{host}:{port}/"
    for port in PORTS
    for scheme, host in (
        ("http", "public.test"),
        ("https", "8.8.8.8"),
        ("http", "[2606:4700::1111]"),
    )
]
"""Public hosts at ports that are not for pictures."""

_ELSEWHERE = [
    *(
        "http://public.test/{host}",
        "http://public.test/@{host}/",
        "http://public.test//{host}/",
        "http://public.test?@{host}",
    ),
    *("http://public.test#@{host}/", "http://public.test/#@{host}", "http://public.test/?url=http://{host}/"),
    *("http://public.test/\\@{host}", "http://public.test/%40{host}", "http://public.test/http://{host}:80/"),
    *("http://public.test?\\@{host}/", "http://public.test#\\@{host}", "http://public.test:80/..//{host}/"),
    *("HTTP://PUBLIC.TEST./{host}", "http://ｐｕｂｌｉｃ.test/@{host}", "http://public。test/;@{host}"),
    *(
        "http://%70ublic.test/\\\\{host}\\",
        "http://8.8.8.8/@{host}",
        "http://0x8.010.2056/@{host}",
        "http://134744072#@{host}",
    ),
]
ELSEWHERE: Final = [trick.format(host=host) for trick in _ELSEWHERE for host in FORBIDDEN]
"""URLs that name a forbidden host somewhere and lead to the public one all the same."""

NOT_BELOW: Final = [
    *("evilpictures.test", "pictures.test", "pictures.test.evil.test", "a.pictures.test.evil.test", "a-pictures.test"),
    *("a.pictures.tes", "a.pictures.testt", "a.xpictures.test", "apictures.test", "a.pictures.test.8.8.8.8"),
    *(
        "a.pictures-test",
        "a_pictures.test",
        "xn--a-pictures.test",
        "a.pictures.test-evil.test",
        "public.test.",
        "8.8.8.8",
    ),
    *(
        "PUBLIC.test",
        "ｐｕｂｌｉｃ.test",
        "public%2etest",
        "0x8.8.8.8",
        "134744072",
        "[2606:4700::1111]",
        "*.pictures.test",
    ),
    *(
        "a.pictures.test%00.evil.test",
        "evil.test%23.pictures.test",
        "evil.test?.pictures.test",
        "evil.test#.pictures.test",
    ),
    *("evil.test/.pictures.test", "evil.test\\.pictures.test", "a.pictures.test@evil.test", "..pictures.test"),
]
"""Hosts that are not below pictures.test, although some look as if they were."""
