# symface serve in a container, on the CPU: docs/serve.md
FROM python:3.13-slim-bookworm AS build
WORKDIR /source
RUN pip install --no-cache-dir uv==0.13.8
COPY . .
RUN python -m venv --without-pip /opt/symface \
    && VIRTUAL_ENV=/opt/symface uv pip install --no-cache --torch-backend cpu ".[web,heic]"

FROM python:3.13-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin symface
COPY --from=build /opt/symface /opt/symface
ENV PATH=/opt/symface/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SYMFACE_OFFLINE=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8137
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8137/api/health', timeout=4)"]
ENTRYPOINT ["symface"]
CMD ["serve", "--host", "0.0.0.0", "--no-browser"]
