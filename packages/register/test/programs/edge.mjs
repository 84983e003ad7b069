// An app that says itself whom it believes, under the preload, which believes its private peers.
import http from 'node:http'
import { currentLane } from '@laneway/core'
import { expressLane } from '@laneway/express'
import fastifyLane from '@laneway/fastify'
import express from 'express'
import fastify from 'fastify'

const tell = req => `${req.headers['x-mse-tag'] ?? 'none'} ${currentLane()?.header ?? 'none'}`
const strict = express()
strict.use(expressLane({ trust: 'edge' }))
strict.get('/', (req, res) => res.send(tell(req)))
const open = express()
open.use(expressLane({ trust: 'internal' }))
open.get('/', (req, res) => res.send(tell(req)))
const plugin = fastify()
await plugin.register(fastifyLane, { trust: 'edge' })
plugin.get('/', async request => tell(request.raw))
await plugin.ready()

const apps = { '/strict': strict, '/open': open, '/fastify': (req, res) => plugin.routing(req, res) }
const server = http.createServer((req, res) => {
  const app = apps[req.url]
  req.url = '/'
  app(req, res)
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
