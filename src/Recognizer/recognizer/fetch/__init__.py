"""An address -> bytes, from public addresses only and within limits of bytes, time and redirects.

From the story down to what it is told in:

    download        the story of a fetch: redirects, limits, which answers count
    session         what is sent, and how: headers, pools, TLS
    connection      connects to addresses that were checked, and to no other
    response        reads answers more strictly than the libraries below
    deadline        ends a fetch in time, whatever it is doing
    failures        which of our errors stands for which exception below
    addresses       which addresses, hosts and ports may be called
    urls            a URL, read once into its parts
    hosts           one spelling for each host
"""
