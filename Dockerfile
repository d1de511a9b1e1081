# The C parser needs glibc's stack: never build this on musl. Both stages are of one Debian, so that they have one glibc.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
# The parser takes minutes to compile: it has a layer of its own, which only go.mod and go.sum make old.
RUN go mod download && CGO_ENABLED=1 go build -trimpath github.com/pganalyze/pg_query_go/v5
# With .git, which "pgsluice version" names the commit from.
COPY . .
RUN CGO_ENABLED=1 go build -trimpath -ldflags '-s -w' -o /out/pgsluice ./cmd/pgsluice

FROM debian:bookworm-slim
RUN apt-get update \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates \
	&& rm -rf /var/lib/apt/lists/* \
	&& groupadd --system --gid 65532 pgsluice \
	&& useradd --system --uid 65532 --gid pgsluice --no-create-home --shell /usr/sbin/nologin pgsluice
COPY --from=build /out/pgsluice /usr/local/bin/pgsluice
COPY config.yaml /etc/pgsluice/config.yaml
USER 65532:65532
EXPOSE 6432 9187
# The default listens on loopback only; in a container the network is the container's own.
ENV PGSLUICE_LISTEN=0.0.0.0:6432
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/pgsluice"]
CMD ["serve", "--config", "/etc/pgsluice/config.yaml"]
