import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { EgressOptions } from '@laneway/core'
import type { EgressResolver } from '@laneway/discovery'
import { LaneAgent, LaneHttpsAgent } from '@laneway/http'
import { createLaneFetch, type LaneFetch } from '@laneway/undici'
import { besideRegister } from './beside-register.js'

/**
 * HTTP clients with the lane: inject it, or give its agents to `HttpService` of `@nestjs/axios`:
 * `HttpModule.registerAsync({ useExisting: LaneClients })`.
 *
 * Beside `@laneway/register` and without a resolver of their own they are Node's: register gives these lanes and endpoints.
 */
export class LaneClients {
  /** For `http:`; what `http.request` and axios take. */
  readonly httpAgent: HttpAgent
  /** For `https:`. */
  readonly httpsAgent: HttpsAgent
  /** The `fetch` built into Node, with the lane. */
  readonly fetch: LaneFetch

  /** @throws LanewayError `LANEWAY_INVALID_OPTION` */
  constructor(options: EgressOptions<EgressResolver>) {
    if (options.resolver === undefined && besideRegister() !== undefined) {
      this.httpAgent = new HttpAgent({ keepAlive: true })
      this.httpsAgent = new HttpsAgent({ keepAlive: true })
      this.fetch = ((...args: Parameters<LaneFetch>) => globalThis.fetch(...args)) as LaneFetch
      return
    }
    this.httpAgent = new LaneAgent(options)
    this.httpsAgent = new LaneHttpsAgent(options)
    this.fetch = createLaneFetch(options)
  }

  /** Called by `HttpModule.registerAsync({ useExisting: LaneClients })`. */
  createHttpOptions(): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } {
    return { httpAgent: this.httpAgent, httpsAgent: this.httpsAgent }
  }

  /** Called by Nest when the server is closed: until then requests may need the connections. The resolver stays open. */
  onApplicationShutdown(): void {
    this.httpAgent.destroy()
    this.httpsAgent.destroy()
  }
}
