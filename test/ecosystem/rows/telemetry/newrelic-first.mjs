import { tracedService } from './sentry.mjs'

/** New Relic's agent, loaded before everything; its collector is a closed port on loopback. */
export default {
  library: 'newrelic',
  full: true,
  use: 'transactions of every request, before register',
  explicit: 'see the other row',
  flagsBefore: ['--require', 'newrelic'],
  env: {
    NEW_RELIC_APP_NAME: 'b',
    NEW_RELIC_LICENSE_KEY: '0000000000000000000000000000000000000000',
    NEW_RELIC_HOST: '127.0.0.1',
    NEW_RELIC_PORT: '9',
    NEW_RELIC_NO_CONFIG_FILE: 'true',
    NEW_RELIC_LOG_ENABLED: 'false',
    NEW_RELIC_UTILIZATION_DETECT_AWS: 'false',
    NEW_RELIC_UTILIZATION_DETECT_AZURE: 'false',
    NEW_RELIC_UTILIZATION_DETECT_GCP: 'false',
    NEW_RELIC_UTILIZATION_DETECT_PCF: 'false',
    NEW_RELIC_UTILIZATION_DETECT_DOCKER: 'false',
    NEW_RELIC_UTILIZATION_DETECT_KUBERNETES: 'false',
    NEW_RELIC_UTILIZATION_DETECT_AZUREFUNCTION: 'false',
  },
  notApplicable: { otel: 'two tracers in one process trace each other' },
  ignore: ['newrelic', 'traceparent', 'tracestate'],
  service: tracedService,
}
