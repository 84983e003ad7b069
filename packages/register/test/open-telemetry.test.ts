import t from 'tap'
import { startFarService } from './far-service.js'
import { program, relay, startApp } from './start-app.js'

const OTEL = ['--require', program('otel.cjs')]
const REGISTER = ['--require', '@laneway/register']

for (const [order, flags] of [
  ['after', [...OTEL, ...REGISTER]],
  ['before', [...REGISTER, ...OTEL]],
] as const) {
  t.test(`loaded ${order} OpenTelemetry's instrumentations, every client keeps the lane`, async t => {
    const far = await startFarService(t)
    const app = await startApp(t, program('relay.mjs'), {
      flags,
      environment: {
        ...far.environment,
        OTEL_TRACES_EXPORTER: 'none',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
      },
    })
    for (const client of ['http', 'own connection', 'fetch', 'undici', 'axios', 'got']) {
      const answers = await Promise.all([relay(app, client, 'gray'), relay(app, client), relay(app, client, 'blue')])
      t.strictSame(answers, ['gray[gray]', 'base[]', 'base[blue]'], client)
    }
  })
}
