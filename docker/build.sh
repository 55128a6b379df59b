#!/bin/sh
# Everything that the image is built of, as a script that also runs without Docker.
#
#   docker/build.sh system      Debian packages: git, bubblewrap, CA certificates, tini (as root)
#   docker/build.sh user        the account that runs the service (as root)
#   docker/build.sh packages    what the program needs, by requirements-runtime.lock and its hashes
#   docker/build.sh app         the program, beside them under $PREFIX
#   docker/build.sh check       does what was built start, and is the account no root
#   docker/build.sh all         all of these
#
# PREFIX (/opt/acp), SOURCE (this repository), DATA (/data), PYTHON (python3), ACP_UID (10001).
# DRY_RUN=1 prints the commands and runs none. Every step may be run again.
set -eu

PREFIX=${PREFIX:-/opt/acp}
SOURCE=${SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
DATA=${DATA:-/data}
PYTHON=${PYTHON:-python3}
ACP_UID=${ACP_UID:-10001}
DRY_RUN=${DRY_RUN:-}

run() {
    printf '+ %s\n' "$*" >&2
    [ -n "$DRY_RUN" ] || "$@"
}

complete() {
    for program in git bwrap tini; do
        command -v "$program" >/dev/null || return 1
    done
    [ -s /etc/ssl/certs/ca-certificates.crt ]
}

system() {
    if [ -z "$DRY_RUN" ] && complete; then
        return
    fi
    export DEBIAN_FRONTEND=noninteractive
    run apt-get update -qq
    run apt-get install -y -qq --no-install-recommends git bubblewrap ca-certificates tini
    run apt-get clean
    run rm -rf /var/lib/apt/lists
}

user() {
    if ! getent passwd acp >/dev/null; then
        run groupadd --gid "$ACP_UID" acp
        run useradd --uid "$ACP_UID" --gid acp --home-dir "$DATA" --no-create-home \
            --shell /usr/sbin/nologin acp
    fi
    run install -d -o acp -g acp -m 0700 "$DATA"
}

from_index() {
    run "$PREFIX/bin/python" -m pip install -q --disable-pip-version-check --no-cache-dir "$@"
}

packages() {
    if [ ! -x "$PREFIX/bin/python" ]; then
        run "$PYTHON" -m venv "$PREFIX"
    fi
    from_index --require-hashes -r "$SOURCE/requirements-runtime.lock"
}

app() {
    from_index --no-deps "$SOURCE"
}

check() {
    run "$PREFIX/bin/acp" --version
    run git --version
    if [ -z "$DRY_RUN" ] && getent passwd acp >/dev/null; then
        [ "$(id -u acp)" != 0 ] || { echo "the account acp is root" >&2; exit 1; }
    fi
}

case "${1:-}" in
    system | user | packages | app | check) "$1" ;;
    all) system; user; packages; app; check ;;
    *) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
