# Two images: `service` runs the API, the dashboard and the tasks; `gpu` trains proxy runs with torch.

FROM python:3.12-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 MIXWRIGHT_DATA_FOLDER=/data
# LightGBM needs the OpenMP runtime, which the slim image leaves out.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 mixwright && install -d -o mixwright -g mixwright /data
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY mixlaws mixlaws
COPY proxy_training proxy_training
COPY service service
COPY mixwright mixwright
COPY migrations migrations
COPY mixclient mixclient

FROM base AS service
RUN pip install -c constraints.txt '.[service]'
USER mixwright
WORKDIR /data
VOLUME /data
EXPOSE 8321
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8321/readyz', timeout=4)"]
# Port 8321 is for a proxy that ends TLS, or for a port published on loopback alone.
CMD ["mixwright", "serve", "--host", "0.0.0.0", "--remote"]

FROM base AS gpu
# The registry's torch wheel brings CUDA; `--build-arg` another constraints file for another build.
RUN pip install -c constraints.txt ./mixclient '.[proxy]'
# Tokenised text goes to the volume, and outlives the container.
ENV XDG_CACHE_HOME=/data
USER mixwright
WORKDIR /data
VOLUME /data
ENTRYPOINT ["mixwright", "worker"]
