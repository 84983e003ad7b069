import { AsyncLocalStorage } from 'node:async_hooks'
import requestContext from '@fastify/request-context'
import { currentLane } from '@laneway/core'
import { expressLane } from '@laneway/express'
import { fastifyLane } from '@laneway/fastify'
import { laneHandler } from '@laneway/http'
import { context, propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import { expect, type Row, type Subject, type Table, type Target } from '../case.js'
import { type Exchange, exchanges, installOpenTelemetry, OPS } from './exchanges.js'

type Enter = (exchange: Exchange, next: () => void) => void

function subject(enter: Enter, tagged: boolean, listeners: boolean, laneInside: string | undefined | null): Subject {
  let list: Exchange[] = []
  let handled = 0
  let told = 0
  let current: Exchange
  const listener = (): void => {
    told++
  }
  const handler = listeners
    ? () => {
        handled++
        current.request.on('close', listener)
        current.response.on('finish', listener)
      }
    : () => {
        handled++
      }
  verify(enter, tagged, laneInside)
  return {
    ops: OPS,
    prepare() {
      list = exchanges(tagged)
      handled = 0
      told = 0
    },
    run() {
      for (let i = 0; i < OPS; i++) {
        current = list[i]!
        enter(current, handler)
        if (listeners) {
          current.request.emit('close')
          current.response.emit('finish')
        }
      }
      return handled + told
    },
    check: result => expect(result === (listeners ? 3 * OPS : OPS), `${result} calls`),
  }
}

/** @param laneInside - `null` for what knows no lanes */
function verify(enter: Enter, tagged: boolean, laneInside: string | undefined | null): void {
  if (laneInside === null) return
  const [exchange] = exchanges(tagged)
  let seen: string | undefined
  let heard: string | undefined
  enter(exchange!, () => {
    seen = currentLane()?.header
    exchange!.response.on('finish', () => {
      heard = currentLane()?.header
    })
  })
  exchange!.response.emit('finish')
  expect(seen === laneInside && heard === laneInside, `lane ${seen} in the handler, ${heard} in a listener`)
}

const storage = new AsyncLocalStorage<object>()
const constant = Object.freeze({ lane: 'gray' })

interface Hooks {
  onRequest?: (request: Exchange['outer'], reply: Exchange['reply'], next: () => void) => void
}

/** The hook that a plugin adds, taken out of it. */
async function hookOf(plugin: (instance: any, options: any, done: (error?: Error) => void) => unknown): Promise<Enter> {
  const hooks: Hooks = {}
  const instance = {
    hasDecorator: () => false,
    decorate() {},
    decorateRequest() {},
    addHook(name: keyof Hooks, hook: NonNullable<Hooks['onRequest']>) {
      hooks[name] ??= hook
    },
  }
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error): void => (error === undefined ? resolve() : reject(error))
    Promise.resolve(plugin(instance, {}, done)).then(() => done(), reject)
  })
  const { onRequest } = hooks
  expect(onRequest !== undefined, 'the plugin added no onRequest hook')
  return (exchange, next) => onRequest(exchange.outer, exchange.reply, next)
}

type Adapter = 'express' | 'fastify' | 'http'

async function laneEnter(adapter: Adapter): Promise<Enter> {
  if (adapter === 'fastify') return hookOf(fastifyLane as never)
  if (adapter === 'express') {
    const middleware = expressLane()
    return ({ request, response }, next) => middleware(request, response, next)
  }
  let after: () => void = () => {}
  const handler = laneHandler(() => after())
  return ({ request, response }, next) => {
    after = next
    handler(request, response)
  }
}

function openTelemetry(): Enter {
  installOpenTelemetry()
  return ({ request }, next) => context.with(propagation.extract(ROOT_CONTEXT, request.headers), next)
}

function rows(adapter: Adapter, tagged: boolean): Row[] {
  return [false, true].flatMap(listeners => {
    const name = (text: string): string => (listeners ? `${text}, two listeners` : text)
    const inside = tagged ? 'gray' : undefined
    const all: Row[] = [
      {
        name: name('bare run'),
        ...(!listeners && { floor: true }),
        subject: () => subject((_exchange, next) => storage.run(constant, next), tagged, listeners, null),
      },
      { name: name('no-op'), peer: true, subject: () => subject((_exchange, next) => next(), tagged, listeners, null) },
      { name: name('lane'), subject: async () => subject(await laneEnter(adapter), tagged, listeners, inside) },
      {
        name: name('OpenTelemetry extract + with'),
        peer: true,
        subject: () => subject(openTelemetry(), tagged, listeners, null),
      },
    ]
    if (adapter === 'fastify') {
      all.push({
        name: name('@fastify/request-context'),
        peer: true,
        subject: async () => subject(await hookOf(requestContext as never), tagged, listeners, null),
      })
    }
    return all
  })
}

const TARGETS: readonly Target[] = [
  { row: 'lane, two listeners', figure: 'ns', per: 'bare run, two listeners', atMost: 4 },
  { row: 'lane', figure: 'ns', per: 'OpenTelemetry extract + with', atMost: 0.333 },
]

export const ingress: readonly Table[] = (['express', 'fastify', 'http'] as const).flatMap(adapter =>
  [true, false].map(tagged => ({
    name: `ingress-step/${adapter}/${tagged ? 'tagged' : 'untagged'}`,
    about: `The ${adapter === 'fastify' ? 'onRequest hook' : adapter === 'express' ? 'middleware' : 'wrapped handler'} alone, on requests made before; "two listeners": the handler listens to request and response, and both emit.`,
    rows: rows(adapter, tagged),
    targets: TARGETS,
  })),
)
