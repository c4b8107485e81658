# syntax=docker/dockerfile:1
# Gatehouse for production: one image for web, worker and beat (see compose.yaml).

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/gatehouse
COPY requirements/base.txt /tmp/base.txt
# Wheels alone: nothing that is installed gets to run code while it is built. The lock is whole: nothing is resolved.
RUN /opt/gatehouse/bin/pip install --no-deps --require-hashes --only-binary :all: -r /tmp/base.txt && /opt/gatehouse/bin/pip check
WORKDIR /app
COPY . .
ENV PATH=/opt/gatehouse/bin:$PATH DJANGO_SETTINGS_MODULE=config.settings.production
# The settings refuse to load without secrets: throwaway ones, which end with this command.
RUN set -eu; set -a; \
    eval "$(python manage.py generate_env | grep -E '^[A-Z_]+=')"; \
    DATABASE_URL=postgresql://build@localhost/build REDIS_URL=redis://localhost:6379/0 PUBLIC_URL=https://build.invalid \
    ALLOWED_HOSTS=build.invalid EMAIL_URL=smtp://localhost:25 DEFAULT_FROM_EMAIL=build@build.invalid; \
    python manage.py collectstatic --noinput; \
    python -m compileall -q apps config


FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gatehouse
# A volume that is mounted here takes over owner and mode.
RUN install -d -o gatehouse -g gatehouse -m 0700 /var/lib/gatehouse /var/lib/gatehouse/files
COPY --from=build /opt/gatehouse /opt/gatehouse
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/gatehouse/bin:$PATH \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GRANIAN_WORKERS=2 \
    GRANIAN_BLOCKING_THREADS=8
USER 10001:10001
EXPOSE 8000
# Lives, not "is ready": a container whose database is away must not be killed for it. Ask /readyz before sending it traffic.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# exec form: granian is process 1, gets SIGTERM, and finishes the requests it has.
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "--respawn-failed-workers", "config.wsgi:application"]
