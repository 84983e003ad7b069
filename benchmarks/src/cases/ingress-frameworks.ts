import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage, ServerResponse } from 'node:http'
import requestContext from '@fastify/request-context'
import { currentLane } from '@laneway/core'
import { expressLane } from '@laneway/express'
import { fastifyLane } from '@laneway/fastify'
import { laneHandler } from '@laneway/http'
import { context, propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import express from 'express'
import createFastify from 'fastify'
import { expect, type Row, type Subject, type Table, type Target } from '../case.js'
import { type Exchange, exchanges, installOpenTelemetry, OPS } from './exchanges.js'

type Framework = 'express' | 'fastify' | 'http'
type Step = 'no-op' | 'bare run' | 'lane' | 'OpenTelemetry extract + with' | '@fastify/request-context'
type Serve = (request: IncomingMessage, response: ServerResponse) => void
/** What stands in front of the handler. */
type Enter = (request: IncomingMessage, next: () => void) => void

const storage = new AsyncLocalStorage<object>()
const constant = Object.freeze({ lane: 'gray' })

function enterOf(step: Step): Enter {
  if (step === 'no-op') return (_request, next) => next()
  if (step === 'bare run') return (_request, next) => storage.run(constant, next)
  installOpenTelemetry()
  return (request, next) => context.with(propagation.extract(ROOT_CONTEXT, request.headers), next)
}

/** A server of the framework with one step in front of its handler, as a function of a request. */
async function serverOf(framework: Framework, step: Step, handle: Serve): Promise<Serve> {
  if (framework === 'fastify') {
    const app = createFastify()
    if (step === 'lane') await app.register(fastifyLane)
    else if (step === '@fastify/request-context') await app.register(requestContext)
    else {
      const enter = enterOf(step)
      app.addHook('onRequest', (request, _reply, next) => enter(request.raw, next))
    }
    app.get('/orders/:id', (request, reply) => {
      handle(request.raw, reply.raw)
      reply.hijack()
    })
    await app.ready()
    return (request, response) => app.routing(request, response)
  }
  if (framework === 'express') {
    const app = express()
    const enter = step === 'lane' ? undefined : enterOf(step)
    app.use(enter === undefined ? expressLane() : (request, _response, next) => enter(request, next))
    app.get('/orders/:id', (request, response) => handle(request, response))
    return app
  }
  if (step === 'lane') return laneHandler(handle)
  const enter = enterOf(step)
  return (request, response) => enter(request, () => handle(request, response))
}

async function subjectOf(framework: Framework, step: Step, tagged: boolean, listeners: boolean): Promise<Subject> {
  let list: Exchange[] = []
  let handled = 0
  let told = 0
  let lane: string | undefined
  const listener = (): void => {
    told++
  }
  const handle: Serve = (request, response) => {
    handled++
    if (!listeners) return
    request.on('close', listener)
    response.on('finish', listener)
  }
  const serve = await serverOf(framework, step, handle)
  const seeing = await serverOf(framework, step, () => {
    lane = currentLane()?.header
  })
  return {
    ops: OPS,
    prepare() {
      list = exchanges(tagged)
      handled = 0
      told = 0
    },
    run() {
      for (let i = 0; i < OPS; i++) {
        const { request, response } = list[i]!
        serve(request, response)
        if (listeners) {
          request.emit('close')
          response.emit('finish')
        }
      }
      return handled + told
    },
    check(result) {
      expect(result === (listeners ? 3 * OPS : OPS), `${result} calls`)
      const [one] = exchanges(tagged)
      seeing(one!.request, one!.response)
      const wanted = tagged && step === 'lane' ? 'gray' : undefined
      expect(lane === wanted, `lane ${lane} in the handler`)
    },
  }
}

function rows(framework: Framework, tagged: boolean): Row[] {
  const steps: Step[] = ['bare run', 'no-op', 'lane', 'OpenTelemetry extract + with']
  if (framework === 'fastify') steps.push('@fastify/request-context')
  return [false, true].flatMap(listeners =>
    steps.map((step): Row => {
      const floor = step === 'bare run' && !listeners
      return {
        name: listeners ? `${step}, two listeners` : step,
        ...(floor ? { floor } : step !== 'lane' && { peer: true }),
        subject: () => subjectOf(framework, step, tagged, listeners),
      }
    }),
  )
}

const TARGETS: readonly Target[] = [
  { row: 'lane', figure: 'ns', per: 'bare run', atMost: 1.3 },
  { row: 'lane, two listeners', figure: 'ns', per: 'bare run', atMost: 4 },
]

export const ingressFrameworks: readonly Table[] = (['express', 'fastify', 'http'] as const).flatMap(framework =>
  [true, false].map(tagged => ({
    name: `ingress/${framework}/${tagged ? 'tagged' : 'untagged'}`,
    about: `A request through ${framework === 'http' ? 'a plain handler' : 'the framework'}, from routing to a handler that does nothing, with one step in front of it. "Two listeners": the handler listens to request and response, and both emit.`,
    rows: rows(framework, tagged),
    targets: TARGETS,
  })),
)
