import { fileURLToPath } from 'node:url'
import { tracedService } from './sentry.mjs'

/** OpenTelemetry in code, and the packages of Laneway with one context for both. */
export default {
  library: '@opentelemetry/sdk-node',
  use: 'sdk-node by --require, useOtelContext()',
  explicit: true,
  flags: ['--require', fileURLToPath(new URL('../../fixtures/otel-sdk.cjs', import.meta.url))],
  notApplicable: { register: 'see LANEWAY_OTEL=1', otel: 'it is OpenTelemetry itself' },
  ignore: ['traceparent', 'tracestate'],
  async service(kit) {
    if (kit.laneway !== undefined) {
      const { useOtelContext: shareContext } = await import('@laneway/otel')
      shareContext()
    }
    return tracedService(kit)
  },
}
