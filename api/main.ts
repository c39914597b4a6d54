import type { Server } from 'node:http';
import type { Runtime } from '../runtime.ts';
import { createReportDoors } from '../platform/webhooks/index.ts';
import { createApp } from './app.ts';

/** REST, on the process's HTTP server. */
export function startApi(runtime: Runtime, server: Server): void {
  const { config, deps, metrics } = runtime;
  const app = createApp(deps, {
    operations: runtime.operations,
    authenticate: runtime.authenticate,
    log: deps.log,
    observeRequest: (operation, status, seconds) => metrics.requests.observe({ operation, status }, seconds),
    reportDoors: createReportDoors(config),
    countReports: (source, result) => metrics.reports.inc({ source, result }),
    readiness: runtime.readiness,
    jwks: runtime.jwks,
    allowedOrigins: runtime.origins,
    trustedProxies: config.HOMING_TRUSTED_PROXIES,
    limits: runtime.limits,
    addressOf: runtime.addressOf,
    publicUrl: config.HOMING_PUBLIC_URL,
    identityProviders: config.HOMING_OAUTH_PROVIDERS ?? [],
    fetch: runtime.fetch,
    checkAnswers: config.NODE_ENV !== 'production',
  });
  server.on('request', app);
}
