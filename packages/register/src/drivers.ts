import { guardLayer } from '@laneway/core'
import { owns } from './emitter-classes.js'
import { bindCommand, inLaneOfCaller, type LaneMethods } from './lane-methods.js'

/** Something that a library's class is told by, and what has to be replaced there. */
export interface KnownClass {
  /** Whether this prototype is the one. Looks at own methods only. */
  readonly matches: (owner: object) => boolean
  readonly adopt: (owner: object, methods: LaneMethods) => void
}

const has =
  (...names: string[]) =>
  (owner: object) =>
    owns(owner, ...names)

/**
 * Clients of databases, caches and brokers whose callbacks would run in the context of their connection. All of them put
 * what the caller gave into a queue; it is bound where it enters.
 */
export const DRIVERS = {
  mysql: [
    {
      matches: has('_enqueue', '_dequeue', '_parsePacket', 'handshake'),
      adopt: (owner, methods) => methods.commands(owner, '_enqueue', '_callback'),
    },
    {
      matches: has('getConnection', 'acquireConnection', 'releaseConnection'),
      adopt: (owner, methods) => methods.callbacks(owner, 'getConnection'),
    },
  ],
  mysql2: [
    {
      matches: has('addCommand', 'handlePacket', 'writePacket'),
      adopt: (owner, methods) => methods.commands(owner, 'addCommand', 'onResult'),
    },
    {
      matches: owner => owns(owner, 'getConnection', 'releaseConnection') && !owns(owner, 'acquireConnection'),
      adopt: (owner, methods) => methods.callbacks(owner, 'getConnection'),
    },
  ],
  mariadb: [
    {
      matches: has('addCommandQueue', 'addCommandEnable', 'addCommandEnablePipeline'),
      adopt(owner, methods) {
        for (const name of ['addCommandQueue', 'addCommandEnable', 'addCommandEnablePipeline']) {
          methods.commands(owner, name, 'resolve', 'reject')
        }
      },
    },
    {
      matches: has('getConnection', 'release', 'taskQueueSize'),
      adopt: (owner, methods) => methods.callbacks(owner, 'getConnection'),
    },
  ],
  pg: [
    {
      matches: has('query', 'connect', '_pulseQueryQueue'),
      adopt(owner, methods) {
        methods.prepare(owner, 'query', bindPgQuery)
        methods.callbacks(owner, 'connect')
      },
    },
    {
      matches: has('connect', 'newClient', '_pulseQueue'),
      adopt: (owner, methods) => methods.callbacks(owner, 'connect'),
    },
    // Of pg-cursor.
    {
      matches: has('submit', 'read', 'close', 'handlePortalSuspended'),
      adopt: (owner, methods) => methods.callbacks(owner, 'read', 'close'),
    },
  ],
  redis: [
    {
      matches: has('internal_send_command'),
      adopt: (owner, methods) => methods.commands(owner, 'internal_send_command', 'callback'),
    },
  ],
  amqplib: [
    { matches: has('_rpc', 'sendOrEnqueue'), adopt: (owner, methods) => methods.callbacks(owner, '_rpc') },
    { matches: has('pushConfirmCallback'), adopt: (owner, methods) => methods.callbacks(owner, 'pushConfirmCallback') },
  ],
  // Its client is an emitter that calls no constructor: each connection names it as its owner.
  memcached: [
    {
      matches: has('command', 'connectionIssue', 'multi'),
      adopt: (owner, methods) => methods.prepare(owner, 'command', bindMemcachedQuery),
    },
  ],
  memjs: [
    {
      matches: has('onConnect', 'onResponse', 'onError', 'respond'),
      adopt: (owner, methods) => methods.callbacks(owner, 'onConnect', 'onResponse', 'onError'),
    },
  ],
  tedious: [
    {
      matches: has('makeRequest', 'transitionTo'),
      adopt: (owner, methods) => methods.commands(owner, 'makeRequest', 'callback'),
    },
  ],
  mongodb: [
    {
      matches: has('checkOut', 'checkIn'),
      adopt: (owner, methods) => methods.callbacks(owner, ...own(owner, 'checkOut', 'withConnection')),
    },
    { matches: has('selectServer', 'connect'), adopt: (owner, methods) => methods.callbacks(owner, 'selectServer') },
    // Connections and servers of 3 to 5.
    {
      matches: has('command', 'destroy'),
      adopt: (owner, methods) =>
        methods.callbacks(
          owner,
          ...own(owner, 'command', 'query', 'getMore', 'killCursors', 'insert', 'update', 'remove'),
        ),
    },
    // The pool of 2, and of 3 without the unified topology.
    {
      matches: has('write', 'allConnections', 'isConnected'),
      adopt: (owner, methods) => methods.callbacks(owner, 'write'),
    },
  ],
  cassandra: [
    {
      matches: has('sendStream', 'prepareOnce'),
      adopt: (owner, methods) => methods.callbacks(owner, 'sendStream', 'prepareOnce'),
    },
    { matches: has('eachRow', 'execute'), adopt: (owner, methods) => methods.callbacks(owner, 'eachRow') },
  ],
  mqtt: [
    {
      matches: has('publish', 'subscribe', 'unsubscribe', 'handleMessage'),
      adopt: (owner, methods) => methods.callbacks(owner, 'publish', 'subscribe', 'unsubscribe'),
    },
  ],
} satisfies Record<string, readonly KnownClass[]>

/**
 * Consumers that take their messages in a loop: a loop which a request started would run every later message in the lane
 * of that request.
 */
export const CONSUMERS = {
  kafkajs: [
    {
      matches: has('start', 'fetch', 'processEachMessage', 'processEachBatch'),
      adopt: (owner, methods) => methods.detached(owner, 'start'),
    },
  ],
  bullmq: [
    // Worker and QueueEvents: their constructors start the loop.
    {
      matches: owner => owns(owner, 'run', 'waitUntilReady') || owns(owner, 'run', 'consumeEvents'),
      adopt: (owner, methods) => methods.detached(owner, 'run', ...own(owner, 'startStalledCheckTimer')),
    },
  ],
  bull: [
    {
      matches: has('process', 'run', 'processJobs', '_initProcess'),
      adopt: (owner, methods) => methods.detached(owner, 'run', '_initProcess'),
    },
  ],
  'bee-queue': [
    {
      matches: has('process', '_waitForJob', '_runJob'),
      adopt: (owner, methods) => methods.detached(owner, 'process', 'checkStalledJobs'),
    },
  ],
  'sqs-consumer': [
    { matches: has('start', 'poll', 'handleSqsResponse'), adopt: (owner, methods) => methods.detached(owner, 'start') },
  ],
} satisfies Record<string, readonly KnownClass[]>

/** Frameworks whose layers are told by an emitter. */
export const FRAMEWORKS = {
  koa: [
    {
      matches: has('use', 'callback', 'createContext', 'handleRequest'),
      adopt: (owner, methods) => methods.prepare(owner, 'use', guardKoaMiddleware),
    },
  ],
} satisfies Record<string, readonly KnownClass[]>

/** Koa 2 converts generator functions, which it tells by their class. */
function guardKoaMiddleware(args: unknown[]): void {
  const [middleware] = args
  if (typeof middleware !== 'function' || middleware.constructor.name === 'GeneratorFunction') return
  args[0] = guardLayer(middleware as (...args: unknown[]) => unknown, ([context]) => context?.req)
}

/** Methods that not every version has. */
function own(owner: object, ...names: string[]): string[] {
  return names.filter(name => owns(owner, name))
}

/** The query is made by a function, which is called once in the caller's context. */
function bindMemcachedQuery(args: unknown[]): void {
  const compile = args[0] as (...options: unknown[]) => object
  args[0] = (...options: unknown[]) => {
    const query = compile(...options)
    bindCommand(query, ['callback'])
    return query
  }
}

/** A text, a configuration that may hold the callback, or a query object that the caller has made. */
function bindPgQuery(args: unknown[]): void {
  const [config] = args
  for (let i = 1; i < args.length; i++) {
    if (typeof args[i] === 'function') args[i] = inLaneOfCaller(args[i] as never)
  }
  if (typeof config !== 'object' || config === null) return
  const { submit, callback } = config as { submit?: unknown; callback?: unknown }
  if (typeof submit === 'function') bindCommand(config, ['callback'])
  else if (typeof callback === 'function') args[0] = { ...config, callback: inLaneOfCaller(callback as never) }
}
