# Two images: `service` runs the API, the dashboard, the tasks and the migrations; `gpu` trains proxy runs with torch.
#   docker build --target service -t mixwright:0.1.0 .
#   docker build --target gpu -t mixwright-gpu:0.1.0 .
# Both run as user 10001 and write to /data and /tmp alone, so that the rest may be mounted read-only.

# Everything is installed into /opt/mixwright here; of this stage nothing else reaches an image.
FROM python:3.12-slim-bookworm AS build
ENV PIP_CACHE_DIR=/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PATH=/opt/mixwright/bin:$PATH
RUN python -m venv /opt/mixwright
WORKDIR /src
# What comes from elsewhere is a layer of its own, made again only when these files change. The packages are
# empty here: pip is asked for what they need.
COPY pyproject.toml constraints.txt ./
COPY mixclient/pyproject.toml mixclient/
RUN mkdir -p migrations mixclient/mixclient mixlaws proxy_training service mixwright \
    && touch README.md LICENSE mixclient/README.md \
    && for name in mixclient/mixclient mixlaws proxy_training service mixwright; do touch "$name/__init__.py"; done

FROM build AS build-service
RUN --mount=type=cache,target=/pip pip install -c constraints.txt '.[service]'
COPY . .
RUN --mount=type=cache,target=/pip pip install --no-deps --force-reinstall . \
    && pip uninstall --yes pip

FROM build AS build-gpu
# The registry's torch wheel brings CUDA; another line in constraints.txt takes another build.
RUN --mount=type=cache,target=/pip pip install -c constraints.txt ./mixclient '.[proxy]'
COPY . .
RUN --mount=type=cache,target=/pip pip install --no-deps --force-reinstall ./mixclient . \
    && pip uninstall --yes pip

FROM python:3.12-slim-bookworm AS base
LABEL org.opencontainers.image.title="Mixwright" \
      org.opencontainers.image.description="Decides what a language model trains on next" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# LightGBM needs the OpenMP runtime, which the slim image leaves out; the distribution keeps one version of it.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && pip uninstall --yes --root-user-action=ignore pip \
    && groupadd --gid 10001 mixwright \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin mixwright \
    && install -d -o 10001 -g 10001 -m 0700 /data
ENV PATH=/opt/mixwright/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data MIXWRIGHT_DATA_FOLDER=/data
WORKDIR /data
VOLUME /data
USER 10001:10001

FROM base AS service
COPY --from=build-service /opt/mixwright /opt/mixwright
EXPOSE 8321
# Of the API; who runs the tasks or the migrations with this image switches it off.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8321/readyz', timeout=4)"]
# Port 8321 is for a proxy that ends TLS, or for a port published on loopback alone.
CMD ["mixwright", "serve", "--host", "0.0.0.0", "--remote"]

FROM base AS gpu
COPY --from=build-gpu /opt/mixwright /opt/mixwright
# Tokenised text goes to the volume, and outlives the container.
ENV XDG_CACHE_HOME=/data
ENTRYPOINT ["mixwright", "worker"]
