# One image for every role: `node main.ts api realtime`, `node main.ts relay`, `node main.ts worker`.
# glibc, because Temporal's native bridge is not built for musl.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOMING_HOST=0.0.0.0
# Given one, its workers take nothing until it is made the current build: docs/operators.md.
ARG BUILD_ID
ENV HOMING_BUILD_ID=$BUILD_ID
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY . .
# The workflows as the worker runs them. The account below could not write them down.
RUN node workers/bundle-workflows.ts
# Nothing of the app is written to at run time; `node` is the image's own unprivileged account.
USER node
EXPOSE 4000 9464
# No shell in between: the process gets the TERM itself.
CMD ["node", "main.ts", "api", "realtime"]
