# One image for every process of the product; docker-compose.yml says which runs what.

FROM node:22-slim AS frontend
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY requirements/production.txt requirements/
RUN pip install --require-hashes --no-deps -r requirements/production.txt
COPY . .
COPY --from=frontend /app/node_modules node_modules
# Placeholders: collecting static files reads settings but neither signs nor connects.
RUN python bin/frontend.py \
    && python -m babel.messages.frontend compile --directory locale --domain django \
    && ENVIRONMENT=local STATIC_ROOT=/app/staticfiles python manage.py collectstatic --no-input --verbosity 0 \
    && rm -rf node_modules

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home funnel
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production STATIC_ROOT=/app/staticfiles
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER funnel
EXPOSE 8000
STOPSIGNAL SIGTERM
# WEB_CONCURRENCY sets the number of web processes, FORWARDED_ALLOW_IPS the proxies to believe.
CMD ["python", "-m", "uvicorn", "funnel_app.asgi:application", \
     "--http", "funnel_app.slow_clients:PatientProtocol", "--host", "0.0.0.0", "--port", "8000", \
     "--no-access-log", "--no-server-header", "--log-level", "warning", "--timeout-graceful-shutdown", "10"]
