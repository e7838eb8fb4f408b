# A small image with the static binary and nothing else: docker build -t limosa .
# Which commit it is made of stands in `limosa --version` when it is given: --build-arg LIMOSA_COMMIT=$(git rev-parse --short=12 HEAD)

FROM rust:1.95-alpine AS build
# A C compiler for SQLite and ring. On Alpine the target is musl, and so the binary is static.
RUN apk add --no-cache musl-dev gcc
WORKDIR /source
COPY . .
ARG LIMOSA_COMMIT=
ENV LIMOSA_COMMIT=$LIMOSA_COMMIT
RUN cargo build --locked --release -p limosa-cli && cp target/release/limosa /limosa

FROM scratch
# Whom to trust for TLS, where a server's certificate comes from a public authority.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /limosa /usr/local/bin/limosa
ENV PATH=/usr/local/bin
WORKDIR /project
# No root, and no name: there is no /etc/passwd.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/limosa"]
