import { fileURLToPath } from 'node:url'
import { tracedService } from './sentry.mjs'

/** OpenTelemetry in code, loaded before the app: node:http is really patched. */
export default {
  library: '@opentelemetry/sdk-node',
  full: true,
  use: 'sdk-node by --require, without LANEWAY_OTEL',
  explicit: 'see the row with useOtelContext()',
  flags: ['--require', fileURLToPath(new URL('../../fixtures/otel-sdk.cjs', import.meta.url))],
  notApplicable: { otel: 'it is OpenTelemetry itself' },
  ignore: ['traceparent', 'tracestate'],
  service: tracedService,
}
