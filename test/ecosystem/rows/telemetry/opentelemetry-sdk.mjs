import { fileURLToPath } from 'node:url'
import { tracedService } from './sentry.mjs'

/** OpenTelemetry in code, loaded before the app: node:http is really patched, and the lane lives in its context. */
export default {
  library: '@opentelemetry/sdk-node',
  full: true,
  use: 'sdk-node by --require, LANEWAY_OTEL=1',
  explicit: 'see the row with useOtelContext()',
  flags: ['--require', fileURLToPath(new URL('../../fixtures/otel-sdk.cjs', import.meta.url))],
  env: { LANEWAY_OTEL: '1' },
  notApplicable: { otel: 'it is OpenTelemetry itself' },
  ignore: ['traceparent', 'tracestate'],
  service: tracedService,
}
