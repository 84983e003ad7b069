import { Socket } from 'node:net'
import type { Emitter, IngressOptions } from '@laneway/core'
import {
  createIngress,
  guardFastifyLayers,
  type Ingress,
  type IngressRequest,
  isDisabled,
  runRequest,
} from '@laneway/core/internal'
import { laneServer } from '@laneway/http'

/** Of `HttpAdapterHost`; `init$` came with Nest 11. Without HTTP, as in a microservice, there is no adapter. */
export interface AdapterHost {
  readonly httpAdapter: Adapter | null | undefined
  readonly init$?: { subscribe(next: () => void): unknown }
}

interface Adapter {
  getType(): string
  getInstance(): object
  getHttpServer(): Emitter
}

/**
 * Runs each request in its lane from where Node hands it to the server. So middleware, guards, interceptors, pipes,
 * handlers, exception filters and the messages of WebSockets are in it, and a request is decided once, beside
 * `@laneway/register` too.
 */
export class LaneIngress {
  readonly #host: AdapterHost
  readonly #options: IngressOptions
  readonly #ingress: Ingress | undefined

  /** @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG` */
  constructor(options: IngressOptions, host: AdapterHost) {
    this.#host = host
    this.#options = options
    if (isDisabled(['ingress', 'nest'])) return
    this.#ingress = createIngress('LanewayModule', options)
    if (host.httpAdapter) this.#hookInject()
    // An application of @nestjs/testing gets its adapter later.
    else host.init$?.subscribe(() => this.#hookInject())
  }

  /** Called by Nest once the server is made, before it listens. */
  onModuleInit(): void {
    if (this.#ingress === undefined || !this.#host.httpAdapter) return
    this.#hookInject()
    laneServer(this.#host.httpAdapter.getHttpServer(), this.#options)
  }

  /** `app.inject()` of Fastify reaches the routes without the server. */
  #hookInject(): void {
    const adapter = this.#host.httpAdapter
    if (adapter?.getType() === 'fastify') hookFastify(adapter.getInstance() as Fastify, this.#ingress!)
  }
}

interface Fastify {
  addHook(
    name: 'onRequest',
    hook: (request: { raw: IngressRequest & Emitter }, reply: { raw: Emitter }, done: () => void) => void,
  ): unknown
}

const hooked = new WeakSet<object>()

function hookFastify(instance: Fastify, ingress: Ingress): void {
  if (hooked.has(instance)) return
  hooked.add(instance)
  instance.addHook('onRequest', function laneOnRequest({ raw }, reply, done) {
    if (raw.socket instanceof Socket) done()
    else runRequest(ingress(raw), raw, reply.raw, done)
  })
  guardFastifyLayers(instance)
}
