# wiredesk in a container: one image for every role (run, poll, worker, sink, desk).
#   docker build -t wiredesk .                       or with another base: --build-arg BASE=…
# The base needs Python 3.11 or later with venv; Debian 12 and the official Python images have it.
ARG BASE=python:3.11.16-slim-bookworm@sha256:2e32f7d302adc1c37428355c1e646897c0c53f4fd60b6a551245fb90ee129f91

FROM ${BASE} AS build
WORKDIR /build
RUN python3 -m venv /opt/wiredesk
COPY locks/fleet.txt locks/fleet.txt
RUN /opt/wiredesk/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r locks/fleet.txt
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY processors processors
COPY sinks sinks
COPY streams streams
COPY wiredesk wiredesk
RUN /opt/wiredesk/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps . \
    && /opt/wiredesk/bin/wiredesk --version

FROM ${BASE}
LABEL org.opencontainers.image.title="wiredesk" \
      org.opencontainers.image.description="Live news wires in; clean, deduplicated, segmented and tagged stories out" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 wiredesk \
    && useradd --system --uid 10001 --gid wiredesk --home-dir /data --shell /usr/sbin/nologin wiredesk \
    && mkdir /data && chown wiredesk:wiredesk /data
COPY --from=build /opt/wiredesk /opt/wiredesk
ENV PATH=/opt/wiredesk/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    WIREDESK_LOG_FORMAT=json \
    WIREDESK_EMBEDDED_DATA=/data \
    WIREDESK_PROBE=http://127.0.0.1:8080/livez
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080 9100
STOPSIGNAL SIGTERM
# Each role says in WIREDESK_PROBE where it answers.
HEALTHCHECK --interval=15s --timeout=6s --start-period=60s --retries=4 \
    CMD ["python3", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['WIREDESK_PROBE'], timeout=5)"]
ENTRYPOINT ["wiredesk"]
CMD ["run"]
