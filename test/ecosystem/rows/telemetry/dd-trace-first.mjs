import { tracedService } from './sentry.mjs'

/** Datadog's tracer, loaded before everything; its agent is a closed port on loopback. */
export default {
  library: 'dd-trace',
  full: true,
  use: 'traces of every request, before register',
  explicit: 'see the other row',
  flagsBefore: ['--require', 'dd-trace/init'],
  env: {
    DD_TRACE_AGENT_URL: 'http://127.0.0.1:9',
    DD_TRACE_STARTUP_LOGS: 'false',
    DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
    DD_REMOTE_CONFIGURATION_ENABLED: 'false',
    DD_CRASHTRACKING_ENABLED: 'false',
    DD_APPSEC_ENABLED: 'false',
    DD_DYNAMIC_INSTRUMENTATION_ENABLED: 'false',
  },
  notApplicable: { otel: 'two tracers in one process trace each other' },
  ignore: ['x-datadog-trace-id', 'x-datadog-parent-id', 'x-datadog-tags', 'traceparent', 'tracestate', 'baggage'],
  service: tracedService,
}
