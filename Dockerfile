# The C parser needs glibc's stack: never build this on musl.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=1 go build -trimpath -ldflags '-s -w' -o /out/pgsluice ./cmd/pgsluice

FROM debian:bookworm-slim
RUN apt-get update \
	&& apt-get install -y --no-install-recommends ca-certificates \
	&& rm -rf /var/lib/apt/lists/* \
	&& useradd --system --uid 65532 --no-create-home --shell /usr/sbin/nologin pgsluice
COPY --from=build /out/pgsluice /usr/local/bin/pgsluice
COPY config.yaml /etc/pgsluice/config.yaml
USER 65532:65532
EXPOSE 6432 9187
# The default listens on loopback only; in a container the network is the container's own.
ENV PGSLUICE_LISTEN=0.0.0.0:6432
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/pgsluice"]
CMD ["serve", "--config", "/etc/pgsluice/config.yaml"]
