// One service of the sidecar cases: `node service.js <settings as JSON>`. Tells its port. `front` calls `back` through
// undici. Behind a sidecar a program still has to carry the header itself, as `hand` does; only the choice is the proxy's.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Dispatcher } from 'undici'

/**
 * How a service keeps the lane. `plain`: not at all, the path of the request says which instance it calls, so that a chain
 * without lanes wakes the same processes as one with them. `register`: by a preload. `telemetry`: `plain` with the preload
 * of OpenTelemetry, which carries no lane by itself and chooses no instance.
 */
export type Way = 'plain' | 'packages' | 'register' | 'hand' | 'proxied' | 'telemetry'

export interface ServiceSettings {
  readonly role: 'front' | 'back'
  readonly framework: 'express' | 'fastify'
  readonly way: Way
  /** Of `back`: what it answers. */
  readonly name?: string
  /** Of `front`: ports of the two instances; of the proxy both times when there is one. */
  readonly base?: number
  readonly gray?: number
}

const settings = JSON.parse(process.argv[2]!) as ServiceSettings
const { way, framework, role } = settings
const GRAY = '/gray'
const carriesByHand = way === 'hand' || way === 'proxied'
const storage = new AsyncLocalStorage<string | undefined>()
const tagOf = ({ headers }: IncomingMessage) => headers['x-mse-tag'] as string | undefined

const { Agent, request } = await import('undici')
const call = role === 'front' ? await caller() : undefined

async function caller(): Promise<(path: string) => Promise<unknown>> {
  const base = `http://127.0.0.1:${settings.base}`
  const gray = `http://127.0.0.1:${settings.gray}`
  let dispatcher: Dispatcher = new Agent()
  if (way === 'packages') {
    const { composeLane } = await import('@laneway/undici')
    const { createLaneResolver, createStaticSource } = await import('@laneway/discovery')
    const endpoints = [
      { host: '127.0.0.1', port: settings.base! },
      { host: '127.0.0.1', port: settings.gray!, tags: ['gray'] },
    ]
    const resolver = createLaneResolver({ sources: [createStaticSource({ 'sc-b': endpoints })], services: ['sc-b'] })
    await resolver.ready('sc-b')
    dispatcher = composeLane(dispatcher, { resolver })
  }
  const isNamed = way === 'packages' || way === 'register'
  return async path => {
    const tag = carriesByHand ? storage.getStore() : undefined
    const isGray = carriesByHand ? tag === 'gray' : path === GRAY
    const origin = isNamed ? 'http://sc-b' : isGray ? gray : base
    const accept = 'application/json'
    const headers = tag === undefined ? { accept } : { accept, 'x-mse-tag': tag }
    const { body } = await request(`${origin}/orders/7`, { dispatcher, headers })
    return body.json()
  }
}

async function answer(raw: IncomingMessage): Promise<unknown> {
  const path = raw.url!
  if (call !== undefined && (path === '/' || path === GRAY)) return call(path)
  return { id: 7, at: settings.name, tag: tagOf(raw) ?? null }
}

async function listen(): Promise<number> {
  if (framework === 'fastify') {
    const { default: fastify } = await import('fastify')
    const app = fastify()
    if (way === 'packages') await app.register((await import('@laneway/fastify')).fastifyLane)
    if (carriesByHand) app.addHook('onRequest', ({ raw }, _reply, next) => storage.run(tagOf(raw), next))
    app.get('*', ({ raw }) => answer(raw))
    await app.listen({ port: 0, host: '127.0.0.1' })
    return (app.server.address() as AddressInfo).port
  }
  const { default: express } = await import('express')
  const app = express()
  if (way === 'packages') app.use((await import('@laneway/express')).expressLane())
  if (carriesByHand) app.use((request, _response, next) => storage.run(tagOf(request), next))
  app.use(async (request, response) => {
    response.json(await answer(request))
  })
  return new Promise(resolve => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
    // As Fastify's: a connection waits while the other chains have their turn.
    server.keepAliveTimeout = 72_000
  })
}

process.on('disconnect', () => process.exit())
process.send!({ port: await listen() })
