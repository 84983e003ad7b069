// One instance of a service. `SC_B` tells sc-a where the instances of sc-b are: [{ host, port, tags }].

import http from 'node:http'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { expressLane } from '@laneway/express'
import { LaneAgent } from '@laneway/http'
import { startLaneMetrics } from '@laneway/otel'
import express from 'express'
import { metrics } from './telemetry.js'

const { SERVICE, PORT, METRICS_PORT, SC_B = '[]', TRUST = 'private' } = process.env
const resolver = createLaneResolver({ sources: [createStaticSource({ 'sc-b': JSON.parse(SC_B) })] })
startLaneMetrics({ resolver })
const agent = new LaneAgent({ resolver, warn: () => {} })

const call = url =>
  new Promise((resolve, reject) => {
    http.get(url, { agent }, res => res.resume().on('end', () => resolve(res.statusCode))).on('error', reject)
  })

const app = express()
app.use(expressLane({ trust: TRUST }))
app.get('/call', async (_req, res) => res.sendStatus(await call('http://sc-b/')))
app.get('/call-fail', async (_req, res) => res.sendStatus(await call('http://sc-b/fail')))
// A third party: the tag is kept from it, whether it answers or not.
app.get('/outside', async (_req, res) => res.sendStatus(await call('http://third.invalid/').catch(() => 204)))
app.get('/fail', (_req, res) => res.sendStatus(500))
app.get('/', (_req, res) => res.sendStatus(200))

const listen = (server, port) =>
  new Promise(resolve => server.listen(Number(port ?? 0), '127.0.0.1', () => resolve(server.address().port)))
const ports = { port: await listen(http.createServer(app), PORT), metrics: await listen(metrics, METRICS_PORT) }
console.log(JSON.stringify({ service: SERVICE, lane: process.env.LANEWAY_TAG, ...ports }))
