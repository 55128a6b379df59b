"""Projects of other languages, and the packages they need in a registry of this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.environment.local_registry import LocalRegistry, crate, go_module

PROGRAMS = "/usr/local/bin:/usr/bin:/bin"
_DEBIAN = Path("/usr/share/maven-repo")
_GO_TEST = """\
package app

import (
\t"net"
\t"testing"

\t"registry.test/greet"
)

func TestSays(t *testing.T) {
\tif greet.Hello() != "hello" {
\t\tt.Fatal()
\t}
}

func TestServes(t *testing.T) {
\tif _, err := net.Listen("tcp", "127.0.0.1:0"); err != nil {
\t\tt.Fatal(err)
\t}
}
"""
_RUST = """\
pub fn say() -> &'static str { greet::hello() }

#[test]
fn says() { assert_eq!(say(), "hello"); }

#[test]
fn serves() { std::net::TcpListener::bind("127.0.0.1:0").unwrap(); }
"""
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId><artifactId>app</artifactId><version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <repositories><repository><id>central</id><url>URL</url></repository></repositories>
  <pluginRepositories>
    <pluginRepository><id>central</id><url>URL</url></pluginRepository>
  </pluginRepositories>
  <dependencies><dependency>
    <groupId>junit</groupId><artifactId>junit</artifactId><version>4.13.2</version>
    <scope>test</scope>
  </dependency></dependencies>
  <build><plugins>
    <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.0</version></plugin>
    <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.10.1</version></plugin>
    <plugin><artifactId>maven-surefire-plugin</artifactId><version>2.22.3</version></plugin>
  </plugins></build>
</project>
"""
_JAVA = 'package app;\n\npublic class App {\n  static String say() { return "hello"; }\n}\n'
_JAVA_TEST = """\
package app;

import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class AppTest {
  @Test public void says() { assertEquals("hello", App.say()); }

  @Test public void serves() throws Exception { new java.net.ServerSocket(0).close(); }
}
"""


@dataclass
class Offered:
    """A project, and what the operator's settings say beside the registry."""

    files: dict[str, str]
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Offer:
    """`make` puts the packages into a registry; None where this machine has none to put there."""

    make: Callable[[LocalRegistry], Offered | None]
    programs: tuple[str, ...]
    command: str


def go(shop: LocalRegistry) -> Offered:
    module = {"go.mod": "module registry.test/greet\n\ngo 1.19\n"}
    module["greet.go"] = 'package greet\n\nfunc Hello() string { return "hello" }\n'
    sums = go_module(shop, "registry.test/greet", "v1.0.0", module)
    wants = "module registry.test/app\n\ngo 1.19\n\nrequire registry.test/greet v1.0.0\n"
    files = {"go.mod": wants, "go.sum": sums, "app_test.go": _GO_TEST}
    return Offered(files, {"go_proxy": f"{shop.url}/go"})


def rust(shop: LocalRegistry) -> Offered:
    text = 'pub fn hello() -> &\'static str { "hello" }\n'
    checksum, index = crate(shop, "greet", "1.0.0", text), f"sparse+{shop.url}/cargo/"
    package = '[package]\nname = "app"\nversion = "1.0.0"\nedition = "2021"\n\n[dependencies]\n'
    lock = (
        'version = 3\n\n[[package]]\nname = "app"\nversion = "1.0.0"\n'
        'dependencies = [\n "greet",\n]\n\n[[package]]\nname = "greet"\nversion = "1.0.0"\n'
        f'source = "{index}"\nchecksum = "{checksum}"\n'
    )
    return Offered(
        {
            ".cargo/config.toml": f'[registries.here]\nindex = "{index}"\n',
            "Cargo.toml": f'{package}greet = {{ version = "1", registry = "here" }}\n',
            "Cargo.lock": lock,
            "src/lib.rs": _RUST,
        }
    )


def maven(shop: LocalRegistry) -> Offered | None:
    """From what Debian packages of Maven's plugins."""
    utils = "org/codehaus/plexus/plexus-utils"
    own = {kind: _DEBIAN / f"{utils}/2.x/plexus-utils-2.x.{kind}" for kind in ("jar", "pom")}
    provider = _DEBIAN / "org/apache/maven/surefire/surefire-junit4"
    if not provider.is_dir() or not own["jar"].is_file():
        return None
    shop.folders["/maven/"] = _DEBIAN
    for kind, path in own.items():  # what Maven adds to plugins that name none
        text = path.read_bytes().replace(b"<version>2.x</version>", b"<version>1.1</version>")
        shop.files[f"/maven/{utils}/1.1/plexus-utils-1.1.{kind}"] = text
    return Offered(
        {
            "pom.xml": _POM.replace("URL", f"{shop.url}/maven"),
            "src/main/java/app/App.java": _JAVA,
            "src/test/java/app/AppTest.java": _JAVA_TEST,
        }
    )


OFFERS = {
    "go": Offer(go, ("go",), "go test ./..."),
    "cargo": Offer(rust, ("cargo", "rustc", "cc"), "cargo test --offline --locked"),
    "maven": Offer(maven, ("mvn", "java"), "mvn -B -o test -fae"),
}
