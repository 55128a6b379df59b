# `docker build -t acp .`; docs/how-to/docker.md says how to run it. The steps are in docker/build.sh.
FROM python:3.12-slim-bookworm

COPY docker/build.sh /build/docker/build.sh
RUN /build/docker/build.sh system && /build/docker/build.sh user

COPY requirements-runtime.lock /build/
RUN /build/docker/build.sh packages

COPY pyproject.toml README.md LICENSE app.yml /build/
COPY pipeline /build/pipeline
COPY bot /build/bot
RUN /build/docker/build.sh app && /build/docker/build.sh check && rm -rf /build

LABEL org.opencontainers.image.title="Agentic Coding Pipeline" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/acp/bin:$PATH \
    HOME=/data \
    ACP_DATA_DIR=/data \
    ACP_HOST=0.0.0.0 \
    ACP_PORT=8080 \
    PYTHONUNBUFFERED=1
USER acp
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["/usr/bin/tini", "-s", "--"]
CMD ["acp", "serve"]
