import { owns } from './emitter-classes.js'
import { has, type KnownClass, own } from './known-class.js'
import { bindCommand, inLaneOfCaller, type LaneMethods } from './lane-methods.js'

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
  // Messages and frames wait for zlib in a queue that all its connections share.
  ws: [
    {
      matches: has('setSocket', 'ping', 'pong', 'terminate'),
      adopt(owner, methods) {
        methods.callbacks(owner, 'send', 'ping', 'pong')
        methods.prepare(owner, 'setSocket', (_args, socket) => bindWsExtensions(socket, methods))
      },
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

const boundExtensions = new WeakSet<object>()

/** The class of permessage-deflate is no emitter; a connection has its object. */
function bindWsExtensions(socket: unknown, methods: LaneMethods): void {
  const { _extensions: extensions } = socket as { _extensions?: object }
  for (const extension of Object.values(Object(extensions))) {
    const owner = Object.getPrototypeOf(extension) as object
    if (boundExtensions.has(owner) || !owns(owner, 'compress', 'decompress')) continue
    boundExtensions.add(owner)
    methods.callbacks(owner, 'compress', 'decompress')
  }
}
