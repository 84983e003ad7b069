import { AsyncLocalStorage } from 'node:async_hooks'
import { isMainThread } from 'node:worker_threads'
import { type IngressOptions, type LaneFormat, type Logger, ownLane } from '@laneway/core'
import { guardExpressLayers, isDisabled } from '@laneway/core/internal'
import { laneServer } from '@laneway/http'
import { createFetchWatch, watchFetchOfNext } from '@laneway/undici/internal'
import { type RegisterConfig, readConfig } from './config/config.js'
import { unfoldPm2Environment } from './config/pm2-environment.js'
import { startInWords } from './config/register-words.js'
import { controlText, startControl } from './control.js'
import { diagnosisOf, printDiagnosis, whenKnown } from './diagnosis/diagnosis.js'
import { installedVersions } from './diagnosis/installed-versions.js'
import { createDiscovery } from './discovery/discovery.js'
import { endpointTlsOf } from './discovery/endpoint-tls.js'
import { hookGrpc } from './egress/grpc-hook.js'
import { hookHttp } from './egress/http-hook.js'
import { hookSockets } from './egress/socket-hook.js'
import { hookUndici, type UndiciCopies } from './egress/undici-hook.js'
import { createGuard } from './guard.js'
import { hookFastify } from './ingress/fastify-hook.js'
import { FRAMEWORKS } from './ingress/frameworks.js'
import { type HttpServer, watchServers } from './ingress/http-servers.js'
import { hookInjectedRequests, seesInjected } from './ingress/injected-requests.js'
import { serveLanes } from './lanes/serve-lanes.js'
import { CONSUMERS } from './libraries/consumers.js'
import { DRIVERS } from './libraries/drivers.js'
import { hookLibraries } from './libraries/library-hooks.js'
import { hookNestClients } from './libraries/nest-hook.js'
import { hookNext } from './libraries/next-hook.js'
import { hookQueues, QUEUES } from './libraries/queue-hook.js'
import { atMost, drain } from './lifecycle/drain.js'
import { healthOfProcess, OFF, type RegisterHealth } from './lifecycle/health.js'
import { createMembership } from './lifecycle/membership.js'
import { hookSignals } from './lifecycle/signals.js'
import { createLog } from './log.js'
import { hookMessages } from './messages/message-hooks.js'
import { loadOnDemand } from './on-demand.js'

/** Laneway at work in this thread. */
export interface Running {
  shutdown(): Promise<void>
  health(): RegisterHealth
  useLogger(logger: Logger): void
}

const key = Symbol.for('laneway.register.v1')
/** One for all realms of the thread: Jest gives each test file a global object of its own. */
const holder = AsyncLocalStorage as { [key]?: Running }

/** What this thread has, started by whichever copy of this package came first: ESM, CJS, another version. */
export function running(): Running {
  holder[key] ??= start()
  return holder[key]
}

const writeError = (text: string) => void process.stderr.write(text)

const IDLE: Running = { shutdown: async () => {}, health: () => OFF, useLogger() {} }

/** Node 20 preloads into the thread of `module.register()` too; nothing of the program runs there, and it has no name. */
function isLoaderThread(): boolean {
  return !isMainThread && process.argv[1] === undefined
}

function start(): Running {
  if (isLoaderThread()) return IDLE
  unfoldPm2Environment(process.env)
  // Before anything else is read: the kill switch has to work when all the rest is broken.
  const off = isDisabled([])
  const config = off ? undefined : readConfig(process.env, process.cwd())
  if (config === undefined || config.disabled.has('all')) return IDLE
  return startInWords(() => startWith(config))
}

function startWith(config: RegisterConfig): Running {
  const { warn, useLogger } = createLog(config, writeError)
  const on = (part: string) => !config.disabled.has(part)
  const own = ownLane({ tag: config.tag })
  const guard = createGuard(warn)
  const discovery = createDiscovery(config, on('discovery'), warn)
  const control = startControl(config.control, discovery)
  // The calls of worker threads are not among those of the process.
  const lanes = isMainThread ? serveLanes(config, warn) : undefined
  const registers = isMainThread && on('registration')
  const membership = createMembership(config.service, registers ? discovery.register : undefined, warn)
  const hooks: string[] = []
  if (config.otel) loadOnDemand<{ useOtelContext(): void }>('@laneway/otel', 'LANEWAY_OTEL').useOtelContext()

  const ingress = ingressOptions(config, warn)
  const ingressFault = (error: unknown) => guard.fault('ingress', error)
  const injected = hookInjectedRequests(ingress, on, guard)
  const servers = new Set<HttpServer>()
  let lookAtFetch = () => {}
  const health = () => healthOfProcess(discovery.resolver, membership, own?.header, control?.state())
  const diagnose = once(() => {
    printDiagnosis(
      {
        node: `${process.version}, built-in undici ${process.versions['undici']}`,
        installed: installedVersions(),
        ...diagnosisOf(config, health()),
        hooks,
        'copies of undici': copiesText(undiciCopies()),
        'copies of grpc-js': `${grpcCopies()} so far`,
        'drivers and consumers': libraries.found(),
        messages: messages.found(),
        'requests without a server': seesInjected(on),
        control: controlText(control?.state()),
        disabled: [...config.disabled],
        faults: [...guard.faults.keys()],
        ...(lanes !== undefined && { lanes: lanes.text() }),
        'looks wrong': health().warnings,
      },
      writeError,
    )
  })
  watchServers({
    listens(server, port) {
      servers.add(server)
      lanes?.open()
      if (port !== undefined) membership.register(server, config.port ?? port)
      if (on('nest')) hookNestClients(guard)
      if (config.diagnose) whenKnown(health, diagnose)
    },
    closed: server => servers.delete(server),
    begins(server) {
      if (on('ingress')) guard.attempt('ingress', () => laneServer(server, ingress, ingressFault))
    },
    handing: () => lookAtFetch(),
    handled: on('express') ? request => guardExpressLayers(request, injected) : () => {},
  })
  if (on('ingress')) hooks.push('http, https and http2 servers')
  if (on('fastify')) {
    hookFastify(injected, guard)
    hooks.push('fastify.inject')
  }
  const { connectTimeoutMs } = config
  const endpointTls = endpointTlsOf(config)
  const egress = {
    ...(endpointTls !== undefined && { endpointTls }),
    ...(discovery.resolver !== undefined && { resolver: discovery.resolver }),
    ...(config.header !== undefined && { header: config.header }),
    ...(config.keepHandSet !== undefined && { keepHandSet: config.keepHandSet }),
    ...(config.baggage !== undefined && { baggage: config.baggage }),
    propagateTo: config.propagateTo,
    warn,
  }
  if (on('http')) {
    hookHttp({ ...egress, ...(connectTimeoutMs !== undefined && { connectTimeoutMs }) }, guard)
    hooks.push('http and https requests')
  }
  let undiciCopies = (): UndiciCopies => ({ hooked: 0, leftAlone: 0 })
  if (on('undici')) {
    undiciCopies = hookUndici(egress, guard)
    const watch = createFetchWatch(egress)
    lookAtFetch = () => guard.attempt('undici', watch)
    hooks.push('undici')
  }
  if (on('next')) hookNext(on('undici') ? () => watchFetchOfNext(egress) : () => {}, guard)
  let grpcCopies = () => 0
  if (on('grpc')) {
    grpcCopies = hookGrpc({ ...egress, ...(connectTimeoutMs !== undefined && { connectTimeoutMs }) }, guard)
    hooks.push('grpc-js clients')
  }
  const messages = hookMessages(config, on, guard, warn)
  const known = [DRIVERS, QUEUES, CONSUMERS, FRAMEWORKS(injected), messages.classes]
  const libraries = hookLibraries(
    known.flatMap(one => Object.entries(one)),
    on,
    guard,
  )
  hookQueues(on, libraries.meets, guard)
  if (on('sockets')) {
    hookSockets(guard, libraries.opens)
    hooks.push('sockets')
  }
  const deregister = async () => {
    await atMost(config.leaveDelayMs + config.shutdownMs, membership.deregister())
    lanes?.close()
  }
  if (isMainThread && on('signals') && config.service !== undefined) {
    hookSignals(
      () => void deregister(),
      async () => {
        await deregister()
        await drain(servers, config.shutdownMs)
      },
    )
    hooks.push('SIGTERM and SIGINT')
  }
  if (config.diagnose) process.once('exit', diagnose)
  return { shutdown: deregister, health, useLogger }
}

function ingressOptions(config: RegisterConfig, warn: (message: string) => void): IngressOptions {
  const { header, formats, trust, ownLane: mode, tag, rules, service, traceToken, traceAddresses } = config
  const options: IngressOptions = { trust, ownLane: mode, provisional: true, warn }
  // Names that do not exist are refused by the ingress.
  if (formats !== undefined) options.formats = formats as LaneFormat[]
  if (header !== undefined) options.header = header
  options.trace = {
    ...(service !== undefined && { name: service }),
    ...(traceToken !== undefined && { token: traceToken }),
    ...(traceAddresses !== undefined && { addresses: traceAddresses }),
  }
  if (tag !== undefined) options.tag = tag
  if (rules !== undefined) {
    const { watchRules } = loadOnDemand<{
      watchRules(file: string): { laneOf: NonNullable<IngressOptions['rules']> }
    }>('@laneway/rules', 'LANEWAY_RULES')
    options.rules = watchRules(rules).laneOf
  }
  return options
}

function once(fn: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    fn()
  }
}

function copiesText({ hooked, leftAlone }: UndiciCopies): string {
  const old = `${leftAlone} older than 6.8 left alone: without tag, not routed`
  return `${hooked} so far${leftAlone === 0 ? '' : `, ${old}`}`
}
