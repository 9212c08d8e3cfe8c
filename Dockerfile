# syntax=docker/dockerfile:1
# One image for every process of Lectern; the command says which. Nothing is fetched when it runs.

FROM node:22-bookworm-slim AS web
WORKDIR /build/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
# Writes ../api/static.
RUN npm run build

FROM python:3.11-slim-bookworm AS python
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/lectern
WORKDIR /build
COPY requirements.lock ./
RUN /opt/lectern/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY lectern lectern
COPY api api
COPY ingest ingest
COPY transcode transcode
COPY retention retention
COPY teaching teaching
COPY storage storage
COPY media media
COPY domain domain
COPY bench bench
COPY --from=web /build/api/static api/static
RUN /opt/lectern/bin/pip install --no-deps . && /opt/lectern/bin/python -m compileall -q /opt/lectern/lib

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Lectern" org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 lectern \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/lectern --shell /usr/sbin/nologin lectern \
 && install -d -o lectern -g lectern -m 0750 \
      /var/lib/lectern /var/lib/lectern/spool /var/lib/lectern/work /var/lib/objects
COPY --from=python /opt/lectern /opt/lectern
COPY --chmod=0755 deploy/healthcheck /usr/local/bin/healthcheck
# Safe path: a folder that happens to be called `storage` is never imported.
ENV PATH=/opt/lectern/bin:/usr/local/bin:/usr/bin:/bin PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /var/lib/lectern
USER 10001:10001
EXPOSE 8080 8090 1935
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-P", "/usr/local/bin/healthcheck", "http://127.0.0.1:8080/healthz"]
CMD ["lectern", "api"]
