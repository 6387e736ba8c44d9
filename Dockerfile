# syntax=docker/dockerfile:1
FROM rust:1-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/cartbridge /cartbridge

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /cartbridge /usr/local/bin/cartbridge
# The only place that is written to. Everything else may be read-only: `docker run --read-only -v cartbridge:/data …`.
VOLUME /data
WORKDIR /data
ENV CARTBRIDGE__LISTEN=0.0.0.0:8080 CARTBRIDGE__DATABASE=sqlite:///data/cartbridge.db
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s CMD ["/usr/local/bin/cartbridge", "health"]
ENTRYPOINT ["/usr/local/bin/cartbridge"]
CMD ["serve"]
