import { fileURLToPath } from 'node:url'

/** Error tracking with traces of every request. */
export default {
  library: '@sentry/node',
  use: 'traces of every request, and a breadcrumb each',
  explicit: true,
  flags: ['--import', fileURLToPath(new URL('../../fixtures/sentry.mjs', import.meta.url))],
  notApplicable: { otel: 'Sentry brings an OpenTelemetry of its own, and only one can be global' },
  ignore: ['sentry-trace', 'baggage', 'traceparent'],
  service: tracedService,
}

/** A service of Express with calls of axios and of fetch. */
export async function tracedService({ require, laneway, agent, targetOf }) {
  const express = require('express')
  const axios = require('axios')
  const app = express()
  if (laneway !== undefined) app.use(laneway.express())
  const pool = agent({ keepAlive: true, maxSockets: 4 })
  app.get('/*path', async (req, res) => {
    const url = `${targetOf(req)}${req.url}`
    const { data } = await axios.get(url, { httpAgent: pool })
    const answer = await (laneway?.fetch ?? fetch)(`${url}?${data.method}`)
    res.json(await answer.json())
  })
  return app
}
