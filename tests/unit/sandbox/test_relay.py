"""What a command in SETUP is told of the proxy."""

from __future__ import annotations

from pipeline.sandbox.relay import proxied


def test_programs_find_the_proxy_by_the_variables_of_their_kind() -> None:
    told = proxied("http://127.0.0.1:3128")
    assert told["HTTPS_PROXY"] == told["http_proxy"] == "http://127.0.0.1:3128"
    java = told["JAVA_TOOL_OPTIONS"].split()
    assert java[2:] == ["-Dhttps.proxyHost=127.0.0.1", "-Dhttps.proxyPort=3128"]
