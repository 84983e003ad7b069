import t from 'tap'
import { startFarService } from './far-service.js'
import { program, relay, startApp } from './start-app.js'

const REGISTER = ['--require', '@laneway/register']
const PRELOADS = {
  'the instrumentations of OpenTelemetry': ['--require', program('otel.cjs')],
  "OpenTelemetry's auto-instrumentation": ['--require', '@opentelemetry/auto-instrumentations-node/register'],
}

for (const [name, otel] of Object.entries(PRELOADS)) {
  for (const [order, flags] of [
    ['after', [...otel, ...REGISTER]],
    ['before', [...REGISTER, ...otel]],
  ] as const) {
    t.test(`loaded ${order} ${name}, every client keeps the lane`, async t => {
      const far = await startFarService(t)
      const app = await startApp(t, program('relay.mjs'), {
        flags,
        environment: {
          ...far.environment,
          OTEL_TRACES_EXPORTER: 'none',
          OTEL_METRICS_EXPORTER: 'none',
          OTEL_LOGS_EXPORTER: 'none',
          OTEL_NODE_RESOURCE_DETECTORS: 'none',
        },
      })
      for (const client of ['http', 'own connection', 'fetch', 'undici', 'axios', 'got']) {
        const answers = await Promise.all([relay(app, client, 'gray'), relay(app, client), relay(app, client, 'blue')])
        t.strictSame(answers, ['gray[gray]', 'base[]', 'base[blue]'], client)
      }
    })
  }
}
