import Module from 'node:module'
import type { Guard } from '../guard.js'
import { owns } from './emitter-classes.js'
import type { KnownClass } from './known-class.js'
import { inLane, inLaneOfCaller, laneNow } from './lane-methods.js'

/** Queues of tasks that requests share: each task runs in the context of the one before it, unless it is bound. */
export const QUEUES = {
  'p-queue': [
    {
      matches: owner => owns(owner, 'add', 'addAll', 'onEmpty', 'onIdle'),
      adopt: (owner, methods) => methods.tasks(owner, 'add'),
    },
  ],
} satisfies Record<string, readonly KnownClass[]>

/** A queue without a class. */
export const FASTQ = 'fastq'

type Exported = (module: { exports: unknown }) => void

interface Loader {
  _extensions: Record<string, ((module: { exports: unknown }, file: string) => void) | undefined>
  _cache: Record<string, { exports: unknown } | undefined>
}

/**
 * Node does not report when these libraries make a queue. So the exports of their files are examined when Node's
 * CommonJS loader has read them: fastq itself, the emitter of its own that p-queue descends from, the protocol of NATS.
 *
 * @param meets - shown the prototype of an object that descends from that emitter
 */
export function hookQueues(on: (part: string) => boolean, meets: (prototype: object) => void, guard: Guard): void {
  const emitter: Exported = ({ exports }) => watchEmitter3(exports, meets)
  if (on('p-queue')) whenLoaded(/[\\/]eventemitter3[\\/](?:index|umd[\\/]eventemitter3(?:\.min)?)\.js$/, emitter, guard)
  if (on('nats')) {
    const protocol: Exported = ({ exports }) => {
      const { prototype } = (Object(exports) as { ProtocolHandler?: { prototype: object } }).ProtocolHandler ?? {}
      if (prototype !== undefined) meets(prototype)
    }
    whenLoaded(/[\\/](?:nats-core[\\/]lib|nats-base-client)[\\/]protocol\.js$/, protocol, guard)
  }
  if (!on(FASTQ)) return
  whenLoaded(
    /[\\/]fastq[\\/]queue\.js$/,
    module => Object.assign(module, { exports: laneFastq(module.exports) }),
    guard,
  )
}

/** Shows each module of these files, when Node's CommonJS loader has read it; those that are loaded already at once. */
export function whenLoaded(path: RegExp, take: Exported, guard: Guard, part = 'queues'): void {
  const { _extensions: extensions, _cache: cache } = Module as unknown as Loader
  // A preload before this one may have it already, and may not have made its objects.
  for (const [file, module] of Object.entries(cache)) {
    if (module !== undefined && path.test(file)) guard.attempt(part, () => take(module))
  }
  const load = extensions['.js']
  if (load === undefined) return
  extensions['.js'] = function loadAndLook(module, file) {
    load(module, file)
    if (path.test(file)) guard.attempt(part, () => take(module))
  }
}

/** The constructor sets `_events` first of all: a setter on the prototype sees each object when it is made. */
function watchEmitter3(exported: unknown, meets: (prototype: object) => void): void {
  const { prototype } = exported as { prototype?: object }
  if (prototype === undefined || !owns(prototype, 'emit', 'eventNames') || Object.hasOwn(prototype, '_events')) return
  const known = new WeakSet<object>()
  Object.defineProperty(prototype, '_events', {
    configurable: true,
    set(this: object, value: unknown) {
      Object.defineProperty(this, '_events', { value, configurable: true, enumerable: true, writable: true })
      const own = Object.getPrototypeOf(this) as object
      if (known.has(own)) return
      known.add(own)
      meets(own)
    },
  })
}

type Callback = (this: unknown, ...args: any[]) => any
type Lane = ReturnType<typeof laneNow>

/** A value on its way through a queue, with the lane of who has pushed it. */
class Entry {
  readonly value: unknown
  readonly lane: Lane

  constructor(value: unknown) {
    this.value = value
    this.lane = laneNow()
  }
}

interface Fastq {
  push: Callback
  unshift: Callback
  getQueue: () => unknown[]
  error?: (handler: Callback) => void
}

type CreateFastq = (context: unknown, worker: Callback, concurrency: number) => Fastq

/** fastq whose workers and callbacks run in the lane of who has pushed. */
function laneFastq(exported: unknown): unknown {
  const create = exported as CreateFastq & { promise?: CreateFastq }
  if (typeof create !== 'function' || typeof create.promise !== 'function') return exported
  return Object.assign(inLanes(create), create, { promise: inLanes(create.promise) })
}

function inLanes(create: CreateFastq): CreateFastq {
  return function fastqueue(this: unknown, ...args: any[]): Fastq {
    const [context, worker, concurrency] = typeof args[0] === 'function' ? [null, ...args] : args
    if (typeof worker !== 'function') return Reflect.apply(create, this, args)
    const queue = create(
      context,
      function laneWorker(entry: Entry, ...rest) {
        return inLane(entry.lane, worker, this, [entry.value, ...rest])
      },
      concurrency,
    )
    const { push, unshift, getQueue, error } = queue
    queue.push = (value, done) => push(new Entry(value), inLaneOfCaller(done))
    queue.unshift = (value, done) => unshift(new Entry(value), inLaneOfCaller(done))
    queue.getQueue = () => getQueue().map(entry => (entry as Entry).value)
    if (error !== undefined) {
      queue.error = handler => error((failure: unknown, entry: Entry) => handler(failure, entry.value))
    }
    return queue
  }
}
