# syntax=docker/dockerfile:1
# The packages are built in one stage and only copied into the next: no compiler, no pip cache in the image.
FROM python:3.13-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/venv
WORKDIR /build
COPY requirements.txt .
RUN /opt/venv/bin/pip install --only-binary :all: --requirement requirements.txt \
    && /opt/venv/bin/pip uninstall --yes pip

FROM python:3.13-slim
LABEL org.opencontainers.image.title="orders" \
      org.opencontainers.image.description="An order-management service" \
      org.opencontainers.image.licenses="MIT"
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin orders
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .
RUN python -m compileall -q . && install -d -o orders -g orders -m 0700 instance /var/log/orders
USER 10001:10001
# What is written goes to three places, so that the rest may be mounted read-only: instance/ (keys, and the SQLite file
# where no other database is named), the logs, and /tmp.
ENV HOST=0.0.0.0 PORT=8000 LOG_DIR=/var/log/orders CACHE_DIR=/tmp/orders/cache \
    PROMETHEUS_MULTIPROC_DIR=/tmp/orders/metrics UPLOAD_DIR=/tmp/orders/uploads
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --start-interval=1s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=4)"]
CMD ["python", "serve.py"]
