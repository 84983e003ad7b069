import type { EgressOptions } from '@laneway/core'
import type { EgressResolver } from '@laneway/discovery'
import { LaneAgent, LaneHttpsAgent } from '@laneway/http'
import { createLaneFetch, type LaneFetch } from '@laneway/undici'

/**
 * HTTP clients with the lane: inject it, or give its agents to `HttpService` of `@nestjs/axios`:
 * `HttpModule.registerAsync({ useExisting: LaneClients })`.
 */
export class LaneClients {
  /** For `http:`; what `http.request` and axios take. */
  readonly httpAgent: LaneAgent
  /** For `https:`. */
  readonly httpsAgent: LaneHttpsAgent
  /** The `fetch` built into Node, with the lane. */
  readonly fetch: LaneFetch

  /** @throws LanewayError `LANEWAY_INVALID_OPTION` */
  constructor(options: EgressOptions<EgressResolver>) {
    this.httpAgent = new LaneAgent(options)
    this.httpsAgent = new LaneHttpsAgent(options)
    this.fetch = createLaneFetch(options)
  }

  /** Called by `HttpModule.registerAsync({ useExisting: LaneClients })`. */
  createHttpOptions(): { httpAgent: LaneAgent; httpsAgent: LaneHttpsAgent } {
    return { httpAgent: this.httpAgent, httpsAgent: this.httpsAgent }
  }

  /** Called by Nest when the server is closed: until then requests may need the connections. The resolver stays open. */
  onApplicationShutdown(): void {
    this.httpAgent.destroy()
    this.httpsAgent.destroy()
  }
}
